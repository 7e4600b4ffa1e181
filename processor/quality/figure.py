"""A figure with what it rests on: an interval of 95 % and the number of cases."""

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

Z_95 = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A measure of some cases.

    Attributes:
        value: None when it cannot be told; `note` says why.
        low: Lower end of the interval of 95 %; None when there is none.
        high: Its upper end.
        n: Cases that it rests on.
        note: Why there is no value or no interval; empty when there are both.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    n: int
    note: str = ""


def too_few(n: int, least: int, cases: str) -> Figure:
    """Said instead of a figure that would rest on too little.

    Args:
        n: Cases that there are.
        least: Cases that the figure needs.
        cases: What they are, in the plural.
    """
    return Figure(value=None, n=n, note=f"too few {cases}: {n}, at least {least} needed")


def share(count: int, of: int) -> Figure:
    """A share with Wilson's interval, which holds for few cases and near 0 and 1, too.

    Args:
        count: Cases that have the property, 0 to `of`.
        of: All cases.
    """
    if not of:
        return Figure(value=None, n=0, note="no cases")
    value, spread = count / of, Z_95 * Z_95 / of
    middle = (value + spread / 2) / (1 + spread)
    reach = Z_95 / (1 + spread) * sqrt(value * (1 - value) / of + spread / (4 * of))
    return Figure(
        value=value,
        low=max(0.0, middle - reach) if count else 0.0,
        high=min(1.0, middle + reach) if count < of else 1.0,
        n=of,
    )
