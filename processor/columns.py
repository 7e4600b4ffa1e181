"""Columns, and the types of what stands in them.

In the ledger every value is JSON. What JSON cannot say, such as a decimal, a date or a UUID, is
text there; its column's kind tells what it was, and makes it that again where it is written to a
table that knows types.
"""

import base64
import binascii
import json
import math
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import Any
from uuid import UUID

from msgspec import Struct

ARRAY = "[]"
VECTOR = "vector"
"""The kind of a column of embeddings: little-endian float32 as bytes, which no source has."""
ARROW = "arrow:"
"""Before a native type that is Arrow's, as Arrow itself writes it down: exact, but not SQL."""


class Column(Struct, frozen=True, gc=False):
    """A column of a table.

    Attributes:
        name: Unique in its table.
        kind: One of `KINDS`, or such with `[]` behind it for lists; `VECTOR` among results; None
            where every value speaks for itself, as in JSON Lines, or is text, as in CSV.
        native: The type in the words of the store that it came from, such as `numeric(10,2)`.
    """

    name: str
    kind: str | None = None
    native: str | None = None


_PLAIN = frozenset({str, bool, int, float})
_MISSING = frozenset({"NAType", "NaTType"})  # of pandas, which need not be there
# Of a value of a subtype, such as a member of an enumeration, what it holds.
_WRITTEN: Mapping[type, Callable[[Any], Any]] = MappingProxyType(
    {
        str: str.__str__,
        int: int.__int__,
        float: float.__float__,
        Decimal: str,
        UUID: str,
        **dict.fromkeys((date, time), lambda value: value.isoformat()),
        **dict.fromkeys(
            (bytes, bytearray, memoryview), lambda value: base64.b64encode(value).decode()
        ),
    }
)


def plain(value: Any) -> Any:
    """A value as JSON holds it.

    Args:
        value: Of any kind; lists and mappings may hold such.

    Raises:
        TypeError: Of none that could be kept.
    """
    if value is None or type(value) in _PLAIN:
        return value
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    return _written(value)


def _written(value: Any) -> Any:
    if type(value).__name__ in _MISSING:
        return None
    for kind, written in _WRITTEN.items():
        if isinstance(value, kind):
            return written(value)
    if hasattr(value, "shape") and hasattr(value, "tolist"):  # of NumPy, or a tensor
        return plain(value.tolist())
    raise TypeError(f"a value of the type {type(value).__name__} cannot be kept")


def typed(kind: str | None, value: Any) -> Any:
    """What `plain` made JSON of, as a value of that kind again.

    A value that does not fit, such as PostgreSQL's `infinity` in a column of dates, stays as it
    is: whoever writes it knows what its table takes.
    """
    if value is None or kind is None:
        return value
    if kind.endswith(ARRAY):
        inner = kind.removesuffix(ARRAY)
        return [typed(inner, one) for one in value] if isinstance(value, list) else value
    make = _MAKERS.get(kind)
    if make is None or not isinstance(value, str):
        return value
    try:
        return make(value)
    except (ValueError, RecursionError, InvalidOperation, binascii.Error):
        return value


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError(text)
    return value


_MAKERS: Mapping[str, Callable[[str], Any]] = MappingProxyType(
    {
        "decimal": Decimal,
        "date": date.fromisoformat,
        "time": time.fromisoformat,
        "timestamp": datetime.fromisoformat,
        "timestamptz": datetime.fromisoformat,
        "uuid": UUID,
        "bytes": lambda text: base64.b64decode(text, validate=True),
        "json": lambda text: json.loads(text, parse_float=_finite),
        "real": float,  # NaN and infinity, which JSON cannot say
    }
)
KINDS = frozenset({*_MAKERS, "boolean", "integer", "interval", "json", "text"})
