"""Which lane a run takes, and why. Pure.

Directly: tens to hundreds of items, or an answer is needed now. By batch: thousands and more,
nobody waits, half the price. Both: some rows at once, the rest in the background.
"""

from dataclasses import dataclass
from enum import StrEnum

from processor.plan.prices import dollars
from processor.plan.prior import batch_hours

BATCH_FROM_ITEMS = 1_000
# What calls must cost at least before fewer items than that wait for a batch at half of it.
WORTH_WAITING_USD = 20.0
_HOUR_S = 3_600.0
_WRONG_BY = 4.0  # of a token's length: a byte at least
_AUTO = "auto"
# Codes of stops after which no call is taken for long; the Batch API has limits of its own.
_OVER = frozenset({"daily_limit", "blocked"})


class Lane(StrEnum):
    """A way to the provider."""

    DIRECT = "direct"
    FLEX = "flex"  # directly, at the service tier that costs half and takes its time
    BATCH = "batch"
    HYBRID = "hybrid"  # both, as a deadline asks for


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What a person asks for.

    Attributes:
        route: `auto`, or the lane.
        urgent: Somebody waits for all of it.
        urgent_field: Somebody waits for the rows in which this column says so.
        direct_first: Somebody wants to see so many rows at once.
        streamed: Somebody takes every outcome as it comes.
        deadline: Somebody waits, but not before a certain time.
    """

    route: str = "auto"
    urgent: bool = False
    urgent_field: str | None = None
    direct_first: int = 0
    streamed: bool = False
    deadline: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What is to be sent, as far as that is known before.

    Attributes:
        items: Without an outcome.
        background: Those among them for which nobody waits.
        input_tokens: Of the latter, about.
        output_tokens: Of their answers, about.
        direct_usd: What they cost directly; None when a price is unknown.
        flex_usd: At the flex tier.
        batch_usd: By batch.
        least_usd: What they cost directly without the part that is only assumed.
        most_usd: What a budget holds for them directly, before their price is known.
    """

    items: int
    background: int
    input_tokens: int = 0
    output_tokens: int = 0
    direct_usd: float | None = None
    flex_usd: float | None = None
    batch_usd: float | None = None
    least_usd: float | None = None
    most_usd: float | None = None

    @property
    def held_usd(self) -> float | None:
        """What a budget holds for them by batch until they are done; None when not known."""
        if not self.direct_usd or self.batch_usd is None or self.most_usd is None:
            return None
        return self.most_usd * self.batch_usd / self.direct_usd


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What holds the lanes back.

    Attributes:
        has_batches: Whether the provider has a Batch API, as far as is known.
        has_flex: Whether it is known to have the flex tier, as not every deployment on Azure has.
        rpm: Requests a minute that may be sent directly; None when not known.
        tpm: Tokens a minute.
        left_usd: Of the budget; None without one.
    """

    has_batches: bool = True
    has_flex: bool = True
    rpm: int | None = None
    tpm: int | None = None
    left_usd: float | None = None

    def direct_s(self, demand: Demand) -> float | None:
        """How long its background takes directly, at least; None when no limit is known."""
        minutes = [
            need / limit
            for need, limit in ((demand.background, self.rpm), (demand.input_tokens, self.tpm))
            if limit is not None
        ]
        return max(minutes) * 60 if minutes else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """The lanes of a run.

    Attributes:
        lane: Of the items for which nobody waits.
        split: Whether those for which somebody waits go directly meanwhile.
        reason: Why, in words.
    """

    lane: Lane
    split: bool = False
    reason: str


def choose(wishes: Wishes, demand: Demand, bounds: Bounds, before: Lane | None = None) -> Route:
    """The lanes that a run takes.

    Args:
        wishes: Of a person; they go before everything.
        demand: What is to be sent.
        bounds: What holds the lanes back.
        before: What an earlier start chose for the same work, which is not done yet.
    """
    if wishes.urgent:
        return Route(lane=Lane.DIRECT, reason="somebody waits for it (--urgent)")
    if wishes.route == Lane.HYBRID or (wishes.route == _AUTO and wishes.deadline):
        return _mixed(demand, bounds)
    if wishes.route != _AUTO:
        return _as_asked(Lane(wishes.route), demand, bounds)
    if wishes.streamed:
        return Route(lane=Lane.DIRECT, reason="somebody takes every outcome as it comes")
    if before is not None:
        why = "as its last start chose, whose work is not done"
        return _in_lane(before, demand, why)
    return _chosen(demand, bounds)


def moved(wishes: Wishes, lane: Lane, code: str, message: str) -> Route | None:
    """Where the rest goes when no call is taken for long; None when it stays for another start.

    Args:
        wishes: Of a person.
        lane: Of the start until then.
        code: Why calls are over.
        message: The same, in the provider's words.
    """
    is_free = wishes.route in (_AUTO, Lane.HYBRID)
    if code not in _OVER or not is_free or wishes.urgent or wishes.streamed:
        return None
    said = f"{code}: {message.rstrip('.')}"
    reason = f"calls are over for now ({said}): the rest goes by batch"
    return Route(lane=Lane.HYBRID if lane is Lane.HYBRID else Lane.BATCH, reason=reason)


def _mixed(demand: Demand, bounds: Bounds) -> Route:
    split = demand.background < demand.items
    if not bounds.has_batches:
        return Route(lane=Lane.HYBRID, split=split, reason="this provider has no Batch API")
    why = "everything is tried by batch as long as the direct lane can still do it in time"
    return Route(lane=Lane.HYBRID, split=split, reason=why)


def is_tight(demand: Demand, bounds: Bounds) -> bool:
    """Whether the budget may not do for all: batches would hold what those need who wait.

    A batch holds a bound of what it may cost until it is done, a day perhaps.
    """
    if bounds.left_usd is None:
        return False
    if demand.most_usd is None or not demand.background:
        return True
    return bounds.left_usd < demand.most_usd / demand.background * demand.items


def hangs_on_tokens(demand: Demand, bounds: Bounds) -> bool:
    """Whether a choice may be another, or tell of another cost, if tokens are counted.

    Args:
        demand: Told from lengths, which may be wrong by a factor.
        bounds: What holds the lanes back.
    """
    is_held = bounds.tpm is not None or bounds.left_usd is not None
    is_dear = (demand.least_usd or 0.0) * _WRONG_BY >= WORTH_WAITING_USD
    return demand.background >= BATCH_FROM_ITEMS or is_held or is_dear


def _as_asked(lane: Lane, demand: Demand, bounds: Bounds) -> Route:
    known = _of_flex(demand, bounds) if lane is Lane.FLEX else ""
    return _in_lane(lane, demand, f"as asked for (--route {lane}){known}")


def _of_flex(demand: Demand, bounds: Bounds) -> str:
    """What a person should know of that tier."""
    if not bounds.has_flex:
        return "; whether this provider has that tier, its answers will tell"
    if demand.direct_usd is None:
        return ""
    if demand.flex_usd is None:
        return "; that it costs less there is not known of this model"
    flex, direct = dollars(demand.flex_usd), dollars(demand.direct_usd)
    return f", about {flex}, {direct} at the standard tier"


def _chosen(demand: Demand, bounds: Bounds) -> Route:
    """By figures alone."""
    if not demand.background:
        return Route(lane=Lane.DIRECT, reason="somebody waits for every row")
    if not bounds.has_batches:
        return Route(lane=Lane.DIRECT, reason="this provider has no Batch API")
    for reason in (_by_budget(demand, bounds), _by_time(demand, bounds), _by_price(demand)):
        if reason is not None:
            return _split(demand, reason)
    count = f"{demand.background:,} item{'' if demand.background == 1 else 's'}"
    if demand.background < BATCH_FROM_ITEMS:
        return Route(lane=Lane.DIRECT, reason=f"{count}, fewer than {BATCH_FROM_ITEMS:,}")
    return _split(demand, f"{count} for which nobody waits, {_saving(demand)}")


def _by_budget(demand: Demand, bounds: Bounds) -> str | None:
    left_usd, held_usd = bounds.left_usd, demand.held_usd
    if left_usd is None or demand.least_usd is None or held_usd is None:
        return None
    if held_usd <= left_usd < demand.least_usd:  # else no batch would be made
        return f"{_saving(demand)}; {dollars(left_usd)} of the budget is left"
    return None


def _by_time(demand: Demand, bounds: Bounds) -> str | None:
    direct_s, batch = bounds.direct_s(demand), batch_hours(demand.background)
    if direct_s is None or direct_s <= batch.most * _HOUR_S:
        return None
    hours = direct_s / _HOUR_S
    return f"the limits let it take {hours:,.0f} h directly, a batch takes {batch}"


def _by_price(demand: Demand) -> str | None:
    is_dear = demand.least_usd is not None and demand.least_usd >= WORTH_WAITING_USD
    return _saving(demand) if is_dear else None


def _saving(demand: Demand) -> str:
    if demand.direct_usd is None or demand.batch_usd is None:
        return "for half the price"
    return f"about {dollars(demand.batch_usd)} by batch, {dollars(demand.direct_usd)} directly"


def _in_lane(lane: Lane, demand: Demand, reason: str) -> Route:
    if lane is not Lane.BATCH:
        return Route(lane=lane, reason=reason)
    return _split(demand, reason)


def _split(demand: Demand, reason: str) -> Route:
    """By batch, but for the rows for which somebody waits."""
    now = demand.items - demand.background
    if not now:
        return Route(lane=Lane.BATCH, reason=reason)
    reason += f"; {now:,} for which somebody waits directly"
    return Route(lane=Lane.BATCH, split=True, reason=reason)
