"""Which rows of a source are meant, by what stands in their columns."""

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from processor import jsontext


class Only:
    """Rows whose columns have certain values: one of those named for a column, in all columns.

    Args:
        terms: Pairs of a column and a value, as text; none means every row.

    Attributes:
        terms: As they were given.
        columns: Those that are looked at.
    """

    def __init__(self, terms: Sequence[tuple[str, str]]) -> None:
        self.terms = tuple(terms)
        self._wanted: dict[str, set[str]] = {}
        for column, value in terms:
            self._wanted.setdefault(column, set()).add(_composed(value))
        self.columns: Sequence[str] = tuple(self._wanted)

    def __bool__(self) -> bool:
        return bool(self._wanted)

    def __str__(self) -> str:
        return ", ".join(
            f"{column}={' or '.join(sorted(values))}" for column, values in self._wanted.items()
        )

    def takes(self, fields: Mapping[str, Any]) -> bool:
        """Whether a row is meant."""
        return all(
            not values.isdisjoint(_texts(fields.get(name))) for name, values in self._wanted.items()
        )


def _texts(value: Any) -> tuple[str, ...]:
    """A value in the ways in which it may be typed; nothing for null."""
    if isinstance(value, str):
        return (_composed(value.strip()),)
    if isinstance(value, float) and value.is_integer():  # Excel and data frames know 7 as 7.0
        return (jsontext.dumps(value), str(int(value)))
    return ("" if value is None else jsontext.dumps(value),)


def _composed(text: str) -> str:
    """Hangul in one spelling: files from a Mac may have it in pieces."""
    return unicodedata.normalize("NFC", text)
