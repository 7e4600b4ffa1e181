"""Results as JSON Lines: an object a row, nested values and long integers as they are."""

from collections.abc import Iterable, Mapping, Sequence
from typing import IO, Any

from processor import jsoncells
from processor.exports.cells import json_text
from processor.exports.grid import Grid


def write(file: IO[bytes], grid: Grid) -> int:
    """Write the rows; returns how many."""
    names = [column.name for column in grid.columns]
    json_kinds = {
        place: column.kind
        for place, column in enumerate(grid.columns)
        if column.kind is not None and jsoncells.holds_json(column.kind)
    }
    count = 0
    for rows in grid.slices():
        for row in rows:
            line = _spliced(names, row, json_kinds) if json_kinds else _line(names, row)
            file.write(line.encode() + b"\n")
        count += len(rows)
    return count


def copy(file: IO[bytes], lines: Iterable[bytes]) -> int:
    """Write lines as they are, with or without their ends; returns how many."""
    count = 0
    for line in lines:
        file.write(line.removesuffix(b"\n") + b"\n")
        count += 1
    return count


def _line(names: Sequence[str], row: Sequence[Any]) -> str:
    return json_text(dict(zip(names, row, strict=True)))


def _spliced(names: Sequence[str], row: Sequence[Any], json_kinds: Mapping[int, str]) -> str:
    """The same with what is JSON text already, digit by digit as it stands."""
    texts = (
        _on_a_line(jsoncells.text_of(json_kinds[place], cell))
        if place in json_kinds and cell is not None
        else json_text(cell)
        for place, cell in enumerate(row)
    )
    pairs = (f"{json_text(name)}:{text}" for name, text in zip(names, texts, strict=True))
    return f"{{{','.join(pairs)}}}"


def _on_a_line(text: str) -> str:
    """JSON whose line ends, which stand between its tokens only, are spaces."""
    return text.replace("\n", " ").replace("\r", " ")
