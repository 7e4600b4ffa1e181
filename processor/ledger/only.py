"""Which rows of a source are meant, by what stands in their columns."""

from collections.abc import Mapping, Sequence
from typing import Any

from processor import jsontext


class Only:
    """Rows whose columns have certain values: one of those named for a column, in all columns.

    Args:
        terms: Pairs of a column and a value, as text; none means every row.

    Attributes:
        columns: Those that are looked at.
    """

    def __init__(self, terms: Sequence[tuple[str, str]]) -> None:
        self._wanted: dict[str, set[str]] = {}
        for column, value in terms:
            self._wanted.setdefault(column, set()).add(value)
        self.columns: Sequence[str] = tuple(self._wanted)

    def __bool__(self) -> bool:
        return bool(self._wanted)

    def __str__(self) -> str:
        return ", ".join(
            f"{column}={' or '.join(sorted(values))}" for column, values in self._wanted.items()
        )

    def takes(self, fields: Mapping[str, Any]) -> bool:
        """Whether a row is meant."""
        return all(_text(fields.get(name)) in values for name, values in self._wanted.items())


def _text(value: Any) -> str:
    """A value as it is typed; nothing for null."""
    if isinstance(value, str):
        return value.strip()
    return "" if value is None else jsontext.dumps(value)
