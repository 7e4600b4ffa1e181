"""What the records of one transaction add up to: counters, money, latencies."""

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import TypeVar

from msgspec import Struct

from processor.items import Attempt, Outcome, Usage
from processor.ledger import counters, histogram

Amount = TypeVar("Amount", int, float)
Pricer = Callable[[str | None, str | None, str, Usage], float | None]
"""(model, tier, lane, usage) to US dollars; None when the price is unknown."""

_NO_ROOM_CODE = "flex_unavailable"  # its status is that of a rate limit
# Counted by name; what else a provider may think of is counted together.
_TIERS = frozenset({"default", "flex", "priority", "scale"})
_OTHER_TIER = "other"


class Paid(Struct, frozen=True, gc=False):
    """Tokens and US dollars of one or more answers; None when those of any are unknown."""

    prompt_tokens: int | None = 0
    completion_tokens: int | None = 0
    cached_tokens: int | None = 0
    cost_usd: float | None = 0.0

    def __add__(self, other: "Paid") -> "Paid":
        return Paid(
            _sum(self.prompt_tokens, other.prompt_tokens),
            _sum(self.completion_tokens, other.completion_tokens),
            _sum(self.cached_tokens, other.cached_tokens),
            _sum(self.cost_usd, other.cost_usd),
        )


_NOTHING = Paid()
_UNKNOWN = Paid(None, None, None, None)


class Tally:
    """Counts records one by one; `save` adds the sums to the ledger's."""

    def __init__(self, price: Pricer) -> None:
        self._price = price
        self._counts: Counter[tuple[str, str]] = Counter()
        self._money: defaultdict[str, float] = defaultdict(float)
        self._buckets: Counter[int] = Counter()
        self._latency_sum_ms = 0.0
        self._latency_max_ms = 0.0

    def outcome(self, outcome: Outcome, *, called: bool) -> Paid:
        """Count an outcome.

        Args:
            outcome: The outcome.
            called: Whether a request was sent for it that no attempt stands for.

        Returns:
            What its last answer cost.
        """
        lane, counts = outcome.lane, self._counts
        if outcome.accepted is not None:
            counts[lane, "succeeded"] += 1
            counts[lane, f"check.{outcome.accepted.check}"] += 1
        if outcome.failure is not None:
            counts[lane, "failed"] += 1
            counts[lane, f"error.{outcome.failure.code}"] += 1
        if outcome.tier is not None:
            counts[lane, tier_counter(outcome.tier)] += 1
        if not called:
            return _NOTHING
        counts[lane, "requests"] += 1
        if outcome.latency_ms:
            self._buckets[histogram.bucket(outcome.latency_ms)] += 1
            self._latency_sum_ms += outcome.latency_ms
            self._latency_max_ms = max(self._latency_max_ms, outcome.latency_ms)
        return self._pay(outcome)

    def attempt(self, attempt: Attempt) -> Paid:
        """Count an attempt; returns what its answer cost."""
        lane, counts = attempt.lane, self._counts
        counts[lane, "requests"] += 1
        if attempt.again:
            counts[lane, "retries" if attempt.problem is None else "reasks"] += 1
            if attempt.code == _NO_ROOM_CODE:
                counts[lane, "no_room"] += 1
            elif attempt.status == 429:
                counts[lane, "rate_limited"] += 1
        return self._pay(attempt)

    def save(self, connection: sqlite3.Connection) -> None:
        """Add everything counted to the tables, within the caller's transaction."""
        rows: list[tuple[str, str, float]] = [
            (lane, name, value) for (lane, name), value in self._counts.items()
        ]
        rows += [(lane, "cost_usd", value) for lane, value in self._money.items()]
        rows.append(("", "latency_sum_ms", self._latency_sum_ms))
        counters.add(connection, rows)
        connection.execute(
            "INSERT INTO counters VALUES ('', 'latency_max_ms', ?) "
            "ON CONFLICT DO UPDATE SET value = MAX(value, excluded.value)",
            (self._latency_max_ms,),
        )
        connection.executemany(
            "INSERT INTO latencies VALUES (?, ?) "
            "ON CONFLICT DO UPDATE SET count = count + excluded.count",
            list(self._buckets.items()),
        )

    def _pay(self, record: Outcome | Attempt) -> Paid:
        usage, lane, counts = record.usage, record.lane, self._counts
        if usage is None:
            if not record.answered:
                return _NOTHING
            counts[lane, "unpriced"] += 1
            return _UNKNOWN
        counts[lane, "prompt_tokens"] += usage.prompt_tokens
        counts[lane, "completion_tokens"] += usage.completion_tokens
        counts[lane, "cached_tokens"] += usage.cached_tokens
        cost_usd = self._price(record.model, record.tier, lane, usage)
        if cost_usd is None:
            counts[lane, "unpriced"] += 1
        else:
            self._money[lane] += cost_usd
        return Paid(usage.prompt_tokens, usage.completion_tokens, usage.cached_tokens, cost_usd)


def tier_counter(tier: str) -> str:
    """Name of the counter of items that were answered at a service tier."""
    return f"tier.{tier if tier in _TIERS else _OTHER_TIER}"


def _sum(one: Amount | None, other: Amount | None) -> Amount | None:
    return None if one is None or other is None else one + other
