"""How far one run is and how well it goes, a line or a few each."""

from collections.abc import Iterator

from rich.text import Text

from processor.console import course_lines
from processor.console.display import part_done
from processor.console.monitor import marks
from processor.console.monitor.lines import LABEL_CELLS, Part, fitted, folded, packed, row, spread
from processor.console.monitor.marks import Stretch
from processor.console.words import clock, duration, milliseconds, money, rate, share
from processor.watch.course import Timing
from processor.watch.look import Look, State
from processor.watch.snapshot import Snapshot
from processor.watch.targets import Target, targets as targets_of

_GOOD, _BAD, _MIND, _FAINT = "green", "red", "yellow", "dim"
_STATE_STYLES = {
    State.READING: "cyan",
    State.SENDING: _GOOD,
    State.PAUSED: _MIND,
    State.DRAINING: _MIND,
    State.FINISHING: _GOOD,
    State.DONE: _GOOD,
}
_LANE_STYLES = {"direct": "cyan", "batch": "blue"}
_LANE_BAR_CELLS, _LANE_BAR_FROM_CELLS = 20, 72
_CLOCK_FROM_S = 60.0


def header(look: Look, width: int, now_s: float) -> list[Text]:
    """What it is, how it stands, since when."""
    shot = look.shot
    state = Part(look.state, f"bold {_STATE_STYLES.get(look.state, _BAD)}")
    return [
        spread(
            [Part(shot.task, "bold"), Part(shot.model, rank=2), Part(shot.provider, _FAINT, 3)],
            state,
            width,
        ),
        spread([Part(str(shot.folder), _FAINT)], Part(_since(look, now_s), _FAINT), width),
    ]


def progress(look: Look, width: int, now_s: float) -> list[Text]:
    """A bar over the whole width, in the lanes' colours, and the time left."""
    shot = look.shot
    told = fitted(
        [
            Part(f"{shot.finished:,}/{shot.total:,}", "bold"),
            Part(share(part_done(shot))),
            Part(_left(look, now_s), rank=2),
        ],
        width,
    )
    room = width - told.cell_len - 1
    if room < LABEL_CELLS:
        return [told]
    line = marks.bar(_stretches(shot), room)
    return [line.append(" ").append_text(told)]


def lanes(look: Look, width: int) -> list[Text]:
    """What each lane did of the whole."""
    return list(_lanes(look.shot, width))


def chunks(look: Look, width: int) -> list[Text]:
    """How many are whole, and how far those are that were begun."""
    shot = look.shot
    parts = [Part(f"{shot.chunks_complete:,} of {shot.chunks:,} complete", rank=0)]
    parts += [
        Part(f"{one.number:03d} {one.succeeded + one.failed}/{one.items}", rank=place + 1)
        for place, one in enumerate(look.open_chunks)
    ]
    return [row("chunks", parts, width)]


def speed(look: Look, width: int) -> list[Text]:
    """Now, on the whole, and how it went."""
    now = Part(f"{rate(look.speed.per_s)} now" if look.is_running else "", "bold", 0)
    mean_per_s = look.shot.throughput_per_s
    whole = Part("" if mean_per_s is None else f"{rate(mean_per_s)} on the whole")
    line = row("rate", [now, whole], width)
    room = width - line.cell_len - 2
    if room >= LABEL_CELLS and look.points:
        seen = [(point.at, point.per_s) for point in look.points]
        line.append("  ").append(marks.sparkline(marks.resampled(seen, room)), "cyan")
    return [line]


def targets(look: Look, width: int) -> list[Text]:
    """The users' three."""
    parts = [
        Part(
            f"{target.name}: {_value(target)} {'✓' if target.met else '✗ missed'}",
            _GOOD if target.met else _BAD,
            0,
        )
        for target in targets_of(look.shot)
    ]
    return packed("targets", parts, width)


def latency(look: Look, width: int) -> list[Text]:
    """Of answers that came directly; nothing where none did."""
    seen = look.shot.latency_ms
    if seen.p50 is None:
        return []
    names = (("p50", 0), ("p95", 1), ("p99", 2), ("mean", 4), ("max", 3))
    parts = [Part(f"{name} {milliseconds(getattr(seen, name))}", rank=rank) for name, rank in names]
    return [row("latency", parts, width)]


def deadline(shot: Snapshot, timing: Timing | None, width: int, now_s: float) -> list[Text]:
    """Whether it will be made; nothing without one."""
    if timing is None:
        return []
    return folded("due", course_lines.deadline(timing, shot, now_s), width)


def _since(look: Look, now_s: float) -> str:
    shot = look.shot
    if shot.session is None:
        return ""
    if look.is_running:
        began_s = shot.session.started_at
        return f"since {clock(began_s)}, {duration(max(0.0, now_s - began_s))}"
    if shot.finished_at is not None:
        return f"ended {clock(shot.finished_at)}"
    return f"began {clock(shot.session.started_at)}"


def _left(look: Look, now_s: float) -> str:
    if not look.shot.pending or not look.is_running or look.state is State.PAUSED:
        return ""
    if look.speed.eta_s is None:
        return "left –"
    left = f"left {duration(look.speed.eta_s)}"
    return (
        f"{left}, {clock(now_s + look.speed.eta_s)}" if look.speed.eta_s > _CLOCK_FROM_S else left
    )


def _stretches(shot: Snapshot) -> Iterator[Stretch]:
    """What each lane has done, what failed, and what is at the provider."""
    total = max(1, shot.total)
    for name, lane in shot.lanes.items():
        yield Stretch(lane.succeeded / total, _lane_style(name))
    yield Stretch(shot.failed / total, _BAD)
    yield Stretch(shot.jobs.at_provider / total, _LANE_STYLES["batch"], marks.PARTLY)


def _lanes(shot: Snapshot, width: int) -> Iterator[Text]:
    for name, lane in shot.lanes.items():
        done = lane.succeeded + lane.failed
        away = shot.jobs.at_provider + shot.jobs.waiting if name == "batch" else 0
        if not done and not away:
            continue
        parts = [
            Part(f"{done:,} done", rank=0),
            Part(f"{lane.failed:,} failed" if lane.failed else "", _BAD, 1),
            *(_away(shot) if name == "batch" else ()),
            Part(money(lane.cost_usd), _FAINT, 3),
        ]
        line = row(name, parts, width)
        room = width - line.cell_len - 2
        if room >= _LANE_BAR_CELLS and width >= _LANE_BAR_FROM_CELLS:
            total, style = max(1, shot.total), _lane_style(name)
            whole = [Stretch(done / total, style), Stretch(away / total, style, marks.PARTLY)]
            pad = " " * (width - line.cell_len - _LANE_BAR_CELLS)
            line.append(pad).append_text(marks.bar(whole, _LANE_BAR_CELLS))
        yield line


def _lane_style(name: str) -> str:
    return _LANE_STYLES.get(name, "magenta")


def _away(shot: Snapshot) -> Iterator[Part]:
    """What is not here yet of the batch lane."""
    jobs = shot.jobs
    yield Part(f"{jobs.at_provider:,} at the provider" if jobs.at_provider else "", rank=1)
    yield Part(f"{jobs.answered:,} answered there" if jobs.answered else "", rank=2)
    yield Part(f"{jobs.waiting:,} to be sent" if jobs.waiting else "", rank=2)


def _value(target: Target) -> str:
    return share(target.value) if target.unit == "share" else milliseconds(target.value)
