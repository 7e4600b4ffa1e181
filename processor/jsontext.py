"""JSON as the ledger and the files hold it: orjson, and integers of any length."""

import json
from typing import Any

import orjson

# orjson reads integers beyond 64 bits as floats and refuses to write them. Objects that hold one
# are written by the standard library behind a leading space, which tells `loads` who must read it.
_BIG = " "


def dumps(value: Any) -> str:
    """A value as compact JSON text; NaN, the data frames' "missing", becomes null.

    Raises:
        ValueError: A lone surrogate, or a type that JSON does not have.
    """
    try:
        return orjson.dumps(value).decode()
    except TypeError as error:
        if "64-bit" not in str(error):
            raise ValueError(str(error)) from error
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    text.encode()  # a lone surrogate raises UnicodeEncodeError, a ValueError
    return _BIG + text


def loads(text: str) -> Any:
    """The value of text that `dumps` wrote."""
    return json.loads(text) if text.startswith(_BIG) else orjson.loads(text)
