"""Intervals by drawing cases again, with a seed: the same cases give the same interval."""

from collections.abc import Callable, Sequence
from random import Random
from typing import TypeVar

from processor.quality.figure import Figure

T = TypeVar("T")
Part = tuple[float, int]
"""A sum over the cases of one part, and how many they are."""

LEAST_PARTS = 5
"""Fewer cannot tell how much the next ones would differ."""
_ROUNDING = 1e-9
_RESAMPLES_MOST = 1_000
_RESAMPLES_LEAST = 200
_DRAWN_MOST = 1_000_000  # parts in all resamples together, which bounds the work


def figure(
    parts: Sequence[T],
    measure: Callable[[Sequence[T]], float],
    *,
    n: int,
    seed: int,
    called: str,
) -> Figure:
    """A measure; its interval is where the middle 95 % of it lie over resamples of the parts.

    Args:
        parts: What is independent of each other, such as inputs; at least one.
        measure: Of as many parts as there are, some of them more than once.
        n: Cases that the parts are made of.
        seed: Of the draws.
        called: What a part is, in the plural, for notes.
    """
    value = measure(parts)
    if len(parts) < LEAST_PARTS:
        note = f"too few {called} for an interval: {len(parts)}, at least {LEAST_PARTS} needed"
        return Figure(value=value, n=n, note=note)
    resamples = min(_RESAMPLES_MOST, max(_RESAMPLES_LEAST, _DRAWN_MOST // len(parts)))
    chance = Random(seed)  # noqa: S311 - statistics, not secrets
    low, high = middle([measure(chance.choices(parts, k=len(parts))) for _ in range(resamples)])
    if high - low < _ROUNDING:
        return Figure(value=value, n=n, note=f"all {called} are alike: no interval")
    return Figure(value=value, low=min(low, value), high=max(high, value), n=n)


def middle(values: Sequence[float]) -> tuple[float, float]:
    """The ends of the middle 95 % of values; of fewer than forty, of all."""
    ordered = sorted(values)
    cut = len(ordered) // 40
    return ordered[cut], ordered[-1 - cut]


def mean(parts: Sequence[Part], *, seed: int, called: str) -> Figure:
    """The mean over all cases; the interval is that of parts, whose cases may depend on each other.

    Args:
        parts: Empty ones count for nothing.
        seed: Of the draws.
        called: What a part is, in the plural, for notes.
    """
    parts = [part for part in parts if part[1]]
    if not parts:
        return Figure(value=None, n=0, note="no cases")
    n = sum(count for _, count in parts)
    return figure(parts, _mean, n=n, seed=seed, called=called)


def _mean(parts: Sequence[Part]) -> float:
    return sum(total for total, _ in parts) / sum(count for _, count in parts)
