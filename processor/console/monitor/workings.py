"""How one run works: its calls, what holds them back, what it costs and takes, a line each."""

from rich.text import Text

from processor.console.monitor.lines import Part, row
from processor.console.words import duration, money, rate, share
from processor.watch.look import Look, State
from processor.watch.snapshot import Snapshot

_BAD, _MIND, _FAINT = "red", "yellow", "dim"
_BUDGET_NEARLY_USED = 0.8
_COUNT_STEPS = ((1e9, "G"), (1e6, "M"), (1e3, "k"))
_SILENT_S, _SILENT_STEPS = 15.0, 3


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


def flight(look: Look, width: int, now_s: float) -> list[Text]:
    """What is in flight and what holds it back; nothing of a run that does not send."""
    now = look.shot.now
    if now is None or not look.is_running or look.state is State.FINISHING:
        return []
    window = "" if now.window is None else f" of {now.window:,}"
    parts = [
        Part(_silence(look, now_s - now.at), _BAD, 0),
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
    sent, received = f"{short(shot.bytes_sent)}B sent", f"{short(shot.bytes_received)}B received"
    parts = [Part(f"{shot.peak_rss_mb:,.0f} MB at most", rank=3)]
    if now is not None:
        parts = [Part(f"CPU {now.cpu:.0%}", rank=0), Part(f"{now.rss_mb:,.0f} MB"), *parts]
        sent += f" ({short(now.sent_per_s)}B/s)"
        received += f" ({short(now.received_per_s)}B/s)"
    parts += [Part(sent, rank=2), Part(received, rank=2)]
    return [row("machine", [*parts, Part(f"CPU {duration(shot.cpu_s)} in all", rank=4)], width)]


def stages(shot: Snapshot, width: int) -> list[Text]:
    """How long each that is over took; nothing before the first."""
    parts = [Part(f"{name} {duration(seconds)}", rank=0) for name, seconds in shot.stages_s.items()]
    return [row("stages", parts, width)] if parts else []


def short(count: float) -> str:
    """`950`, `1.2k`, `3.4M`."""
    for step, unit in _COUNT_STEPS:
        if count >= step:
            return f"{count / step:.1f}{unit}"
    return f"{count:.0f}"


def _some(count: int, name: str) -> str:
    return f"{count:,} {name}"


def _mind(is_worth_it: float) -> str:
    return _MIND if is_worth_it else ""


def _per_minute(limit: float | None, name: str) -> str:
    return "" if limit is None else f"{limit:,.0f} {name}/min"


def _silence(look: Look, silent_s: float) -> str:
    """Of a process that lives and says nothing; it does so once a sample, at least."""
    step_s = look.points[-1].span_s if look.points else 0.0
    is_silent = silent_s > max(_SILENT_S, _SILENT_STEPS * step_s)
    return f"not heard of for {duration(silent_s)}" if is_silent else ""
