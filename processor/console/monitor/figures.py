"""The figures of one run, a line or a few each."""

import time
from collections.abc import Iterator

from rich.text import Text

from processor.console import course_lines
from processor.console.monitor import marks
from processor.console.monitor.lines import LABEL_CELLS, Part, fitted, packed, row, spread
from processor.console.monitor.marks import Stretch
from processor.console.words import duration, milliseconds, money, rate, share
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
_LANE_BAR_CELLS = 20
_CLOCK_FROM_S = 60.0
_BUDGET_NEARLY_USED = 0.8
_COUNT_STEPS = ((1e9, "G"), (1e6, "M"), (1e3, "k"))


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


def progress(look: Look, width: int) -> list[Text]:
    """A bar over the whole width, in the lanes' colours, and the time left."""
    shot = look.shot
    told = fitted(
        [
            Part(f"{shot.finished:,}/{shot.total:,}", "bold"),
            Part(share(shot.finished / shot.total if shot.total else None)),
            Part(_left(look), rank=2),
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
    if room >= LABEL_CELLS:
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


def calls(look: Look, width: int) -> list[Text]:
    """Requests, and what of them went wrong."""
    overall = look.shot.overall
    parts = [
        Part(f"{overall.requests_sent:,} sent", rank=2),
        Part(_some(overall.retries, "retries"), _mind(overall.retries), 1),
        Part(f"429: {overall.rate_limited:,}", _mind(overall.rate_limited), 0),
        Part(f"{overall.reasks:,} asked again" if overall.reasks else "", rank=3),
        Part(f"{overall.requests_lost:,} lost by a kill" if overall.requests_lost else "", rank=3),
        Part(f"{overall.no_room:,} without room at flex" if overall.no_room else "", rank=3),
    ]
    return [row("calls", parts, width)]


def flight(look: Look, width: int) -> list[Text]:
    """What is in flight and what holds it back; nothing of a run that does not work."""
    now = look.shot.now
    if now is None or not look.is_running:
        return []
    window = "" if now.window is None else f" of {now.window:,}"
    parts = [
        Part(f"{now.in_flight:,}{window} in flight", rank=0),
        Part(f"{now.waiting:,} waiting" if now.waiting else "", _MIND, 1),
        Part(f"held {duration(now.held_s)}" if now.held_s else "", _MIND, 0),
        Part(f"limit {rate(now.calls_per_s)}" if now.calls_per_s else "", rank=2),
        Part(_per_minute(now.requests_per_min, "requests"), rank=3),
        Part(_per_minute(now.tokens_per_min, "tokens"), rank=3),
        Part(f"--concurrency {now.concurrency}" if now.concurrency else "", _FAINT, 4),
        Part(f"--rpm {now.rpm}" if now.rpm else "", _FAINT, 4),
        Part(f"--tpm {now.tpm}" if now.tpm else "", _FAINT, 4),
    ]
    return [row("flight", parts, width)]


def cost(look: Look, width: int) -> list[Text]:
    """Tokens and money, against budget and plan."""
    shot = look.shot
    overall, budget_usd = shot.overall, shot.session.budget_usd if shot.session else None
    parts = [Part(money(overall.cost_usd), "bold", 0)]
    if budget_usd is not None:
        style = _MIND if shot.spent_usd > _BUDGET_NEARLY_USED * budget_usd else ""
        used = share(shot.spent_usd / budget_usd) if budget_usd else "all"
        parts.append(Part(f"{used} of the budget of {money(budget_usd)}", style, 1))
    planned = look.planned
    if planned.usd is not None:
        parts.append(Part(f"planned {money(planned.usd)}", rank=2))
    elif planned.direct_usd is not None:
        parts.append(Part(f"all directly {money(planned.direct_usd)}", rank=2))
    cached = f", {short(overall.cached_tokens)} cached" if overall.cached_tokens else ""
    parts += [
        Part(
            f"{short(overall.prompt_tokens)}{cached} + {short(overall.completion_tokens)} tokens",
            rank=3,
        ),
    ]
    if shot.provider == "sandbox":
        parts.append(Part("the sandbox charges nothing", _FAINT, 5))
    return [row("cost", parts, width)]


def machine(look: Look, width: int) -> list[Text]:
    """What the run takes of the machine and of the wire."""
    shot = look.shot
    now = look.points[-1] if look.points and look.is_running else None
    memory, is_now = f"{shot.peak_rss_mb:,.0f} MB at most", []
    sent, received = f"{short(shot.bytes_sent)}B sent", f"{short(shot.bytes_received)}B received"
    if now is not None:
        is_now = [Part(f"CPU {now.cpu:.0%}", rank=0)]
        memory = f"{now.rss_mb:,.0f} MB ({memory})"
        sent += f" ({short(now.sent_per_s)}B/s)"
        received += f" ({short(now.received_per_s)}B/s)"
    parts = [*is_now, Part(memory)]
    parts += [Part(sent, rank=2), Part(received, rank=2)]
    return [row("machine", [*parts, Part(f"CPU {duration(shot.cpu_s)} in all", rank=4)], width)]


def deadline(shot: Snapshot, timing: Timing | None, width: int, now_s: float) -> list[Text]:
    """Whether it will be made; nothing without one."""
    if timing is None:
        return []
    return packed("deadline", [Part(course_lines.deadline(timing, shot, now_s))], width)


def short(count: float) -> str:
    """`950`, `1.2k`, `3.4M`."""
    for step, unit in _COUNT_STEPS:
        if count >= step:
            return f"{count / step:.1f}{unit}"
    return f"{count:.0f}"


def _since(look: Look, now_s: float) -> str:
    shot = look.shot
    if shot.session is None:
        return ""
    if look.is_running:
        began_s = shot.session.started_at
        return f"since {_clock(began_s)}, {duration(max(0.0, now_s - began_s))}"
    if shot.finished_at is not None:
        return f"ended {_clock(shot.finished_at)}"
    return f"began {_clock(shot.session.started_at)}"


def _left(look: Look) -> str:
    if not look.shot.pending or not look.is_running or look.state is State.PAUSED:
        return ""
    if look.speed.eta_s is None:
        return "left –"
    left = f"left {duration(look.speed.eta_s)}"
    return (
        f"{left}, {_clock(time.time() + look.speed.eta_s)}"
        if look.speed.eta_s > _CLOCK_FROM_S
        else left
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
            Part(_away(shot) if name == "batch" else "", rank=2),
            Part(money(lane.cost_usd), _FAINT, 3),
        ]
        line = row(name, parts, width)
        room = width - line.cell_len - 2
        if room >= _LANE_BAR_CELLS:
            total, style = max(1, shot.total), _lane_style(name)
            whole = [Stretch(done / total, style), Stretch(away / total, style, marks.PARTLY)]
            pad = " " * (width - line.cell_len - _LANE_BAR_CELLS)
            line.append(pad).append_text(marks.bar(whole, _LANE_BAR_CELLS))
        yield line


def _lane_style(name: str) -> str:
    return _LANE_STYLES.get(name, "magenta")


def _away(shot: Snapshot) -> str:
    """What is not here yet of the batch lane."""
    told = []
    if shot.jobs.at_provider:
        told.append(f"{shot.jobs.at_provider:,} at the provider")
    if shot.jobs.answered:
        told.append(f"{shot.jobs.answered:,} answered there")
    if shot.jobs.waiting:
        told.append(f"{shot.jobs.waiting:,} to be sent")
    return ", ".join(told)


def _value(target: Target) -> str:
    return share(target.value) if target.unit == "share" else milliseconds(target.value)


def _some(count: int, name: str) -> str:
    return f"{count:,} {name}"


def _mind(is_worth_it: float) -> str:
    return _MIND if is_worth_it else ""


def _per_minute(limit: float | None, name: str) -> str:
    return "" if limit is None else f"{limit:,.0f} {name}/min"


def _clock(at_s: float) -> str:
    return time.strftime("%H:%M:%S", time.localtime(at_s))
