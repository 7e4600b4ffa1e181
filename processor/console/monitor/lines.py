"""Lines that fit: what has no room is left out, the least important first, and nothing wraps."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.cells import cell_len, chop_cells
from rich.text import Text

from processor.console.terminal import shown

BETWEEN = " · "
LABEL_CELLS = 8
_ELLIPSIS_CELLS = 1
_FAINT = "dim"


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a line.

    Attributes:
        text: Anybody's; it is made safe where it becomes a line.
        style: As rich names them.
        rank: Of what has no room the highest goes first, among equals the last.
    """

    text: str
    style: str = ""
    rank: int = 1


def fitted(parts: Iterable[Part], width: int, *, between: str = BETWEEN) -> Text:
    """One line of at most so many cells; a single part that is longer is cut."""
    kept = [Part(shown(part.text), part.style, part.rank) for part in parts if part.text]
    while len(kept) > 1 and _cells(kept, between) > width:
        worst = max(part.rank for part in kept)
        del kept[max(place for place, part in enumerate(kept) if part.rank == worst)]
    line = Text(no_wrap=True)
    for place, part in enumerate(kept):
        line.append(between if place else "", _FAINT)
        line.append(part.text, part.style)
    return cut(line, width)


def row(label: str, parts: Iterable[Part], width: int) -> Text:
    """A line that begins with its label, in a column of its own."""
    head = Text(no_wrap=True).append(f"{label:<{LABEL_CELLS}}"[:width], _FAINT)
    return cut(head.append_text(fitted(parts, max(0, width - LABEL_CELLS))), width)


def packed(label: str, parts: Sequence[Part], width: int) -> list[Text]:
    """As `row`, on as many lines as the parts need, in their order."""
    room, lines = width - LABEL_CELLS, list[list[Part]]()
    for part in parts:
        if lines and _cells([*lines[-1], part], BETWEEN) <= room:
            lines[-1].append(part)
        else:
            lines.append([part])
    return [row(label if not place else "", line, width) for place, line in enumerate(lines)]


def folded(label: str, text: str, width: int, *, style: str = "") -> list[Text]:
    """As `row`, of a text that must stay whole: it goes on below."""
    pieces = _wrapped(shown(text), max(1, width - LABEL_CELLS))
    return [
        row(label if not place else "", [Part(piece, style)], width)
        for place, piece in enumerate(pieces)
    ]


def spread(left: Sequence[Part], right: Part, width: int) -> Text:
    """Parts at the left edge and one at the right; the right one stays where both have no room."""
    end = fitted([right], width)
    room = width - end.cell_len - 1
    if room < _ELLIPSIS_CELLS:
        return end
    line = fitted(left, room)
    return line.append(" " * (width - line.cell_len - end.cell_len)).append_text(end)


def cut(line: Text, width: int) -> Text:
    """The line, with an ellipsis where it is longer than so many cells."""
    if width < 1:
        return Text(no_wrap=True)
    line.truncate(width, overflow="ellipsis")
    return line


def beside(left: Sequence[Text], right: Sequence[Text], widths: tuple[int, int]) -> list[Text]:
    """Two columns, a gap of two cells between them."""
    both = []
    for place in range(max(len(left), len(right))):
        line = left[place].copy() if place < len(left) else Text(no_wrap=True)
        if place < len(right):
            line.append(" " * (widths[0] + 2 - line.cell_len)).append_text(right[place])
        both.append(line)
    return both


def _wrapped(text: str, room: int) -> list[str]:
    """Lines of at most so many cells, broken between words where that is possible."""
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}" if lines[-1] else word
        if cell_len(longer) <= room:
            lines[-1] = longer
        else:
            lines += chop_cells(word, room)
    return [line for line in lines if line] or [""]


def _cells(parts: Sequence[Part], between: str) -> int:
    gaps = (len(parts) - 1) * cell_len(between)
    return gaps + sum(cell_len(part.text) for part in parts)
