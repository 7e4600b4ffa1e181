"""Rows of results as one JSON text, which a database takes apart again.

Every value stands in it as PostgreSQL's own text of it, or as a number of that spelling. One
parameter holds thousands of rows: they take one statement, and neither a temporary table, which a
role needs a right for, nor a value that is put together with SQL.
"""

from collections.abc import Sequence
from operator import itemgetter
from typing import Any

import orjson

from processor import jsontext
from processor.exports.postgres.plan import Slot
from processor.postgres.values import text_of

# Of these kinds every value is text or a whole number already.
_AS_THEY_ARE = frozenset(
    {
        *("date", "decimal", "integer", "interval", "text", "time", "timestamp", "timestamptz"),
        "uuid",
    }
)
_NUL, _INSTEAD = "\x00", "\ufffd"
_NUL_IN_JSON = "\\u0000"


class Cells:
    """Takes the cells that are wanted out of rows.

    Args:
        slots: Columns, two or more.
    """

    def __init__(self, slots: Sequence[Slot]) -> None:
        self._wanted = itemgetter(*(slot.place for slot in slots))
        self._worded = [
            (place, slot.column.kind)
            for place, slot in enumerate(slots)
            if slot.column.kind not in _AS_THEY_ARE
        ]

    def payload(self, rows: Sequence[Sequence[Any]]) -> str:
        """An array of arrays. The character NUL, which PostgreSQL has no place for, is `�`."""
        cells = [list(self._wanted(row)) for row in rows]
        for place, kind in self._worded:
            for row in cells:
                row[place] = text_of(kind, row[place])
        text = _json(cells)
        return _json(_without_nul(cells)) if _NUL_IN_JSON in text else text


def _json(cells: list[list[Any]]) -> str:
    try:
        return orjson.dumps(cells).decode()  # there is no float left that JSON could not say
    except TypeError:  # an integer of more than 64 bits
        return jsontext.dumps(cells)


def _without_nul(cells: list[list[Any]]) -> list[list[Any]]:
    return [
        [cell.replace(_NUL, _INSTEAD) if isinstance(cell, str) else cell for cell in row]
        for row in cells
    ]
