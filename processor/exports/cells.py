"""What stands in a cell, as text."""

import re
from collections.abc import Sequence
from typing import Any

from processor import jsoncells, jsontext
from processor.columns import ARRAY, Column

_JSON_LIST = jsoncells.KIND + ARRAY

PLAIN = frozenset({str, int, float, type(None)})
"""Types of values that a cell of CSV holds as they are."""
# What spreadsheets take for the beginning of a formula: full-width signs too, where the East
# Asian editions do, and white space, behind which they look on.
_FORMULA = frozenset("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
_NUMBER = re.compile(r"[-+]?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")


def csv_cell(value: Any) -> Any:
    """A value as CSV holds it: nested values and booleans as JSON, nothing for null."""
    return value if type(value) in PLAIN else json_text(value)


def text(value: Any) -> str | None:
    """A value as text: text as it is, all else as JSON."""
    return value if value is None or isinstance(value, str) else json_text(value)


def with_json_lists_as_text(
    columns: Sequence[Column], rows: Sequence[list[Any]]
) -> Sequence[list[Any]]:
    """Rows whose lists of JSON texts are the JSON text of the list, for forms without lists."""
    places = [place for place, column in enumerate(columns) if column.kind == _JSON_LIST]
    if not places:
        return rows
    found = [list(row) for row in rows]
    for row in found:
        for place in places:
            if row[place] is not None:
                row[place] = jsoncells.text_of(_JSON_LIST, row[place])
    return found


def json_text(value: Any) -> str:
    """A value as compact JSON."""
    return jsontext.dumps(value).lstrip(" ")


def harmless(value: Any) -> Any:
    """A cell that no spreadsheet takes for a formula: an apostrophe before what begins like one.

    Numbers stay numbers, also those that are text, such as `-5`.
    """
    if type(value) is not str or value[:1] not in _FORMULA or _NUMBER.fullmatch(value):
        return value
    return f"'{value}" if value else value
