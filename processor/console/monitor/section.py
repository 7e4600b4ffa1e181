"""Parts of a picture, and how they share its height."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.text import Text

from processor.console.monitor.lines import Part, row


@dataclass(frozen=True, slots=True)
class Section:
    """Lines that belong together.

    Attributes:
        rank: What ranks highest gives way first.
        least: Lines without which it is left out.
        most: Lines that it can use.
        draw: Draws it on so many of them, or on fewer.
    """

    rank: int
    least: int
    most: int
    draw: Callable[[int], list[Text]]


def fixed(rank: int, lines: list[Text]) -> Section:
    """Lines of which all stand, or none."""
    return Section(rank, len(lines), len(lines), lambda _: lines)


def growing(rank: int, lines: list[Text], width: int) -> Section:
    """Lines of which the first stand; the last one says how many others there are."""

    def draw(most: int) -> list[Text]:
        if len(lines) <= most:
            return lines
        more = f"… and {len(lines) - most + 1:,} more"
        return [*lines[: most - 1], row("", [Part(more, "dim")], width)]

    return Section(rank, min(1, len(lines)), len(lines), draw)


def stacked(sections: Sequence[Section], height: int | None) -> list[Text]:
    """One below the other, on so many lines at most; None for as many as they like."""
    if height is None:
        return [line for section in sections for line in section.draw(section.most)]
    granted = _granted(sections, height)
    return [
        line
        for section, lines in zip(sections, granted, strict=True)
        if lines
        for line in section.draw(lines)
    ]


def _granted(sections: Sequence[Section], height: int) -> list[int]:
    """Each gets what it needs, the most important first; then what it likes."""
    order = sorted(range(len(sections)), key=lambda place: sections[place].rank)
    granted, room = [0] * len(sections), height
    for place in order:
        if sections[place].least <= room:
            granted[place] = sections[place].least
            room -= granted[place]
    for place in order:
        if granted[place]:
            more = min(sections[place].most - granted[place], room)
            granted[place] += more
            room -= more
    return granted
