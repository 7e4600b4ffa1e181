"""What people see of a deadline and of the decisions that are made under it."""

from datetime import UTC, datetime

from processor.console.words import counted, duration, money, share
from processor.plan.decide import View
from processor.plan.offer import Verdict
from processor.watch.course import Course, Timing, all_directly_usd
from processor.watch.snapshot import LaneTotals, Snapshot

_WORDS = {
    Verdict.YES: "will be made",
    Verdict.PERHAPS: "may be made",
    Verdict.NO: "will hardly be made",
}

_LAST_S = 60.0


def deadline(timing: Timing, shot: Snapshot, now_s: float) -> str:
    """`2026-11-21 20:00, in 41m12s: will be made, done about 19:42`."""
    at = f"{_moment(timing.deadline_s):%Y-%m-%d %H:%M}"
    if timing.made is not None and timing.done_s is not None:
        apart = duration(abs(timing.deadline_s - timing.done_s))
        return f"{at}: made, {apart} before it" if timing.made else f"{at}: missed by {apart}"
    left_s = timing.deadline_s - now_s
    left = counted(shot.pending, "item is", "items are")
    if timing.made is False or left_s <= 0:
        return f"{at}: passed, {left} left"
    when = f"{at}, in {duration(left_s)}"
    if timing.verdict is None:
        return f"{when}: {left} left"
    if timing.done_s is None:
        return f"{when}: {_WORDS[timing.verdict]}"
    if timing.verdict is Verdict.YES and timing.done_s > timing.deadline_s - _LAST_S:
        return f"{when}: {_WORDS[timing.verdict]}: what is late goes directly in time"
    return f"{when}: {_WORDS[timing.verdict]}, done about {_clock(timing.done_s, now_s)}"


def decision(course: Course, now_s: float) -> str:
    """`19:02:11, 8m12s ago: 9,500 by batch, 500 directly: …`."""
    ago = duration(max(0.0, now_s - course.at))
    return f"{_moment(course.at):%H:%M:%S}, {ago} ago: {course.decision.reason}"


def known(view: View) -> str:
    """What was known when a decision was made."""
    pace = "measured" if view.is_measured else "assumed"
    parts = [f"{view.per_s:,.1f}/s directly ({pace}, cautiously)"]
    waiting = view.fresh + view.returned
    if waiting:
        back = f", {view.returned:,} of them back from batches" if view.returned else ""
        parts.append(f"{counted(waiting, 'item')} not sent yet{back}")
    if view.queued:
        parts.append(f"{counted(view.queued, 'item')} in the direct lane")
    if view.open:
        held = sum(shard.items for shard in view.open)
        answered = sum(shard.answered for shard in view.open)
        coming = sum(shard.cancelling for shard in view.open)
        parts.append(
            f"{counted(held, 'item')} in {counted(len(view.open), 'batch', 'batches')}, "
            f"{answered:,} answered there" + (f", {coming:,} coming back" if coming else "")
        )
    if not view.has_batches:
        parts.append("no batches")
    if view.left_usd is not None:
        parts.append(f"{money(view.left_usd)} of the budget left")
    if seen := len(view.latencies.seen):
        parts.append(f"{counted(seen, 'earlier batch', 'earlier batches')} seen")
    return " · ".join(parts)


def lanes(shot: Snapshot) -> str | None:
    """What each lane did and cost, against all directly; None where there was one only."""
    by_batch = shot.lanes["batch"]
    if not by_batch.succeeded + by_batch.failed:
        return None
    names = {"direct": "directly", "batch": "by batch"}
    parts = [
        f"{lane.succeeded + lane.failed:,} {names.get(name, name)} {_cost(lane)}"
        for name, lane in shot.lanes.items()
        if lane.succeeded + lane.failed
    ]
    whole_usd, paid_usd = all_directly_usd(shot), shot.overall.cost_usd
    if whole_usd is not None and paid_usd is not None and whole_usd > paid_usd:
        saved = money(whole_usd - paid_usd)
        part = share((whole_usd - paid_usd) / whole_usd)
        parts.append(f"saved {saved} ({part}) against all directly")
    return " · ".join(parts)


def _cost(lane: LaneTotals) -> str:
    return "at unknown cost" if lane.cost_usd is None else f"for {money(lane.cost_usd)}"


def _clock(at_s: float, now_s: float) -> str:
    """The time of day, with its day where that is another."""
    at, now = _moment(at_s), _moment(now_s)
    return f"{at:%H:%M}" if at.date() == now.date() else f"{at:%Y-%m-%d %H:%M}"


def _moment(at_s: float) -> datetime:
    return datetime.fromtimestamp(at_s, UTC).astimezone()
