"""Where items fail more often than elsewhere, told only where chance does not explain it. Pure.

Of every factor, such as a column, each value is a group. A group is told of when its share lies
clearly above that of all others, and when it would be so by chance once in so many that of all that
is told at most one in a hundred is expected to be chance (Benjamini and Hochberg, 1995, over all
groups that were looked at, by Fisher's exact test, one-sided). What is too little to matter was
looked at, too, but is no find: left out only afterwards, it would leave more of chance.

The test takes items for independent, and groups for what they were before anything came of them:
whoever counts sees to that.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import exp, lgamma

from processor.quality.figure import Figure, share

FALSE_SHARE = 0.01
"""Of what is told, so much may be chance."""
_CASES_LEAST = 5  # in a group, with the property
_TIMES_LEAST = 1.5
_APART_LEAST = 0.01
_NEGLIGIBLE = 1e-17


@dataclass(frozen=True, slots=True)
class Counted:
    """Items of a group: how many there are, and how many of them have the property."""

    items: int
    cases: int


@dataclass(frozen=True, slots=True)
class Factor:
    """Groups beside each other that share no item.

    Attributes:
        kind: `column`, `place`, `time`, …
        name: Of the column; what it is, for others.
        groups: Value to its items.
    """

    kind: str
    name: str
    groups: Mapping[str, Counted]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """A group that differs from all others.

    Attributes:
        own: Its share of cases, with the interval of 95 %.
        others: The same of all other items.
        p_value: How often chance alone does this, or more.
    """

    kind: str
    name: str
    value: str
    cases: int
    own: Figure
    others: Figure
    p_value: float

    @property
    def times(self) -> float | None:
        """How many times as often as elsewhere; None where it never happens elsewhere."""
        if not self.own.value or not self.others.value:
            return None
        return self.own.value / self.others.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Patterns:
    """What was found.

    Attributes:
        found: What differs most surely comes first.
        looked_at: Groups that were compared with the others.
    """

    found: Sequence[Pattern]
    looked_at: int


def patterns(factors: Iterable[Factor]) -> Patterns:
    """The groups in which there are more cases than elsewhere."""
    seen = [pattern for factor in factors for pattern in _compared(factor)]
    ordered = sorted(
        filter(_is_worth_telling, seen),
        key=lambda one: (one.p_value, one.kind, one.name, one.value),
    )
    surely = _surely([one.p_value for one in ordered], looked_at=len(seen))
    return Patterns(found=ordered[:surely], looked_at=len(seen))


def _compared(factor: Factor) -> Iterable[Pattern]:
    items = sum(group.items for group in factor.groups.values())
    cases = sum(group.cases for group in factor.groups.values())
    if not 0 < cases < items:
        return
    for value, group in factor.groups.items():
        if not 0 < group.items < items:
            continue
        yield Pattern(
            kind=factor.kind,
            name=factor.name,
            value=value,
            cases=group.cases,
            own=share(group.cases, group.items),
            others=share(cases - group.cases, items - group.items),
            p_value=at_least(group.cases, of=group.items, cases=cases, items=items),
        )


def _is_worth_telling(one: Pattern) -> bool:
    own, others = one.own.value or 0.0, one.others.value or 0.0
    return (
        one.cases >= _CASES_LEAST and own >= _TIMES_LEAST * others and own - others >= _APART_LEAST
    )


def _surely(ordered: Sequence[float], *, looked_at: int) -> int:
    """How many of the least p values may be believed, so that few enough of them are false."""
    believed = [
        place
        for place, p_value in enumerate(ordered, 1)
        if p_value <= FALSE_SHARE * place / looked_at
    ]
    return max(believed, default=0)


def at_least(found: int, *, of: int, cases: int, items: int) -> float:
    """The chance of so many cases or more in a group that is drawn blindly.

    Args:
        found: Cases in the group.
        of: Items of the group.
        cases: Of all items.
        items: All of them.
    """
    least, most = max(0, of + cases - items), min(of, cases)
    if found <= least:
        return 1.0
    weight = exp(_log_weight(found, of, cases, items))
    total = 0.0
    for place in range(found, most + 1):
        total += weight
        weight *= (of - place) * (cases - place)
        weight /= (place + 1) * (items - of - cases + place + 1)
        if weight < _NEGLIGIBLE * total:
            break
    return min(1.0, total)


def _log_weight(found: int, of: int, cases: int, items: int) -> float:
    return (
        _log_choose(cases, found) + _log_choose(items - cases, of - found) - _log_choose(items, of)
    )


def _log_choose(count: int, some: int) -> float:
    return lgamma(count + 1) - lgamma(some + 1) - lgamma(count - some + 1)
