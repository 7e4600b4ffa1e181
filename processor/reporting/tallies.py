"""Items counted by what they have in common, for `patterns`."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from processor.ledger.results import Result
from processor.reporting import timeline
from processor.reporting.patterns import Counted, Factor

_VALUES_MOST = 60  # of a column; one with more tells items apart, not groups
_VALUE_CHARACTERS_MOST = 80
_LENGTHS, _TIMES = 5, 10  # parts of about as many items each
_OF_PART_LEAST = 10
_EMPTY = "(empty)"

Groups = dict[str, list[int]]
Between = Callable[[float | None, float], str]
"""The name of a part that begins behind one value, None for the first, and ends with another."""


@dataclass(frozen=True, slots=True)
class Sent:
    """How an item was first sent, before anything came of it.

    What fails is tried again, by another lane perhaps, and is done last: lane and time of an
    outcome would tell of failures what is so by their nature.

    Attributes:
        at: Seconds since 1970; None of a batch.
    """

    lane: str
    at: float | None


class Tallies:
    """Counts items that have an outcome, and those of them with a property, group by group.

    Args:
        columns: Of the input whose values are looked at.
        with_attempts: Whether attempts are; of failures they are a part.
    """

    def __init__(self, columns: Sequence[str], *, with_attempts: bool) -> None:
        own = ("lane", "model", "tier", *(["attempts"] if with_attempts else []))
        self._columns: dict[str, Groups] = {name: defaultdict(lambda: [0, 0]) for name in columns}
        self._own: dict[str, Groups] = {name: defaultdict(lambda: [0, 0]) for name in own}
        self._lengths: list[tuple[float, bool]] = []
        self._times: list[tuple[float, bool]] = []

    def add(self, item: Result, fields: Mapping[str, Any], sent: Sent, *, is_case: bool) -> None:
        """Count an item.

        Args:
            item: With an outcome.
            fields: Of its row.
            sent: How it was first sent.
            is_case: Whether it has the property.
        """
        for name, groups in list(self._columns.items()):
            value = _named(fields.get(name))
            if value is None or (value not in groups and len(groups) >= _VALUES_MOST):
                del self._columns[name]
                continue
            _count(groups, value, is_case=is_case)
        own = {"model": item.model, "tier": item.tier, "attempts": _attempts(item.attempts)}
        for name, groups in self._own.items():
            value = sent.lane if name == "lane" else own[name]
            if value is not None:
                _count(groups, value, is_case=is_case)
        if sent.at is not None:
            self._times.append((sent.at, is_case))
        longest = max((len(one) for one in fields.values() if isinstance(one, str)), default=0)
        self._lengths.append((longest, is_case))

    def factors(self) -> Iterator[Factor]:
        """What was counted."""
        for name, groups in self._columns.items():
            yield Factor("column", name, _counted(groups))
        for name, groups in self._own.items():
            yield Factor(name, name, _counted(groups))
        yield Factor("length", "length", parts(self._lengths, _LENGTHS, _characters))
        yield Factor("time", "time", parts(self._times, _TIMES, self._between_times))

    def _between_times(self, begin: float | None, end: float) -> str:
        first, last = min(self._times)[0], max(self._times)[0]
        is_dated = timeline.day(first) != timeline.day(last)
        ends = [timeline.clock(at, dated=is_dated) for at in (begin or first, end)]
        return " to ".join(dict.fromkeys(ends))


def parts(found: Sequence[tuple[float, bool]], count: int, between: Between) -> dict[str, Counted]:
    """Items in their order, in parts of about as many items each.

    Args:
        found: Of each item the value, such as a length, and whether it has the property.
        count: How many parts at most; none of so few items that they would say nothing.
        between: Names a part; parts of one name are one.
    """
    if len(found) < count * _OF_PART_LEAST:
        return {}
    ordered = sorted(value for value, _ in found)
    ends = sorted({ordered[len(ordered) * part // count - 1] for part in range(1, count + 1)})
    names = [between(begin, end) for begin, end in zip([None, *ends], ends, strict=False)]
    groups: Groups = {name: [0, 0] for name in names}
    for value, is_case in found:
        _count(groups, names[bisect_left(ends, value)], is_case=is_case)
    return _counted(groups)


def _characters(begin: float | None, end: float) -> str:
    return f"{'up to' if begin is None else f'{begin + 1:,.0f} to'} {end:,.0f} characters"


def _named(value: Any) -> str | None:
    """A value as the name of a group; None where it is too long for one, or made of several."""
    if value is None or value == "":
        return _EMPTY
    if isinstance(value, (dict, list)):
        return None
    text = str(value)
    return text if len(text) <= _VALUE_CHARACTERS_MOST else None


def _attempts(count: int) -> str:
    return "1 attempt" if count == 1 else f"{count} attempts"


def _count(groups: Groups, value: str, *, is_case: bool) -> None:
    group = groups[value]
    group[0] += 1
    group[1] += is_case


def _counted(groups: Groups) -> dict[str, Counted]:
    return {value: Counted(items, cases) for value, (items, cases) in groups.items()}
