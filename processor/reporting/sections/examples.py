"""A sample of results: failures of each cause, what is in doubt, and some that went well."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from processor.exports import cells as exported
from processor.ledger.results import Result
from processor.reporting import figures, formulas
from processor.reporting.document import (
    Block,
    Cell,
    Code,
    Foreign,
    Line,
    Pairs,
    Prose,
    Section,
    Side,
    Specimen,
    Specimens,
    Table,
    Tone,
)
from processor.reporting.gathering import Findings
from processor.reporting.plain import cut
from processor.reporting.scan import Field
from processor.tasks.mathml import presence

_CHARACTERS = 1_200  # of a side
_FIELD_CHARACTERS = 160
_FIELDS_MOST = 12
_HEAD_CHARACTERS = 60
_STATES: Mapping[str, tuple[str, Tone]] = {
    "failed": ("failed", "bad"),
    "review": ("to look over", "doubt"),
    "verified": ("verified", "good"),
}


def section(found: Findings) -> Section | None:
    """None where nothing may be shown, or nothing is there."""
    scan = found.scan
    if not found.content or scan is None or not scan.drawn:
        return None
    blocks: list[Block] = []
    if scan.field is not None:
        blocks += _field(scan.field)
    blocks.append(
        Prose(
            (
                (
                    "Drawn from the run: failures by cause, results in doubt, and others that were "
                    "picked without looking at them. Formulas are drawn from the text below them."
                ),
            ),
            look="note",
        )
    )
    kind = "" if found.run is None else found.run.kind
    names = {} if found.run is None else found.run.labels
    blocks.append(Specimens([_specimen(one, kind, names) for one in scan.drawn]))
    return Section("sample", "A sample of results", blocks)


def _specimen(item: Result, kind: str, names: Mapping[str, str]) -> Specimen:
    fields = item.fields()
    source = _source(fields, kind)
    sides = [] if source is None else [_side(f"source: {source}", str(fields[source]))]
    if item.answer is not None:
        sides.append(_answer(item.answer, kind, names))
    state, tone = _STATES.get(item.check or "", ("succeeded", "good"))
    if item.status == "failed":
        state, tone = _STATES["failed"]
    rest = [(name, value) for name, value in fields.items() if name != source]
    return Specimen(
        name=str(item.id),
        state=state,
        tone=tone,
        told=tuple(_told(item)),
        sides=sides,
        fields=[(name, _cell(value)) for name, value in rest[:_FIELDS_MOST]],
        notes=list(_notes(item)),
    )


def _told(item: Result) -> Iterator[str]:
    yield f"{item.lane}" if item.lane else "pending"
    yield " · 1 attempt" if item.attempts == 1 else f" · {item.attempts} attempts"
    if item.latency_ms is not None:
        yield f" · {figures.milliseconds('', item.latency_ms).words}"
    if item.cost_usd is not None:
        yield f" · {figures.usd('', item.cost_usd).words}"


def _notes(item: Result) -> Iterator[Line]:
    if item.status == "failed":
        yield (Code(item.code or "unknown"), ": ", Foreign(cut(item.message or "", _CHARACTERS)))
    for note in item.notes:
        yield (Foreign(cut(note, _CHARACTERS)),)


def _source(fields: Mapping[str, Any], kind: str) -> str | None:
    """The column that holds the formula that was converted; None where there is none."""
    if kind != "latex":
        return None
    return next((name for name in fields if presence.problem_of(name, fields[name]) is None), None)


def _side(name: str, text: str) -> Side:
    return Side(name, cut(text, _CHARACTERS), formulas.of_mathml(text))


def _answer(answer: str, kind: str, names: Mapping[str, str]) -> Side:
    if kind == "latex":
        return Side("result", cut(answer, _CHARACTERS), formulas.of_latex(answer))
    if answer in names and names[answer] != answer:
        return Side("result", f"{answer} ({names[answer]})")
    return Side("result", cut(answer, _CHARACTERS))


def _cell(value: Any) -> str:
    return cut(exported.text(value) or "", _FIELD_CHARACTERS)


def _field(found: Field) -> Sequence[Block]:
    """The answers at a glance: how long each is, or that there is none."""
    longest = max((len(one.answer or "") for one in found.cells.values()), default=0) or 1
    heads = [found.down, *(str(place) for place in range(1, len(found.columns) + 1))]
    rows = []
    for down, name in enumerate(found.rows):
        row = [Cell((Foreign(cut(name, _HEAD_CHARACTERS)),))]
        row += [
            _glance(found.cells.get((down, across)), longest)
            for across in range(len(found.columns))
        ]
        rows.append(row)
    legend = [
        (str(place), (Foreign(cut(name, _FIELD_CHARACTERS)),))
        for place, name in enumerate(found.columns, 1)
    ]
    title = f"Characters of each answer: {found.down} down, {found.across} across"
    numbers = frozenset(range(1, len(heads)))
    return [Table(title, heads, rows, numbers), Pairs(legend)]


def _glance(item: Result | None, longest: int) -> Cell:
    if item is None or item.status == "pending":
        return Cell(("·",))
    if item.answer is None:
        return Cell((), tone="bad")
    return Cell((f"{len(item.answer):,}",), filled=len(item.answer) / longest)
