"""What items are in tokens and money before they are sent: rendered, and told from their length."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil

from msgspec.structs import replace

from processor.direct.backlog import Work
from processor.direct.request import BYTES_PER_TOKEN, fill_in
from processor.items import Failure, Usage
from processor.ledger.pending import Pending
from processor.plan.prices import Prices
from processor.plan.route import Lane
from processor.tasks.task import Task
from processor.watch.snapshot import Snapshot

_WITHOUT_OUTPUT = frozenset({"embedding"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What would be sent, about.

    Attributes:
        items: Requests, retries and re-asks not counted.
        input_tokens: A guess from their length.
        output_tokens: What answers of the run have had so far; before any, their caps, or what is
            assumed without one.
        direct_usd: At list price; None when it is not known.
        batch_usd: By batch.
        least_usd: Directly, without what is only assumed: how long answers are before there are
            any.
    """

    items: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    direct_usd: float | None = 0.0
    batch_usd: float | None = 0.0
    least_usd: float | None = 0.0

    def __add__(self, other: "Load") -> "Load":
        return Load(
            items=self.items + other.items,
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            direct_usd=_sum(self.direct_usd, other.direct_usd),
            batch_usd=_sum(self.batch_usd, other.batch_usd),
            least_usd=_sum(self.least_usd, other.least_usd),
        )

    def cost_usd(self, lane: Lane) -> float | None:
        """By this lane; None when it is not known."""
        return self.batch_usd if lane is Lane.BATCH else self.direct_usd

    def of(self, items: int) -> "Load":
        """What so many items like these are."""
        if not self.items:
            return Load(items=items, direct_usd=None, batch_usd=None, least_usd=None)
        times = items / self.items
        return Load(
            items=items,
            input_tokens=ceil(self.input_tokens * times),
            output_tokens=ceil(self.output_tokens * times),
            direct_usd=_times(self.direct_usd, times),
            batch_usd=_times(self.batch_usd, times),
            least_usd=_times(self.least_usd, times),
        )


NOTHING = Load()


class Scales:
    """Weighs items.

    Args:
        task: Renders them.
        prices: Of the provider.
        usual_output_tokens: Of an answer of the run so far; None before any.
    """

    def __init__(self, task: Task, prices: Prices, usual_output_tokens: int | None) -> None:
        self._task = task
        self._prices = prices
        self._usual_output_tokens = usual_output_tokens

    def weigh(self, pending: Pending) -> tuple[Work, Load | Failure]:
        """An item as it would be sent, and what it is; or why it cannot be sent."""
        work = Work(item=pending.item, attempts=pending.attempts, invalid=pending.invalid)
        failure = fill_in(work, self._task)
        return work, self._load(work) if failure is None else failure

    def total(self, several: Iterable[Pending]) -> Load:
        """Of those that can be sent."""
        found = (self.weigh(pending)[1] for pending in several)
        return sum((load for load in found if isinstance(load, Load)), NOTHING)

    def _load(self, work: Work) -> Load:
        assert work.size is not None
        size, usual = work.size, self._usual_output_tokens
        output_tokens = size.output_tokens if usual is None else usual
        if self._task.kind in _WITHOUT_OUTPUT:
            output_tokens = 0
        usage = Usage(
            prompt_tokens=size.input_bytes // BYTES_PER_TOKEN, completion_tokens=output_tokens
        )
        sure = usage if usual is not None else replace(usage, completion_tokens=0)
        return Load(
            items=1,
            input_tokens=usage.prompt_tokens,
            output_tokens=output_tokens,
            direct_usd=self._cost_usd(work, Lane.DIRECT, usage),
            batch_usd=self._cost_usd(work, Lane.BATCH, usage),
            least_usd=self._cost_usd(work, Lane.DIRECT, sure),
        )

    def _cost_usd(self, work: Work, lane: Lane, usage: Usage) -> float | None:
        tier = None if work.size is None else work.size.tier
        return self._prices.cost_usd(work.model, tier, lane, usage)


def usual_output_tokens(shot: Snapshot) -> int | None:
    """Of the answers that the run has; None without any."""
    if not shot.succeeded or not shot.overall.completion_tokens:
        return None
    return shot.overall.completion_tokens // shot.finished


def _times(usd: float | None, times: float) -> float | None:
    return None if usd is None else usd * times


def _sum(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one + other
