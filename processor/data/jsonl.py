"""JSON Lines as rows: an object a line, its values as they came."""

import json
import math
import re
from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from processor.data.source import BadRow
from processor.errors import InputError
from processor.items import Row

_KEY = re.compile(rb'"[ \t\r]*:')
_LONG_NUMBER = re.compile(rb"[0-9]{19,}")
_LONGEST_FINITE = 300
_PLAIN = frozenset({str, int, bool, type(None)})


def read_jsonl(parts: Iterable[bytes], *, source: str) -> Iterator[Row | BadRow]:
    r"""The objects; a row's number is its line's, and blank lines are no rows.

    Lines end at `\n` alone: U+2028 and its like belong to the text around them.

    Args:
        parts: UTF-8, whole lines at a time.
        source: As the user named it, for messages.

    Raises:
        InputError: There is no row.
    """
    found = False
    for number, line in enumerate(_lines(parts), 1):
        if not line or line.isspace():
            continue
        found = True
        fields = _plain(line)
        yield Row(number=number, fields=fields) if fields is not None else _exact(number, line)
    if not found:
        raise InputError("has no rows", source=source)


def _lines(parts: Iterable[bytes]) -> Iterator[bytes]:
    for part in parts:
        lines = part.split(b"\n")
        if not lines[-1]:
            lines.pop()
        yield from lines


def _plain(line: bytes) -> dict[str, Any] | None:
    """The fields of a line on which orjson can be relied; None for all others.

    Unnoticed, orjson drops all but the last of equal keys, and rounds integers beyond 64 bits.
    An object with as many fields as the line has keys has no equal ones, and nothing nested.
    """
    try:
        fields = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    if type(fields) is not dict or len(_KEY.findall(line)) != len(fields):
        return None
    return fields if _PLAIN.issuperset(map(type, fields.values())) else None


class _RefusedError(ValueError):
    """JSON that Python would read, but not as it was meant."""


def _exact(number: int, line: bytes) -> Row | BadRow:
    """The row of any line, read slowly: equal keys are refused, long integers kept."""
    try:
        text = line.decode()
        # orjson is the stricter judge, but refuses integers of more digits than a float has.
        orjson.loads(_LONG_NUMBER.sub(_shorter, line))
        fields = _DECODER.decode(text)
    except (ValueError, RecursionError) as error:
        return BadRow(number=number, problem=_problem(error))
    if isinstance(fields, dict):
        return Row(number=number, fields=fields)
    return BadRow(number=number, problem=f"is {_KINDS[type(fields)]}, not an object")


_KINDS = {
    list: "an array",
    str: "a string",
    int: "a number",
    float: "a number",
    bool: "true or false",
    type(None): "null",
}


def _shorter(run: re.Match[bytes]) -> bytes:
    return b"1" * min(len(run[0]), _LONGEST_FINITE)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _RefusedError(f"has the field {twice} more than once")
    return fields


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise _RefusedError("has a number too large for JSON readers")
    return number


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_float=_finite)


def _problem(error: ValueError | RecursionError) -> str:
    match error:
        case _RefusedError():
            return str(error)
        case RecursionError():
            return "is nested too deeply"
        case UnicodeDecodeError():
            byte = error.object[error.start]
            return f"has a byte that is not UTF-8: 0x{byte:02X} (--encoding names another)"
        case json.JSONDecodeError():
            return _syntax_problem(error)
        case _:
            return "has an integer of more than 4,300 digits"


def _syntax_problem(error: json.JSONDecodeError) -> str:
    rest = error.doc[error.pos :]
    for name in ("NaN", "Infinity"):
        if rest.removeprefix("-").startswith(name):
            return f"has {name}, which is not JSON; null stands for a missing number"
    if not rest.strip():
        return "is cut off: it ends within its JSON"
    return f"cannot be read as JSON: {error.msg} (character {error.colno})"
