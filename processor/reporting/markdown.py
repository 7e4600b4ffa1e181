"""A document as Markdown: the same facts, charts as a line of blocks.

What others wrote stands in code spans and code blocks, where nothing of it is markup.
"""

import re
from collections.abc import Iterator, Sequence
from functools import singledispatch

from processor.reporting import document as doc
from processor.reporting.plain import plain

_SPECIAL = re.compile(r"([\\`*_<>\[\]|])")
_BREAKS = re.compile(r"\s*[\r\n\u2028\u2029]+\s*")
_TICKS = re.compile("`+")
_BAR = re.compile(r"(?<!\\)\|")  # which would end a cell, also within a code span
_MARKS = {"good": " ✓", "doubt": " !", "bad": " ✗", "calm": "", "none": ""}


def written(document: doc.Document) -> str:
    """The file's content."""
    return "\n\n".join(_parts(document)) + "\n"


def _parts(document: doc.Document) -> Iterator[str]:
    yield f"# {_text(document.title)}"
    yield f"{_text(document.kicker)}: **{_text(document.state)}** · {_line(document.about)}"
    for block in document.head:
        yield _block(block)
    for section in document.sections:
        yield f"## {_text(section.title)}"
        for block in section.blocks:
            yield _block(block)
    yield "---"
    yield _line(document.foot)


@singledispatch
def _block(block: object) -> str:
    raise TypeError(f"{type(block).__name__} is no block")


@_block.register
def _(block: doc.Prose) -> str:
    return _line(block.line)


@_block.register
def _(block: doc.Cards) -> str:
    rows = [
        [_text(card.name), f"**{_text(card.figure.words)}**{_MARKS[card.tone]}", _line(card.note)]
        for card in block.cards
    ]
    title = f"{_text(block.title)}:\n\n" if block.title else ""
    return title + _table(["figure", "", ""], rows, frozenset({1}))


@_block.register
def _(block: doc.Shares) -> str:
    rows = [f"- {_text(share.name)}: {_text(share.figure.words)}" for share in block.shares]
    return "\n".join([f"{_text(block.title)}:", "", *rows])


@_block.register
def _(block: doc.Table) -> str:
    rows = [
        [f"{_line(cell.line)}{_MARKS[cell.tone]}".strip() for cell in cells] for cells in block.rows
    ]
    return f"{_text(block.title)}:\n\n" + _table(
        [_text(head) for head in block.heads], rows, block.numbers
    )


@_block.register
def _(block: doc.Charts) -> str:
    parts = []
    for chart in block.charts:
        spark = f"\n`{chart.spark}`" if chart.spark else ""
        parts.append(f"**{_text(chart.title)}**{spark}\n{_line(chart.told)}")
    return "\n\n".join(parts)


@_block.register
def _(block: doc.Pairs) -> str:
    return "\n".join(f"- **{_text(name)}**: {_line(line)}" for name, line in block.pairs)


@_block.register
def _(block: doc.Command) -> str:
    return _fenced(block.text)


@_block.register
def _(block: doc.Specimens) -> str:
    return "\n\n".join(part for each in block.specimens for part in _specimen(each))


def _specimen(each: doc.Specimen) -> Iterator[str]:
    state = f"{_text(each.state)}{_MARKS[each.tone]}"
    yield f"### {_code(each.name)} · {state} · {_line(each.told)}"
    if each.fields:
        yield "\n".join(f"- {_code(name)}: {_code(value)}" for name, value in each.fields)
    for side in each.sides:
        yield f"{_text(side.name)}:\n\n{_fenced(side.text)}"
    for note in each.notes:
        yield _line(note)


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]], numbers: frozenset[int]) -> str:
    rule = ["--:" if place in numbers else "---" for place in range(len(heads))]
    told = [[_BAR.sub(r"\\|", cell) for cell in cells] for cells in (heads, rule, *rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in told)


def _line(line: doc.Line) -> str:
    return "".join(_part(part) for part in line)


def _part(part: doc.Part) -> str:
    if isinstance(part, str):
        return _text(part)
    return _text(part.words) if isinstance(part, doc.Figure) else _code(part.text)


def _text(words: str) -> str:
    return _SPECIAL.sub(r"\\\1", _BREAKS.sub(" ", plain(words)))


def _code(text: str) -> str:
    told = _BREAKS.sub(" ", plain(text))
    if not told.strip():
        return ""
    fence = "`" * (1 + max((len(run) for run in _TICKS.findall(told)), default=0))
    room = " " if told.startswith("`") or told.endswith("`") else ""
    return f"{fence}{room}{told}{room}{fence}"


def _fenced(text: str) -> str:
    told = plain(text)
    fence = "`" * max(3, 1 + max((len(run) for run in _TICKS.findall(told)), default=0))
    return f"{fence}text\n{told}\n{fence}"
