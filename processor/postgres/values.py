"""Values as PostgreSQL's text, from the JSON that the ledger holds.

A list in a column of arrays is an array; where PostgreSQL's own text is the only lossless form,
such as `[2:3]={1,2}`, that text stands instead. In a column of JSON, text is a JSON text, because
`1.10` and `null` would not come back as they were.
"""

import base64
from typing import Any

from processor import jsontext
from processor.columns import ARRAY

__all__ = ["text_of"]

_JSON, _BYTES = "json", "bytes"


def text_of(kind: str | None, value: Any) -> str | None:
    """What PostgreSQL reads as that value; None for NULL.

    Args:
        kind: Of the column, as `columns.Column` has it.
        value: JSON, as `ResultTable` gives it.

    Raises:
        ValueError: A column of bytes holds something else.
    """
    match value:
        case None:
            return None
        case bool():
            return "true" if value else "false"
        case str():
            return _hex(value) if kind == _BYTES else value
        case int() | float():
            return repr(value)
        case list() if kind is not None and kind.endswith(ARRAY):
            return _array(kind.removesuffix(ARRAY), value)
        case _:
            return jsontext.dumps(value).lstrip()


def _hex(text: str) -> str:
    return "\\x" + base64.b64decode(text, validate=True).hex()


def _array(kind: str, values: list[Any]) -> str:
    return "{" + ",".join(_element(kind, value) for value in values) + "}"


def _element(kind: str, value: Any) -> str:
    if isinstance(value, list):
        return _array(kind, value)
    text = text_of(kind, value)
    if text is None:
        return "NULL"
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
