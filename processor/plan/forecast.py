"""When a run under a deadline will be done, as far as can be told. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, inf

from processor.plan.decide import CANCEL_S, Decision, Open, View
from processor.plan.latency import Latencies
from processor.plan.offer import Verdict

_LIKELY = 0.5
_AGE_STEP_S = 60.0  # ages that differ by less are told alike: shards of an hour are many


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """When everything will be done.

    Attributes:
        done_s: As is to be expected, in seconds since 1970; inf when nobody knows.
        verdict: Whether that is before the deadline; None without one. `yes` is for what the
            direct lane can still do alone, whatever becomes of batches.
    """

    done_s: float
    verdict: Verdict | None


def forecast(view: View, decision: Decision) -> Forecast:
    """How it will go from a moment on, by what was known and decided then."""
    directly_s = (view.queued + decision.direct) / view.per_s
    batches_s = max(_batch_ends(view, decision), default=0.0)
    if view.deadline_s is None:
        return Forecast(done_s=view.now_s + max(directly_s, batches_s), verdict=None)
    left_s = view.deadline_s - view.now_s
    rescued_s = _rescued(view, decision, directly_s) if view.has_direct else inf
    by_themselves_s = max(directly_s, batches_s)
    is_paid = decision.direct + decision.batch >= view.fresh + view.returned
    if rescued_s <= left_s:  # what is late will be taken back in time
        ends_s = min(by_themselves_s, left_s)
        verdict = Verdict.YES if is_paid and _is_sure(view) else Verdict.PERHAPS
    else:
        ends_s = min(by_themselves_s, rescued_s)
        verdict = Verdict.PERHAPS if by_themselves_s <= left_s else Verdict.NO
    return Forecast(done_s=view.now_s + ends_s, verdict=verdict)


def _is_sure(view: View) -> bool:
    """Whether calls are made, and batches come back that are taken back."""
    return not view.is_still and all(shard.is_coming or not shard.cancelling for shard in view.open)


def _rescued(view: View, decision: Decision, directly_s: float) -> float:
    """When it is done if every batch is taken back now."""
    held = sum(shard.left for shard in view.open)
    waiting_s = max(directly_s, CANCEL_S) if held else directly_s
    return waiting_s + (held + decision.batch) / view.per_s


def _batch_ends(view: View, decision: Decision) -> Iterator[float]:
    """In how many seconds each batch ends, those that are about to begin too."""
    likely: dict[tuple[int, int], float] = {}
    for shard in view.open:
        if shard.number in decision.cancel or shard.cancelling:
            yield CANCEL_S + shard.left / view.per_s
        elif shard.answered and shard.age_s:
            yield shard.age_s * shard.left / shard.answered
        else:
            key = (shard.items, ceil(shard.age_s / _AGE_STEP_S))
            if key not in likely:
                likely[key] = _likely_s(view.latencies, shard)
            yield likely[key]
    if decision.batch:
        size = min(decision.batch, decision.shard_items)
        yield _likely_s(view.latencies, Open(number=0, items=size))


def _likely_s(latencies: Latencies, shard: Open) -> float:
    """The time by which a batch ends as probably as not; inf where it rather never does."""
    low, high = 0.0, 86_400.0
    if latencies.chance(shard.items, high, age_s=shard.age_s) < _LIKELY:
        return inf
    while high - low > _AGE_STEP_S:
        middle = (low + high) / 2
        is_enough = latencies.chance(shard.items, middle, age_s=shard.age_s) >= _LIKELY
        low, high = (low, middle) if is_enough else (middle, high)
    return high
