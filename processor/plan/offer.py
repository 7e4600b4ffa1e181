"""What a way of sending takes and costs, and how sure that is. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import ceil

from processor.plan.latency import Latencies
from processor.plan.prior import batch_hours
from processor.plan.route import Bounds, Demand, Lane, Route

MIX = "mix"  # the name of an offer beside those of lanes
ASSUMED, MEASURED, LIMITS = "assumed", "measured", "limits"
# As users report of their calls: so many at once, so long each.
CALLS_AT_ONCE = 20
_CALL_S = (2.0, 5.0)
# Nobody tells how much slower flex is; this is only to have a figure.
FLEX_FACTOR = 3
SHARD_ITEMS = 50_000
_HOUR_S, _DAY_S = 3_600.0, 86_400.0
_USUAL = (0.1, 0.9)  # shares of batches between whose times most end
_NO_BATCHES = Latencies()


class Verdict(StrEnum):
    """Whether a way makes a deadline."""

    YES = "yes"
    PERHAPS = "perhaps"
    NO = "no"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast calls were.

    Attributes:
        per_s: Items a second of active time.
        items: That it was seen with.
    """

    per_s: float
    items: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Time:
    """How long something takes.

    Attributes:
        least_s: At best.
        most_s: At worst, of what is usual.
        by: `assumed`, `measured`, or `limits` that were told.
        words: The same for people.
    """

    least_s: float
    most_s: float
    by: str
    words: str

    def verdict(self, left_s: float) -> Verdict:
        """Whether it is done in so much time."""
        if self.most_s <= left_s:
            return Verdict.YES
        return Verdict.PERHAPS if self.least_s <= left_s else Verdict.NO


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A way of sending.

    Attributes:
        name: `direct`, `flex`, `batch`, or `mix` of direct and batch.
        cost_usd: None when it is not known.
        time: None when it cannot be gone at all.
        note: Why not; or what goes which way.
    """

    name: str
    cost_usd: float | None = None
    time: Time | None = None
    note: str = ""

    def verdict(self, left_s: float | None) -> Verdict | None:
        """Whether it makes a deadline; None without one, or where it cannot be gone."""
        return None if left_s is None or self.time is None else self.time.verdict(left_s)


def direct_time(
    demand: Demand, bounds: Bounds, *, pace: Pace | None, concurrency: int | None
) -> Time:
    """How long the background of a demand takes directly.

    Args:
        demand: Of which the background is meant.
        bounds: Limits that were told.
        pace: Of earlier runs under the same limits; None without any.
        concurrency: Calls at once at most; None for as many as the limits let through.
    """
    limit_s = bounds.direct_s(demand)
    if pace is not None:
        seen_s = demand.background / pace.per_s
        if limit_s is None or limit_s <= seen_s:
            return _exactly(seen_s, MEASURED, f"measured over {pace.items:,} items")
    if limit_s is not None and (concurrency is None or pace is not None):
        return _exactly(max(limit_s, _CALL_S[0]), LIMITS, "by --rpm and --tpm")
    at_once = concurrency or CALLS_AT_ONCE
    turns = ceil(demand.background / at_once)
    least_s, most_s = (max(turns * call_s, limit_s or 0.0) for call_s in _CALL_S)
    words = f"assumed: {at_once} calls at once, {_CALL_S[0]:.0f}–{_CALL_S[1]:.0f} s each"
    return Time(least_s=least_s, most_s=most_s, by=ASSUMED, words=words)


def flex_time(direct: Time) -> Time:
    """How long it takes at the flex tier."""
    return Time(
        least_s=direct.least_s,
        most_s=direct.most_s * FLEX_FACTOR,
        by=ASSUMED,
        words=f"assumed: up to {FLEX_FACTOR} times as long as directly",
    )


def batch_time(
    items: int, shard_items: int | None = None, latencies: Latencies = _NO_BATCHES
) -> Time:
    """How long batches take, all of them at once.

    Args:
        items: In all.
        shard_items: In a batch at most; None for as many as fit.
        latencies: What is known of such batches.
    """
    requests, seen = min(items, shard_items or SHARD_ITEMS), len(latencies.seen)
    if seen:
        least_s, most_s = (latencies.quantile_s(requests, share) for share in _USUAL)
        words = f"measured over {seen} batch{'' if seen == 1 else 'es'}"
        return Time(least_s=least_s, most_s=min(most_s, _DAY_S), by=MEASURED, words=words)
    hours = batch_hours(requests)
    return Time(
        least_s=hours.least * _HOUR_S,
        most_s=hours.most * _HOUR_S,
        by=ASSUMED,
        words="assumed: hours that users report",
    )


def offer_of(route: Route) -> str:
    """The name of the offer that a route takes."""
    return MIX if route.split or route.lane is Lane.HYBRID else str(route.lane)


def soonest(offers: Sequence[Offer]) -> Offer | None:
    """The way that is done first, at worst; None where none can be gone."""
    return min((offer for offer in offers if offer.time is not None), key=_most_s, default=None)


def _most_s(offer: Offer) -> float:
    assert offer.time is not None
    return offer.time.most_s


def _exactly(seconds: float, by: str, words: str) -> Time:
    return Time(least_s=seconds, most_s=seconds, by=by, words=words)
