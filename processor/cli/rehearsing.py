"""`processor run --dry-run`: what the run would do, told."""

from collections.abc import Iterator

import orjson

from processor.cli import summary
from processor.cli.trial import as_lines
from processor.console import streams
from processor.console.words import counted, money
from processor.notice import Notice
from processor.plan.route import Lane
from processor.rehearsal import Rehearsed
from processor.settings import Settings
from processor.sizing import BY_LENGTH, Basis, Load

_BASES_SHOWN = 3


def tell(notice: Notice) -> None:
    """Say what cannot wait until the end."""
    if notice.serious:
        streams.tell(f"{notice.event}: {notice.facts.get('message', '')}")


def lines(found: Rehearsed, settings: Settings) -> Iterator[str]:
    """What a run would do, a line at a time."""
    yield headline(found, settings, "rehearsed")
    yield from items(found)
    if found.total.items:
        yield from _costs(found, settings)
    for name, delivered in found.outputs.items():
        would = "can be written" if delivered is None else summary.outline(delivered)
        yield row("output", f"{name}: {would}")
        if delivered is not None:
            yield from (row("note", note) for note in delivered.notes)
    if found.first is not None:
        for place, line in enumerate(as_lines(orjson.loads(found.first))):
            yield row("" if place else "request", line)


def headline(found: Rehearsed, settings: Settings, done: str) -> str:
    """What was looked at, and that it was no more."""
    shot = found.snapshot
    return f"{shot.task} · {shot.model} · {settings.provider} · {done}: nothing sent or written"


def items(found: Rehearsed) -> Iterator[str]:
    """What would be sent and what would not, a line at a time."""
    shot = found.snapshot
    done = f" · {shot.finished:,} finished before" if shot.finished else ""
    batches = f" · {found.in_batches:,} in batches" if found.in_batches else ""
    later = f" · {found.later_items:,} for later starts" if found.later_items else ""
    yield row("items", f"{found.total.items:,} to send{done}{batches}{later}")
    if shot.skipped:
        yield row("left out", counted(shot.skipped, "bad row"))
    if found.intake is not None:
        yield from summary.changes(found.intake)
    if found.unfit_items:
        yield row("failed", f"{counted(found.unfit_items, 'item')} would fail, unsent")
        yield from (row("", f"{key}: {reason}") for key, reason in found.unfit)


def costs_by_model(found: Rehearsed) -> Iterator[str]:
    """A line for each model, where there are several."""
    if len(found.loads) > 1:
        for model, load in found.loads.items():
            cost = _cost(load.cost_usd(found.route.lane))
            yield row("model", f"{model}: {counted(load.items, 'item')}, {cost}")


def row(name: str, text: str) -> str:
    """A line of what is told."""
    return f"  {name:<9} {text}".rstrip()


def tokens(total: Load, basis: Basis) -> str:
    """`about 210,000 in (o200k_base) · 1,500 out (assumed: 5 a label)`."""
    by = ", ".join("by length" if each == BY_LENGTH else each for each in basis.input_by)
    told = f"about {total.input_tokens:,} in ({by})"
    if basis.pictured:
        told += f", pictures of {counted(basis.pictured, 'request')} not counted"
    if total.output_tokens:
        shown = [each.words for each in basis.output_by[:_BASES_SHOWN]]
        more = ["…"] if len(basis.output_by) > _BASES_SHOWN else []
        told += f" · {total.output_tokens:,} out ({', '.join([*shown, *more])})"
    return told


def _costs(found: Rehearsed, settings: Settings) -> Iterator[str]:
    """What is to be sent, in tokens and money."""
    yield row("tokens", tokens(found.total, found.basis))
    yield row("route", f"{found.route.lane}: {found.route.reason}")
    yield row("cost", _range(found) or _cost(found.cost_usd))
    yield from costs_by_model(found)
    if settings.budget_usd is not None and found.cost_usd is not None:
        left_usd = settings.budget_usd - found.snapshot.spent_usd
        verdict = "is enough" if found.cost_usd <= left_usd else "may not be enough"
        used = f"{money(found.snapshot.spent_usd)} of {money(settings.budget_usd)} used"
        yield row("budget", f"{used}; the rest {verdict}")


def _range(found: Rehearsed) -> str | None:
    """What it costs where batches may be late; None for any other route."""
    least_usd, most_usd = found.mixed_usd, found.total.direct_usd
    if found.route.lane is not Lane.HYBRID or least_usd is None or most_usd is None:
        return None
    return f"about {money(least_usd)} to {money(most_usd)}, as batches are done in time or late"


def _cost(usd: float | None) -> str:
    if usd is None:
        return "not known; --price IN,OUT tells it"
    return f"about {money(usd)}"
