"""Both lanes at once under a deadline, as it is decided when a run begins. Pure."""

from dataclasses import dataclass
from math import inf

from processor.plan.decide import CANCEL_S, Decision, View, decide
from processor.plan.offer import ASSUMED, MIX, Offer, Time
from processor.plan.prices import dollars

_HARDLY = 0.02  # a chance that is none


@dataclass(frozen=True, slots=True)
class Mix:
    """What the first decision of a run would be, and what it offers."""

    offer: Offer
    decision: Decision


def mix_of(
    view: View,
    *,
    directly: Time,
    batches: Time,
    urgent: int = 0,
    urgent_usd: float | None = 0.0,
) -> Mix:
    """Both lanes at once.

    Args:
        view: Of a run that begins; what goes by batch is its background.
        directly: How long everything takes directly.
        batches: How long what is for batches takes there.
        urgent: Items that go directly in any case, on top of those of the view.
        urgent_usd: What they cost.
    """
    decision = decide(view)
    left_s = inf if view.deadline_s is None else view.deadline_s - view.now_s
    told = f"{decision.direct + urgent:,} directly, {decision.batch:,} by batch"
    if unpaid := view.fresh - decision.direct - decision.batch:
        told += f", {unpaid:,} not at all: the budget is not enough"
    usd, most_usd = _cost_usd(view, decision, left_s, urgent_usd)
    if decision.batch and most_usd is not None and left_s < inf:
        told += f"; at most {dollars(most_usd)}, if all batches are late"
    offer = Offer(
        name=MIX, cost_usd=usd, time=_time(view, decision, left_s, directly, batches), note=told
    )
    return Mix(offer, decision)


def _cost_usd(
    view: View, decision: Decision, left_s: float, urgent_usd: float | None
) -> tuple[float | None, float | None]:
    """What is to be expected, and the most."""
    if view.direct_usd is None or view.batch_usd is None or urgent_usd is None:
        return None, None
    directly_usd = urgent_usd + decision.direct * view.direct_usd
    size = min(decision.batch, decision.shard_items)
    rescue_s = decision.batch / view.per_s
    # A batch has until what it leaves must begin directly; what is too much for that stays there.
    chance = view.latencies.chance(size, left_s - rescue_s - CANCEL_S) if rescue_s < left_s else 1.0
    item_usd = chance * view.batch_usd + (1 - chance) * view.direct_usd
    usd = directly_usd + decision.batch * item_usd
    most_usd = directly_usd + decision.batch * view.direct_usd
    if view.left_usd is None:
        return usd, most_usd
    return min(usd, view.left_usd), min(most_usd, view.left_usd)  # it is never exceeded


def _time(view: View, decision: Decision, left_s: float, directly: Time, batches: Time) -> Time:
    if left_s == inf:
        return batches
    words = "assumed: batches that are late are taken back, and sent directly"
    if directly.most_s <= left_s:
        most_s = min(left_s, batches.most_s)
        return Time(least_s=min(batches.least_s, most_s), most_s=most_s, by=ASSUMED, words=words)
    chance = view.latencies.chance(min(decision.batch, decision.shard_items), left_s)
    words = f"assumed: a batch is done by then with a chance of {chance:.0%}"
    least_s = min(left_s, batches.least_s) if chance >= _HARDLY else batches.least_s
    return Time(least_s=least_s, most_s=max(left_s, batches.most_s), by=ASSUMED, words=words)
