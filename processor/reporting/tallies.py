"""Items counted by what they have in common, for `patterns`."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from processor.ledger.results import Result
from processor.reporting.patterns import Counted, Factor

_VALUES_MOST = 60  # of a column; one with more tells items apart, not groups
_VALUE_CHARACTERS_MOST = 80
_PARTS = 5  # of lengths
_LENGTHS_LEAST = 50
_EMPTY = "(empty)"

Groups = dict[str, list[int]]


class Tallies:
    """Counts items that have an outcome, and those of them with a property, group by group.

    Args:
        columns: Of the input.
        with_columns: Whether values of columns are looked at.
    """

    def __init__(self, columns: Sequence[str], *, with_columns: bool) -> None:
        self._columns: dict[str, Groups] = {
            name: defaultdict(lambda: [0, 0]) for name in (columns if with_columns else ())
        }
        self._own: dict[str, Groups] = {
            name: defaultdict(lambda: [0, 0]) for name in ("lane", "model", "tier", "attempts")
        }
        self._lengths: list[tuple[int, bool]] = []

    def add(self, item: Result, fields: Mapping[str, Any], *, is_case: bool) -> None:
        """Count an item.

        Args:
            item: With an outcome.
            fields: Of its row.
            is_case: Whether it has the property.
        """
        for name, groups in list(self._columns.items()):
            value = _named(fields.get(name))
            if value is None or (value not in groups and len(groups) >= _VALUES_MOST):
                del self._columns[name]
                continue
            _count(groups, value, is_case=is_case)
        _count(self._own["lane"], item.lane or _EMPTY, is_case=is_case)
        _count(self._own["attempts"], _attempts(item.attempts), is_case=is_case)
        for name, value in (("model", item.model), ("tier", item.tier)):
            if value is not None:
                _count(self._own[name], value, is_case=is_case)
        longest = max((len(one) for one in fields.values() if isinstance(one, str)), default=0)
        self._lengths.append((longest, is_case))

    def factors(self) -> Iterator[Factor]:
        """What was counted."""
        for name, groups in self._columns.items():
            yield Factor("column", name, _counted(groups))
        for name, groups in self._own.items():
            yield Factor(name, name, _counted(groups))
        yield Factor("length", "length", lengths(self._lengths))


def lengths(found: Sequence[tuple[int, bool]]) -> dict[str, Counted]:
    """Items by the length of their text, in parts of about the same number of items.

    Args:
        found: Of each item the length in characters, and whether it has the property.
    """
    if len(found) < _LENGTHS_LEAST:
        return {}
    ordered = sorted(length for length, _ in found)
    ends = sorted({ordered[len(ordered) * part // _PARTS - 1] for part in range(1, _PARTS + 1)})
    groups: Groups = {_between(ends, place): [0, 0] for place in range(len(ends))}
    names = list(groups)
    for length, is_case in found:
        place = next(place for place, end in enumerate(ends) if length <= end)
        _count(groups, names[place], is_case=is_case)
    return _counted(groups)


def _between(ends: Sequence[int], place: int) -> str:
    if not place:
        return f"up to {ends[0]:,} characters"
    return f"{ends[place - 1] + 1:,} to {ends[place]:,} characters"


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
