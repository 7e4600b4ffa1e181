"""A cost that is partly fixed and partly an item's: of time, calls or money. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor
from statistics import fmean

MOST_ITEMS = 1_000_000  # beyond this many nothing is foretold


@dataclass(frozen=True, slots=True)
class Line:
    """What n items take: fixed + n x each; neither is below 0."""

    fixed: float
    each: float

    def at(self, items: float) -> float:
        """What so many items take."""
        return self.fixed + self.each * items


@dataclass(frozen=True, slots=True)
class Span:
    """Numbers of items, both ends included; `until` None: as far as anything is foretold."""

    since: int
    until: int | None = None


def fitted(points: Sequence[tuple[int, float]]) -> Line | None:
    """The line nearest to measured points, of those that never fall and begin at 0 or above.

    Args:
        points: (items, what they took).

    Returns:
        None where fewer than two numbers of items were measured.
    """
    if len({items for items, _ in points}) < 2:
        return None
    mean_items = fmean(items for items, _ in points)
    mean_value = fmean(value for _, value in points)
    spread = sum((items - mean_items) ** 2 for items, _ in points)
    each = sum((items - mean_items) * (value - mean_value) for items, value in points) / spread
    if each <= 0:
        return Line(mean_value, 0.0)
    fixed = mean_value - each * mean_items
    if fixed < 0:
        through_0 = sum(items * value for items, value in points)
        return Line(0.0, through_0 / sum(items**2 for items, _ in points))
    return Line(fixed, each)


def pays(way: Line, base: Line, *, most: int = MOST_ITEMS) -> Span | None:
    """For how many items a way takes less than another; None for no number up to `most`."""
    fixed, each = way.fixed - base.fixed, way.each - base.each
    if each < 0:
        since = max(1, floor(fixed / -each) + 1)
        return Span(since) if since <= most else None
    if fixed >= 0:
        return None
    if each == 0:
        return Span(1)
    until = ceil(-fixed / each) - 1
    if until < 1:
        return None
    return Span(1, until if until < most else None)
