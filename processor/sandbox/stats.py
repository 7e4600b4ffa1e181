"""What the sandbox has seen. Only counts: it decides nothing."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from typing import Any


@dataclass(slots=True)
class ItemCount:
    """One item: how often it came, was answered in whole with 200, and was paid for."""

    received: int = 0
    answered: int = 0
    paid: int = 0


@dataclass(slots=True)
class Stats:
    """Totals since the start or the last reset, and the count of each item.

    Attributes:
        received: Requests below `/v1`, refused ones too.
        paid_by_tier: Those of calls, by the service tier that served them.
        by_route: The same, by method and path.
        answered: Answers sent in whole with status 200.
        paid: Answers that the model gave, whether or not they arrived: a real provider charges
            for an answer that the network lost.
        by_status: Responses begun, by HTTP status; `dropped` counts those that never began.
        by_fault: Faults that hit, by kind.
        in_hand: Requests being worked on now.
        operations: Requests to the Files and Batch APIs, by operation and what each was about.
    """

    received: int = 0
    answered: int = 0
    paid: int = 0
    paid_prompt_tokens: int = 0
    paid_completion_tokens: int = 0
    paid_by_tier: Counter[str] = field(default_factory=Counter)
    by_route: Counter[str] = field(default_factory=Counter)
    by_status: Counter[str] = field(default_factory=Counter)
    by_fault: Counter[str] = field(default_factory=Counter)
    in_hand: int = 0
    max_in_hand: int = 0
    first_arrival_s: float | None = None
    last_arrival_s: float | None = None
    items: dict[str, ItemCount] = field(default_factory=dict)
    operations: Counter[tuple[str, str]] = field(default_factory=Counter)

    @contextmanager
    def arrival(self, route: str, now_s: float) -> Iterator[None]:
        """A request is in hand."""
        self.received += 1
        self.by_route[route] += 1
        self.in_hand += 1
        self.max_in_hand = max(self.max_in_hand, self.in_hand)
        if self.first_arrival_s is None:
            self.first_arrival_s = now_s
        self.last_arrival_s = now_s
        try:
            yield
        finally:
            self.in_hand -= 1

    def operation(self, name: str, subject: str) -> int:
        """Count one; gives how many there were about the same."""
        self.operations[name, subject] += 1
        return self.operations[name, subject]

    def item(self, key: str) -> ItemCount:
        """The count of an item; a new one when it was never seen."""
        count = self.items.get(key)
        if count is None:
            count = self.items[key] = ItemCount()
        return count

    def pay(self, key: str, prompt_tokens: int, completion_tokens: int) -> None:
        """The model gave an item's answer."""
        self.item(key).paid += 1
        self.paid += 1
        self.paid_prompt_tokens += prompt_tokens
        self.paid_completion_tokens += completion_tokens

    def answer(self, key: str) -> None:
        """An item's answer was sent in whole."""
        self.item(key).answered += 1
        self.answered += 1

    def work(self, key: str, *, charged: bool, prompt_tokens: int, completion_tokens: int) -> None:
        """A batch's line asked for an item, and has got its answer if it is charged."""
        self.item(key).received += 1
        if charged:
            self.pay(key, prompt_tokens, completion_tokens)
            self.answer(key)

    def restore_totals(self, paid: int, prompt_tokens: int, completion_tokens: int) -> None:
        """So much was paid for before the start."""
        self.answered += paid
        self.paid += paid
        self.paid_prompt_tokens += prompt_tokens
        self.paid_completion_tokens += completion_tokens

    def restore(self, key: str, received: int, paid: int) -> None:
        """An item was seen before the start."""
        count = self.item(key)
        count.received += received
        count.answered += paid
        count.paid += paid

    def report(self, *, items: bool) -> dict[str, Any]:
        """What `/sandbox/stats` tells."""
        counts = self.items.values()
        told: dict[str, Any] = {
            "received": self.received,
            "answered": self.answered,
            "paid": self.paid,
            "paid_tokens": {
                "prompt": self.paid_prompt_tokens,
                "completion": self.paid_completion_tokens,
            },
            "paid_by_tier": dict(self.paid_by_tier),
            "by_route": dict(self.by_route),
            "by_status": dict(self.by_status),
            "by_fault": dict(self.by_fault),
            "in_hand": self.in_hand,
            "max_concurrent": self.max_in_hand,
            "first_arrival": self.first_arrival_s,
            "last_arrival": self.last_arrival_s,
            "items": {
                "seen": len(self.items),
                "answered": sum(count.answered > 0 for count in counts),
                "received_twice": sum(count.received > 1 for count in counts),
                "paid_twice": sum(count.paid > 1 for count in counts),
            },
        }
        if items:
            told["per_item"] = {key: asdict(count) for key, count in self.items.items()}
        return told

    def reset(self) -> None:
        """As if nothing had been seen; what is in hand stays in hand."""
        fresh = Stats(in_hand=self.in_hand, max_in_hand=self.in_hand)
        for count in fields(self):
            setattr(self, count.name, getattr(fresh, count.name))
