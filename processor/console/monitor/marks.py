"""Bars, sparklines and charts, drawn with characters."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from rich.console import Console
from rich.text import Text

FULL, PARTLY, _EMPTY = "█", "▓", "░"
_LEVELS = "▁▂▃▄▅▆▇█"
_UNKNOWN = " "
_OUTLIER = 4.0  # times as much as usual
_ROUNDING = 1e-9  # sums of shares that make a whole
# One to one, so that no column moves.
_ASCII = str.maketrans("█▓░▁▂▃▄▅▆▇·–…✓✗≥≤→↑↓", "#%-..::=+*|-~+x><>^v")


@dataclass(frozen=True, slots=True)
class Stretch:
    """Of a bar.

    Attributes:
        share: Of the whole, 0 to 1.
        mark: A character.
    """

    share: float
    style: str
    mark: str = FULL


def bar(stretches: Iterable[Stretch], width: int) -> Text:
    """Stretches of so many cells, one behind the other, and what is left of them."""
    drawn, upto = 0, 0.0
    line = Text(no_wrap=True)
    for stretch in stretches:
        upto += stretch.share
        cells = max(0, min(width, int(upto * width + _ROUNDING)) - drawn)
        line.append(stretch.mark * cells, stretch.style)
        drawn += cells
    return line.append(_EMPTY * (width - drawn), "dim")


def sparkline(values: Sequence[float | None]) -> str:
    """A character a value, as high as it is large; a space where none is known."""
    most = _top(values)
    return "".join(_UNKNOWN if value is None else _level(value, most) for value in values)


def chart(values: Sequence[float | None], height: int) -> list[str]:
    """Columns of a value each, from the top line down."""
    most = _top(values)
    steps = [
        0
        if value is None or not most
        else max(1, round(min(1.0, value / most) * height * len(_LEVELS)))
        for value in values
    ]
    lines = []
    for line in range(height - 1, -1, -1):
        inside = (min(len(_LEVELS), max(0, step - line * len(_LEVELS))) for step in steps)
        lines.append("".join(_LEVELS[eighths - 1] if eighths else " " for eighths in inside))
    return lines


def resampled(seen: Sequence[tuple[float, float | None]], columns: int) -> list[float | None]:
    """The mean of each stretch of time; none where nothing was seen. Few values stay as they are.

    Args:
        seen: Times, rising, and values.
        columns: How many stretches there are at most, 1 or more.
    """
    if len(seen) <= columns:
        return [value for _, value in seen]
    first, span = seen[0][0], (seen[-1][0] - seen[0][0]) or 1.0
    sums, counts = [0.0] * columns, [0] * columns
    for at, value in seen:
        if value is not None:
            place = min(columns - 1, int((at - first) / span * columns))
            sums[place] += value
            counts[place] += 1
    return [total / count if count else None for total, count in zip(sums, counts, strict=True)]


def is_unicode(console: Console) -> bool:
    """Whether it can show these characters."""
    return console.encoding.startswith("utf")


def in_ascii(line: Text) -> Text:
    """The same for terminals that know nothing else; other letters are theirs to replace."""
    line.plain = line.plain.translate(_ASCII)
    return line


def _top(values: Sequence[float | None]) -> float:
    """What fills the height: the most there is, unless that would flatten all the others.

    A batch that is settled finishes a thousand items at once.
    """
    known = [value for value in values if value]
    return min(max(known), _OUTLIER * median(known)) if known else 0.0


def _level(value: float, most: float) -> str:
    return _LEVELS[min(len(_LEVELS) - 1, int(value / most * len(_LEVELS)))] if most else _LEVELS[0]
