"""Which items go which way now, so that the deadline is made for the least money. Pure.

A batch that is cancelled is charged for what it has answered, and for nothing else. So a batch is a
free try as long as all that it may leave can still go directly before the deadline: everything
starts in batches, and is taken back at the last moment at which the direct lane can make it. It is
taken back shard by shard: while the direct lane does one, the others have more time.

The planner, the simulator and a live run call `decide` with what is known at the time.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil, floor, inf

from processor.plan.latency import Latencies

CANCEL_S = 600.0  # the most that a cancellation takes
_LOOK_S = 60.0  # between two looks at a batch
RESCUE_S = CANCEL_S + 2 * _LOOK_S  # until the items of a batch that is taken back can be sent
_MARGIN_S = 60.0
_MARGIN_SHARE = 0.05  # of the time that is left
_TRY_FROM = 0.02  # chance of a batch below which it is not tried
_LIKELY = 0.5  # chance of a batch that is left alone while no calls are made
_UNANSWERED = 0.1  # of a batch, or some more
_TRY_S = 300.0  # that a batch has before it must come back are enough to try it
_SAMPLE, _SAMPLE_SHARE = 50, 0.05  # items that tell how fast the direct lane is
_ANY = 10**12
_SHARD_LEAST, _SHARD_MOST = 500, 50_000
_PASSED = "the deadline has passed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """A shard at the provider.

    Attributes:
        items: Of it, without an outcome.
        answered: Of these, those that the provider says it has done.
        age_s: Since its creation.
        cancelling: Whether it was told to stop.
        back_s: Since then, as far as is known.
    """

    number: int
    items: int
    answered: int = 0
    age_s: float = 0.0
    cancelling: bool = False
    back_s: float = 0.0

    @property
    def left(self) -> int:
        """Items that are to be done yet."""
        return self.items - self.answered

    @property
    def is_coming(self) -> bool:
        """Whether it comes back soon; one that takes longer than any should may never do."""
        return self.cancelling and self.back_s <= RESCUE_S


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What is known at a moment.

    Attributes:
        now_s: Seconds since 1970.
        deadline_s: The same; None without one.
        fresh: Items that were sent nowhere yet.
        returned: Items that a batch has left unanswered.
        queued: Items in the direct lane.
        per_s: Items a second that the direct lane does; cautious.
        is_measured: Whether that was seen, rather than assumed.
        direct_usd: What an item costs directly; None when unknown.
        batch_usd: By batch.
        left_usd: Of the budget, with nothing of it that is spent or reserved; None without one.
        open: Shards at the provider.
        has_batches: Whether the provider takes batches.
        has_direct: Whether it takes calls: those of a day may be used up.
        is_still: Whether no call is made for now: none gets through, or somebody wants none.
    """

    now_s: float
    deadline_s: float | None
    fresh: int
    returned: int = 0
    queued: int = 0
    per_s: float
    is_measured: bool = True
    direct_usd: float | None = None
    batch_usd: float | None = None
    left_usd: float | None = None
    open: tuple[Open, ...] = ()
    has_batches: bool = True
    has_direct: bool = True
    is_still: bool = False
    latencies: Latencies = field(default_factory=Latencies, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What is to be done now.

    Attributes:
        direct: Items to send directly: returned ones first.
        batch: Items to put into batches: fresh ones first.
        shard_items: Requests a batch.
        cancel: Numbers of shards to take back.
        look_again_s: When the next decision is due at the latest, in seconds from now.
        reason: Why, in words.
    """

    direct: int = 0
    batch: int = 0
    shard_items: int = _SHARD_MOST
    cancel: tuple[int, ...] = ()
    look_again_s: float = _LOOK_S
    reason: str


def decide(view: View) -> Decision:
    """What is to be done now."""
    if not view.has_direct:
        return _without_direct(view)
    if view.deadline_s is None:
        return _without_deadline(view)
    time = _Time.of(view, view.deadline_s)
    if time.usable_s <= 0:
        return Decision(reason=_PASSED)
    tries = _tries(view, time)
    direct, batch = _affordable(view, _at_once(view, time, tries=tries), tries=tries)
    cancel = _taken_back(view, time, queued=view.queued + direct)
    idle_s = time.slack_s - time.rescue_s
    return Decision(
        direct=direct,
        batch=batch,
        shard_items=_shard_items(view),
        cancel=cancel,
        look_again_s=min(_LOOK_S, max(1.0, idle_s)) if idle_s > 0 else _LOOK_S,
        reason=_reason(view, direct, batch, cancel, time.slack_s),
    )


@dataclass(frozen=True, slots=True)
class _Time:
    """How the time stands.

    Attributes:
        usable_s: Until the deadline, but for a margin.
        slack_s: That would be over if everything went directly from now on.
        rescue_s: Until the items of a batch that is taken back can be sent.
        capacity: Items that the direct lane can do.
    """

    usable_s: float
    slack_s: float
    rescue_s: float
    capacity: float

    @classmethod
    def of(cls, view: View, deadline_s: float) -> "_Time":
        left_s = deadline_s - view.now_s
        margin_s = min(max(_MARGIN_S, _MARGIN_SHARE * left_s), left_s / 4)
        usable_s = left_s - margin_s
        held = sum(shard.left for shard in view.open)
        needed_s = (view.fresh + view.returned + view.queued + held) / view.per_s
        return cls(usable_s, usable_s - needed_s, RESCUE_S, view.per_s * usable_s)


def _without_direct(view: View) -> Decision:
    """By batch, also what came back: there is no other way, and there may be enough time."""
    if view.deadline_s is not None and view.deadline_s <= view.now_s:
        return Decision(reason=_PASSED)
    _, batch = _affordable(view, 0, tries=view.has_batches)
    return Decision(
        batch=batch,
        shard_items=_shard_items(view),
        reason=f"{f'{batch:,} by batch' if batch else 'wait'}: no calls are taken",
    )


def _without_deadline(view: View) -> Decision:
    """By batch, where there are any; what a batch has left goes directly."""
    if not view.has_batches:
        direct, _ = _affordable(view, view.fresh + view.returned, tries=False)
        return Decision(direct=direct, reason="there are no batches")
    direct, batch = _affordable(view, view.returned, tries=True)
    return Decision(direct=direct, batch=batch, reason="nobody waits")


def _tries(view: View, time: _Time) -> bool:
    """Whether batches are worth a try: they are free as long as there is time to take them back."""
    if not view.has_batches:
        return False
    size = min(max(1, view.fresh), _shard_items(view))
    if view.latencies.chance(size, time.usable_s) >= _TRY_FROM:
        return True
    # What the direct lane cannot do in any case has nothing to lose.
    is_free = time.slack_s >= time.rescue_s + _TRY_S or time.slack_s < 0
    return is_free and time.usable_s >= time.rescue_s + _TRY_S


def _at_once(view: View, time: _Time, *, tries: bool) -> int:
    """How many should go directly now; the rest goes by batch."""
    if not tries:
        return view.fresh + view.returned
    # The direct lane must have work until what is taken back can follow.
    busy = ceil(view.per_s * max(0.0, time.rescue_s - time.slack_s)) - view.queued
    room = max(0, floor(time.capacity) - view.queued)
    sample = 0
    if not (view.is_measured or view.queued):
        sample = min(_SAMPLE, ceil(_SAMPLE_SHARE * view.fresh), _spare(view))
    return view.returned + min(view.fresh, max(0, busy - view.returned, sample), room)


def _affordable(view: View, direct: int, *, tries: bool) -> tuple[int, int]:
    """How many directly and how many by batch, so that the budget is enough for most."""
    waiting = view.fresh + view.returned
    batch = waiting - direct if tries else 0
    if view.left_usd is None or view.direct_usd is None or view.batch_usd is None:
        return direct, batch
    left_usd = max(0.0, view.left_usd)
    if direct * view.direct_usd + batch * view.batch_usd <= left_usd:
        return direct, batch
    if not tries:
        return min(direct, _of(left_usd, view.direct_usd)), 0
    dearer_usd = view.direct_usd - view.batch_usd
    direct = min(direct, _of(max(0.0, left_usd - waiting * view.batch_usd), dearer_usd))
    rest_usd = left_usd - direct * view.direct_usd
    return direct, min(waiting - direct, _of(rest_usd, view.batch_usd))


def _spare(view: View) -> int:
    """Items that may go directly for their own sake, and leave room for what batches leave."""
    if view.left_usd is None or view.direct_usd is None or view.batch_usd is None:
        return _ANY
    spare_usd = view.left_usd - (1 + _UNANSWERED) * (view.fresh + view.returned) * view.batch_usd
    return _of(max(0.0, spare_usd), view.direct_usd - view.batch_usd)


def _of(usd: float, item_usd: float) -> int:
    """How many items that pays for."""
    return floor(usd / item_usd + 1e-9) if item_usd > 0 else _ANY


def _taken_back(view: View, time: _Time, *, queued: int) -> tuple[int, ...]:
    """Shards that must come back now: those first that end in time least probably."""
    coming = sum(shard.left for shard in view.open if shard.is_coming)
    busy_s = (queued + coming) / view.per_s
    if time.slack_s > time.rescue_s or busy_s > time.rescue_s:
        return ()
    assert view.deadline_s is not None
    left_s = view.deadline_s - view.now_s
    there = [
        (_expected(shard, view.latencies, left_s), -shard.number, shard)
        for shard in view.open
        if not shard.cancelling
    ]
    wanted = min(
        view.per_s * time.rescue_s - queued - coming,
        time.capacity - queued - coming,
        _rescuable(view) - coming,
    )
    taken: list[int] = []
    for chance, _, shard in sorted(there, key=lambda each: each[:2]):
        # Who makes no calls for now should not give up what may well be done without any.
        if wanted < 1 or (view.is_still and chance >= _LIKELY):
            break
        taken.append(shard.number)
        wanted -= shard.left
    return tuple(taken)


def _rescuable(view: View) -> float:
    """Items for which the budget has what they cost more directly than in their batch."""
    if view.left_usd is None or view.direct_usd is None or view.batch_usd is None:
        return inf
    return _of(max(0.0, view.left_usd), view.direct_usd - view.batch_usd)


def _expected(shard: Open, latencies: Latencies, left_s: float) -> float:
    """How probable it is that a shard ends in time; by its own pace once it has one."""
    if shard.answered and shard.age_s:
        total_s = shard.age_s * shard.items / shard.answered
        remaining_s = total_s - shard.age_s
        return 1.0 if remaining_s <= left_s else left_s / remaining_s
    return latencies.chance(shard.items, left_s, age_s=shard.age_s)


def _shard_items(view: View) -> int:
    """As many as the direct lane does while one is taken back; more need not come at once."""
    if view.deadline_s is None:
        return _SHARD_MOST
    return min(_SHARD_MOST, max(_SHARD_LEAST, ceil(view.per_s * CANCEL_S)))


def _reason(view: View, direct: int, batch: int, cancel: Sequence[int], slack_s: float) -> str:
    parts = []
    if batch:
        parts.append(f"{batch:,} by batch")
    if direct:
        parts.append(f"{direct:,} directly")
    if cancel:
        parts.append(f"{len(cancel)} taken back")
    done = ", ".join(parts) or "wait"
    spare = "never" if slack_s == inf else f"{slack_s / 60:,.0f} min"
    return f"{done}: {spare} to spare if all went directly at {view.per_s:,.1f}/s"
