"""Values as PostgreSQL's text, to and from the JSON that the ledger holds.

A list in a column of arrays is an array; where PostgreSQL's own text is the only lossless form,
such as `[2:3]={1,2}`, that text stands instead. What stands in columns of JSON, `jsoncells` tells.
"""

import base64
import math
import re
import struct
from collections.abc import Callable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from processor import jsoncells, jsontext
from processor.columns import ARRAY, Column

__all__ = ["reader_of", "text_of"]

_JSON, _BYTES = jsoncells.KIND, "bytes"
_FLOAT32_BYTES = 4
# The type `json` keeps spaces and the order of keys; `jsonb` keeps values.
_JSON_AS_WRITTEN = "json"
# A bracket, a quoted element, or one without quotes.
_TOKEN = re.compile(r'[{}]|"([^"\\]*(?:\\.[^"\\]*)*)"|[^{},"]+', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def text_of(kind: str | None, value: Any) -> str | None:
    """What PostgreSQL reads as that value; None for NULL.

    Args:
        kind: Of the column, as `columns.Column` has it.
        value: JSON, or a vector as bytes, as `ResultTable` gives it. What is no value of that
            kind, such as text of before a column held bytes, is left for the table to refuse.
    """
    match value:
        case None:
            return None
        case bool():
            return "true" if value else "false"
        case str() | bytes():
            return _written(kind, value)
        case int() | float():
            return repr(value)
        case list() if kind is not None and kind.endswith(ARRAY):
            return _array(kind.removesuffix(ARRAY), value)
        case _:
            return jsontext.dumps(value).lstrip()


def _written(kind: str | None, value: str | bytes) -> str:
    if isinstance(value, bytes):
        return _vector(value)
    if kind == _JSON:
        return jsoncells.text_of(_JSON, value)
    return _hex(value) if kind == _BYTES else value


def _hex(text: str) -> str:
    try:
        return "\\x" + base64.b64decode(text, validate=True).hex()
    except ValueError:
        return text


def _vector(packed: bytes) -> str:
    """Little-endian float32 as an array; nine digits are all that such a number has."""
    numbers = struct.unpack(f"<{len(packed) // _FLOAT32_BYTES}f", packed)
    return f"{{{','.join(['%.9g'] * len(numbers))}}}" % numbers


def _array(kind: str, values: list[Any]) -> str:
    return "{" + ",".join(_element(kind, value) for value in values) + "}"


def _element(kind: str, value: Any) -> str:
    if isinstance(value, list):
        return _array(kind, value)
    text = text_of(kind, value)
    if text is None:
        return "NULL"
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def reader_of(column: Column) -> Callable[[str], Any] | None:
    """What makes JSON of the text of a column's values; None where the text is the value."""
    kind = column.kind or ""
    if not kind.endswith(ARRAY):
        return None if column.native == _JSON_AS_WRITTEN else _READERS.get(kind)
    inner = kind.removesuffix(ARRAY)
    # Lists of JSON could not be told from lists in JSON: there, every element is a text.
    read = None if inner == _JSON else _READERS.get(inner)
    return lambda text: _list_of(text, read)


def _real(text: str) -> float | str:
    value = float(text)
    return value if math.isfinite(value) else text


def _base64(text: str) -> str:
    return base64.b64encode(bytes.fromhex(text.removeprefix("\\x"))).decode()


def _json(text: str) -> Any:
    """The cell for a JSON text as `jsonb` writes it."""
    return jsoncells.read(text, parse_float=_exact)


def _exact(text: str) -> float:
    """A number with a fraction, if a float holds all that is written of it."""
    value = float(text)
    if repr(value) != text and format(Decimal(repr(value)), "f") != text:
        raise ValueError(text)
    return value


_READERS: Mapping[str, Callable[[str], Any]] = MappingProxyType(
    {
        "boolean": "t".__eq__,
        _BYTES: _base64,
        "integer": int,
        _JSON: _json,
        "real": _real,
    }
)


def _list_of(text: str, read: Callable[[str], Any] | None) -> list[Any] | str:
    """An array; its text where that says from which number on its elements are counted."""
    if not text.startswith("{"):
        return text
    open_lists: list[list[Any]] = [[]]
    for token in _TOKEN.finditer(text):
        match token[0]:
            case "{":
                open_lists.append([])
            case "}":
                done = open_lists.pop()
                open_lists[-1].append(done)
            case "NULL":
                open_lists[-1].append(None)
            case bare:
                quoted = token[1]
                value = bare if quoted is None else _ESCAPED.sub(r"\1", quoted)
                open_lists[-1].append(read(value) if read else value)
    (whole,) = open_lists[0]
    assert isinstance(whole, list)
    return whole
