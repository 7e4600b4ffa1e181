"""Cells of columns that hold JSON: where one is a value, and where it is the text of one.

SQL tells the absence of a value from the JSON value `null`, and a database keeps `1.10` and numbers
that no float holds. So text in a column of the kind `json` is JSON text, such as `"a"`, `null` or
`1.10`, and anything else is the value itself. In a list of the kind `json[]` every element is text.
Text that is no JSON stands for itself.
"""

import json
from collections.abc import Callable
from typing import Any

from processor import jsontext
from processor.columns import ARRAY

KIND = "json"


def holds_json(kind: str | None) -> bool:
    """Whether that is the kind of a column whose cells are read here."""
    return kind is not None and kind.removesuffix(ARRAY) == KIND


def cell_of(value: Any) -> Any:
    """A value, which may be null, as a cell of the kind `json`.

    Raises:
        ValueError: A lone surrogate, an infinite number.
    """
    return jsontext.dumps(value) if value is None or isinstance(value, str) else value


def read(text: str, *, parse_float: Callable[[str], float] = float) -> Any:
    """The cell for a JSON text: its value, or the text where a value could not tell it.

    Args:
        text: Is itself the cell when it is no JSON.
        parse_float: Makes a number of one with a fraction, or raises ValueError to keep the text.
    """
    try:  # by the standard library, which keeps integers of any length
        value = json.loads(text, parse_constant=_refuse, parse_float=parse_float)
    except (ValueError, RecursionError):
        return text
    return text if value is None or isinstance(value, str) else value


def text_of(kind: str, cell: Any) -> str:
    """The JSON text of a cell, which is not empty.

    Args:
        kind: `json`, or `json[]` for lists of cells.
        cell: As it stands in the ledger.

    Raises:
        ValueError: A lone surrogate, an infinite number.
    """
    if isinstance(cell, str):
        return cell if is_json(cell) else _dumped(cell)
    if kind == KIND or not isinstance(cell, list):
        return _dumped(cell)
    return f"[{','.join('null' if one is None else text_of(kind, one) for one in cell)}]"


def is_json(text: str) -> bool:
    """Whether a text is JSON."""
    try:
        json.loads(text, parse_constant=_refuse)
    except RecursionError:  # so deep that only its end could be wrong
        return True
    except ValueError:
        return False
    return True


def _dumped(value: Any) -> str:
    return jsontext.dumps(value).lstrip(" ")


def _refuse(name: str) -> None:
    raise ValueError(name)
