"""How long batches take, before there is any experience: what the users have seen. Pure."""

from dataclasses import dataclass
from itertools import pairwise
from math import log


@dataclass(frozen=True, slots=True)
class Hours:
    """A span of time, in hours."""

    least: float
    most: float

    def __str__(self) -> str:
        """`2–6 h`."""
        return f"{self.least:.0f}–{self.most:.0f} h"


# Requests to the hours that users report; a provider promises no more than a day.
_SEEN = (
    (100, Hours(1, 3)),
    (300, Hours(2, 6)),
    (1_000, Hours(4, 12)),
    (10_000, Hours(8, 24)),
)


def batch_hours(requests: int) -> Hours:
    """How long a job of so many requests takes; between what was seen by the logarithm."""
    (fewest, first), (most, last) = _SEEN[0], _SEEN[-1]
    if requests <= fewest:
        return first
    for (low, shorter), (high, longer) in pairwise(_SEEN):
        if requests <= high:
            share = log(requests / low) / log(high / low)
            return Hours(
                shorter.least + share * (longer.least - shorter.least),
                shorter.most + share * (longer.most - shorter.most),
            )
    assert requests > most
    return last
