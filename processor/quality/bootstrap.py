"""Intervals by drawing cases again, with a seed: the same cases give the same interval."""

from collections.abc import Callable, Sequence
from dataclasses import replace
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


def mean_of_pairs(
    parts: Sequence[Part], across: Sequence[Part] | None = None, *, seed: int, called: str
) -> Figure:
    """The mean over pairs of shares, where every pair counts in the parts of both its ends.

    A pair of two parts changes with the one as with the other, so that a part moves the mean twice
    as far as what it counts itself: drawn as if it were its own, the interval would be half as wide
    as it must be.

    Args:
        parts: Of each its sum over pairs, and how many these are; one within it is met twice.
        across: The same of its pairs with other parts; by default there are no others.
        seed: Of the draws.
        called: What a part is, in the plural, for notes.
    """
    across = parts if across is None else across
    middle = _mean(across) if any(pairs for _, pairs in across) else 0.0
    stretched = [
        (total + shared - middle * pairs, count)
        for (total, count), (shared, pairs) in zip(parts, across, strict=True)
    ]
    found = mean(stretched, seed=seed, called=called)
    if found.low is None or found.high is None:
        return found
    return replace(found, low=max(0.0, found.low), high=min(1.0, found.high))


def _mean(parts: Sequence[Part]) -> float:
    return sum(total for total, _ in parts) / sum(count for _, count in parts)
