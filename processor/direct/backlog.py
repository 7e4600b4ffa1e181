"""What waits to be sent: retries whose time has come, answers to ask again, then fresh items."""

import heapq
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from math import inf
from typing import Protocol

from processor.items import Item
from processor.plan.estimate import Size


class Fresh(Protocol):
    """A pending item as the ledger gives it."""

    @property
    def item(self) -> Item:
        """The item."""

    @property
    def attempts(self) -> int:
        """Requests sent for it in earlier sessions."""

    @property
    def invalid(self) -> tuple[tuple[str, str], ...]:
        """(answer, problem) pairs that its next request shows."""


@dataclass(slots=True)
class Work:
    """An item on its way through the lane.

    Attributes:
        attempts: Requests sent for it, over all sessions.
        tries: Attempts that count against its retries, in this session.
        waits: Attempts in this session that the provider only asked to make later.
        failed: Whether any attempt in this session failed.
        done: It has its outcome; it is only sent once more as a witness.
        body: The request's JSON, once it is rendered.
        endpoint: Where it goes.
        model: The one that it names.
        tier: Service tier that the lane asks for with it; None for the standard one, or its own.
        at_standard: It waited in vain for room at that tier.
        refusals: How often there was none since it was last answered.
        refused_since_s: When there was none first, as `Tier` counts; inf when there was.
        choice: In what its row differs from the task; None until that is asked.
        tokens: A guess of what the provider counts the request for.
        invalid: (answer, problem) pairs that its next request shows.
        size: Of the rendered request, which bounds its cost.
        estimate_usd: What the next call is expected to cost; with a budget only.
    """

    item: Item
    attempts: int
    invalid: tuple[tuple[str, str], ...]
    tries: int = 0
    waits: int = 0
    failed: bool = False
    done: bool = False
    body: bytes | None = None
    endpoint: str = ""
    model: str = ""
    tier: str | None = None
    at_standard: bool = False
    refusals: int = 0
    refused_since_s: float = inf
    choice: tuple[tuple[str, str], ...] | None = None
    tokens: int = 0
    size: Size | None = None
    estimate_usd: float = 0.0


@dataclass(slots=True)
class _Queue:
    """Work that waits for the turn of its model."""

    works: deque[Work] = field(default_factory=deque)
    due_s: float = inf


class Backlog:
    """The order in which work is sent.

    Args:
        fresh: Items not sent yet; pulled one at a time, only when nothing else is ready. None is
            given where there is none for now.
    """

    def __init__(self, fresh: Iterator[Fresh | None]) -> None:
        self._fresh = fresh
        self._ready: deque[Work] = deque()
        self._later: list[tuple[float, int, Work]] = []
        self._aside: list[Work] = []
        self._queues: dict[str, _Queue] = {}
        self._tiebreak = count()
        self.exhausted = False

    @property
    def held(self) -> int:
        """Work that was pulled and waits here."""
        held = len(self._ready) + len(self._later) + len(self._aside)
        if self._queues:
            held += sum(len(queue.works) for queue in self._queues.values())
        return held

    @property
    def aside(self) -> int:
        """Work among it that nothing but `recall` brings back."""
        return len(self._aside)

    def put(self, work: Work) -> None:
        """Send this next.

        In front of all else: an item that was put back may wait for this one's chunk to end.
        """
        self._ready.appendleft(work)

    def put_later(self, work: Work, due_s: float) -> None:
        """Send this when its time has come."""
        heapq.heappush(self._later, (due_s, next(self._tiebreak), work))

    def put_aside(self, work: Work) -> None:
        """Send this only after `recall`."""
        self._aside.append(work)

    def renew(self) -> None:
        """There are fresh items again."""
        self.exhausted = False

    def recall(self) -> None:
        """Send what was put aside next, in its order."""
        if self._aside:
            self._ready.extendleft(reversed(self._aside))
            self._aside.clear()

    def delay(self, work: Work, due_s: float) -> None:
        """Send this, and what waits behind it for the same model, when its time has come."""
        queue = self._queues.setdefault(work.model, _Queue())
        queue.works.appendleft(work)
        queue.due_s = due_s

    def line_up(self, work: Work, now_s: float) -> bool:
        """Send this after what waits for the same model, if anything has to."""
        queue = self._queues.get(work.model)
        if queue is None or queue.due_s <= now_s:
            return False
        queue.works.append(work)
        return True

    def wake(self, model: str) -> None:
        """What waits for this model may be sent."""
        if model in self._queues:
            self._queues[model].due_s = -inf

    def next_due_s(self) -> float:
        """When the next retry is due, or the next turn of a model; inf without one."""
        due_s = self._later[0][0] if self._later else inf
        if self._queues:
            due_s = min(due_s, *(queue.due_s for queue in self._queues.values()))
        return due_s

    def take(self, now_s: float, *, fresh: bool) -> Work | None:
        """The next work that may be sent; None when there is none now.

        Args:
            now_s: The time.
            fresh: Whether a fresh item may be pulled.
        """
        if self._later and self._later[0][0] <= now_s:
            return heapq.heappop(self._later)[2]
        if self._queues and (work := self._take_queued(now_s)) is not None:
            return work
        if self._ready:
            return self._ready.popleft()
        return self._pull() if fresh else None

    def take_untried(self, *, fresh: bool) -> Work | None:
        """The next work that has not failed; None when there is none now."""
        for place, work in enumerate(self._ready):
            if not work.failed:
                del self._ready[place]
                return work
        return self._pull() if fresh else None

    def look_ahead(self) -> None:
        """Find out whether anything is left; a fresh item that is pulled for it waits here."""
        if not self.held and (work := self._pull()) is not None:
            self.put(work)

    def _take_queued(self, now_s: float) -> Work | None:
        """Of the model that had its turn longest ago."""
        for model, queue in self._queues.items():
            if queue.due_s <= now_s:
                del self._queues[model]
                work = queue.works.popleft()
                if queue.works:
                    self._queues[model] = queue
                return work
        return None

    def _pull(self) -> Work | None:
        if self.exhausted:
            return None
        try:
            pending = next(self._fresh)
        except StopIteration:
            self.exhausted = True
            return None
        if pending is None:
            return None
        return Work(item=pending.item, attempts=pending.attempts, invalid=pending.invalid)
