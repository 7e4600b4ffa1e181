"""Whether a deadline is beyond all lanes, for limits that were told. Pure.

Only what is certain counts: how fast calls are is known when some were made, and what a batch may
do is not known at all, but for those that hardly ever end so soon.
"""

from dataclasses import dataclass
from math import floor

from processor.plan.deadline import deadline_for, span_of
from processor.plan.decide import View, decide
from processor.plan.latency import Latencies
from processor.plan.route import Bounds, Demand

_HARDLY = 0.02  # a chance that is none


@dataclass(frozen=True, slots=True, kw_only=True)
class Beyond:
    """A deadline that no lane can make.

    Attributes:
        items: To be sent.
        direct_s: That they take directly at least.
        left_s: Until the deadline.
        has_batches: Whether there are batches, which end too late.
    """

    items: int
    direct_s: float
    left_s: float
    has_batches: bool

    @property
    def reason(self) -> str:
        """Why it cannot be made."""
        takes = f"{self.items:,} items take at least {span_of(floor(self.direct_s / 60))} directly"
        late = ", and batches hardly ever end so soon" if self.has_batches else ""
        return f"{takes}, for the limits that --rpm and --tpm tell{late}"

    @property
    def way_out(self) -> str:
        """What is possible."""
        ways = [f"--deadline {deadline_for(self.direct_s)}"]
        if possible := floor(self.items * self.left_s / self.direct_s):
            ways.append(f"--limit {possible}")
        return f"Possible: {', '.join([*ways, 'or none'])}."


def beyond(
    demand: Demand, bounds: Bounds, latencies: Latencies | None, left_s: float
) -> Beyond | None:
    """What is wrong with a deadline; None for one that can be made, or that nobody can tell of.

    Args:
        demand: What is to be sent.
        bounds: Limits that were told.
        latencies: How long batches take; None where there are none.
        left_s: Until the deadline.
    """
    background_s = bounds.direct_s(demand)
    if not background_s or left_s <= 0:
        return None
    direct_s = background_s * demand.items / demand.background
    if direct_s <= left_s:
        return None
    if latencies is not None:
        per_s = demand.items / direct_s
        view = View(now_s=0.0, deadline_s=left_s, fresh=demand.items, per_s=per_s)
        rest = demand.items - floor(per_s * left_s)
        size = min(rest, decide(view).shard_items)
        if latencies.chance(size, left_s) >= _HARDLY:
            return None
    return Beyond(
        items=demand.items,
        direct_s=direct_s,
        left_s=left_s,
        has_batches=latencies is not None,
    )
