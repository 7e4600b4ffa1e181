"""JSON as the ledger and the files hold it: orjson, and integers of any length."""

import json
import math
from typing import Any

import orjson

# orjson reads integers beyond 64 bits as floats and refuses to write them. Objects that hold one
# are written by the standard library behind a leading space, which tells `loads` who must read it.
_BIG = " "


def dumps(value: Any) -> str:
    """A value as compact JSON text; NaN, the data frames' "missing", becomes null.

    Raises:
        ValueError: A lone surrogate, an infinite number, or a type that JSON does not have.
    """
    try:
        text = orjson.dumps(value)
    except TypeError as error:
        if "64-bit" not in str(error):
            raise ValueError(str(error)) from error
        return _BIG + _dumps_big(value)
    if b"null" in text:  # orjson's word for an infinite number, too
        _refuse_infinite(value)
    return text.decode()


def loads(text: str) -> Any:
    """The value of text that `dumps` wrote."""
    return json.loads(text) if text.startswith(_BIG) else orjson.loads(text)


def _dumps_big(value: Any) -> str:
    try:
        text = json.dumps(
            _without_nan(value),
            ensure_ascii=False,
            allow_nan=False,
            separators=(",", ":"),
            default=_plain,
        )
    except (TypeError, RecursionError) as error:
        raise ValueError(str(error)) from error
    text.encode()  # a lone surrogate raises UnicodeEncodeError, a ValueError
    return text


def _plain(value: Any) -> Any:
    """What orjson makes of a type that the standard library does not know, such as a date."""
    return orjson.loads(orjson.dumps(value))


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_nan(inner) for inner in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def _refuse_infinite(value: Any) -> None:
    if isinstance(value, dict):
        for inner in value.values():
            _refuse_infinite(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            _refuse_infinite(inner)
    elif isinstance(value, float) and math.isinf(value):
        raise ValueError("an infinite number is not JSON")
