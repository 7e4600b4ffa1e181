"""A sample of results: failures of each cause, what is in doubt, and some that went well."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from processor.exports import cells as exported
from processor.ledger.results import Result
from processor.reporting import figures, formulas
from processor.reporting.document import (
    Block,
    Cell,
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
_HEAD_CHARACTERS = 120
_SIDE_LEAST = 30
_DRAWN_MOST = 6_000  # characters of a formula; longer ones would fill the page
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
    sides = [] if source is None else [_given(source, str(fields[source]), kind)]
    if item.answer is not None:
        sides.append(_answer(item.answer, kind, names))
    state, tone = _STATES.get(item.check or "", ("succeeded", "good"))
    if item.status == "failed":
        state, tone = _STATES["failed"]
        sides.append(Side("why it failed", cut(f"{item.code}: {item.message}", _CHARACTERS)))
    rest = [
        (name, value)
        for name, value in fields.items()
        if name != source and str(value) != str(item.id)  # which the head says
    ]
    return Specimen(
        name=str(item.id),
        state=state,
        tone=tone,
        told=tuple(_told(item)),
        sides=sides,
        fields=[(cut(name, _HEAD_CHARACTERS), _cell(value)) for name, value in rest[:_FIELDS_MOST]],
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
    for note in item.notes:
        yield (Foreign(cut(note, _CHARACTERS)),)


def _source(fields: Mapping[str, Any], kind: str) -> str | None:
    """The column that is shown beside the answer: the formula that was converted, or the longest.

    None where nothing is long enough to be that.
    """
    if kind == "latex":
        for name, value in fields.items():
            if presence.problem_of(name, value) is None:
                return name
    texts = {name: len(value) for name, value in fields.items() if isinstance(value, str)}
    longest = max(texts, key=texts.__getitem__, default=None)
    return longest if longest is not None and texts[longest] >= _SIDE_LEAST else None


def _given(name: str, text: str, kind: str) -> Side:
    drawn = kind == "latex" and len(text) <= _DRAWN_MOST
    formula = formulas.of_mathml(text) if drawn else None
    return Side(f"input: {cut(name, _HEAD_CHARACTERS)}", cut(text, _CHARACTERS), formula)


def _answer(answer: str, kind: str, names: Mapping[str, str]) -> Side:
    if kind == "latex" and len(answer) <= _DRAWN_MOST:
        return Side("result", cut(answer, _CHARACTERS), formulas.of_latex(answer))
    if answer in names and names[answer] != answer:
        return Side("result", f"{answer} ({names[answer]})")
    return Side("result", cut(answer, _CHARACTERS))


def _cell(value: Any) -> str:
    return cut(exported.text(value) or "", _FIELD_CHARACTERS)


def _field(found: Field) -> Sequence[Block]:
    """The answers at a glance: how long each is, or that there is none."""
    lengths = [len(one.answer) for one in found.cells.values() if one.answer is not None]
    span = (min(lengths, default=0), max(lengths, default=0))
    heads = [
        cut(found.down, _HEAD_CHARACTERS),
        *(str(place) for place in range(1, len(found.columns) + 1)),
    ]
    rows = []
    for down, name in enumerate(found.rows):
        row = [Cell((Foreign(cut(name, _HEAD_CHARACTERS)),))]
        row += [
            _glance(found.cells.get((down, across)), span) for across in range(len(found.columns))
        ]
        rows.append(row)
    legend = [
        (str(place), (Foreign(cut(name, _FIELD_CHARACTERS)),))
        for place, name in enumerate(found.columns, 1)
    ]
    names = [cut(name, _HEAD_CHARACTERS) for name in (found.down, found.across)]
    title = f"Characters of each answer: {names[0]} down, {names[1]} across"
    numbers = frozenset(range(1, len(heads)))
    return [Table(title, heads, rows, numbers), Pairs(legend)]


def _glance(item: Result | None, span: tuple[int, int]) -> Cell:
    if item is None or item.status == "pending":
        return Cell(("·",))
    if item.answer is None:
        return Cell((), tone="bad")
    length, (least, most) = len(item.answer), span
    return Cell((f"{length:,}",), filled=(length - least) / (most - least or 1))
