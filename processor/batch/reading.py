"""What servers say of files and batches, as values. Pure.

Servers differ: fields are missing or null, ids empty, numbers floats or text. Whatever can be read
is; what is not there is None. Only an id cannot be done without.
"""

import math
from collections.abc import Mapping
from typing import Any

import orjson
from msgspec import Struct

from processor.batch.remote_values import TERMINAL, Problem, RemoteBatch, RemoteFile
from processor.provider_error import clean
from processor.verdict import parse_leniently

_ID_CHARS = 512
# Spelled with one l by servers that are not OpenAI's.
_SPELLINGS = {"canceled": "cancelled", "canceling": "cancelling"}


class Page(Struct, frozen=True, kw_only=True, gc=False):
    """One page of a list.

    Attributes:
        entries: The objects on it, as they came.
        more: Whether there are further pages; None when not said.
    """

    entries: tuple[Mapping[str, Any], ...]
    more: bool | None


def file_of(parsed: Any) -> RemoteFile | None:
    """A file; None for what is none."""
    if not isinstance(parsed, dict) or (found := id_of(parsed)) is None:
        return None
    name = parsed.get("filename") or parsed.get("name")
    return RemoteFile(
        id=found,
        name=name if isinstance(name, str) else "",
        bytes=_count(parsed.get("bytes")),
        created_at=seconds_of(parsed),
    )


def batch_of(parsed: Any) -> RemoteBatch | None:
    """A batch; None for what is none."""
    if not isinstance(parsed, dict) or (found := id_of(parsed)) is None:
        return None
    counts = _object(parsed.get("request_counts"))
    return RemoteBatch(
        id=found,
        status=_status(parsed.get("status")),
        endpoint=_word(parsed.get("endpoint")) or None,
        input_file_id=_id(parsed.get("input_file_id")),
        output_file_id=_id(parsed.get("output_file_id")),
        error_file_id=_id(parsed.get("error_file_id")),
        total=_count(counts.get("total")),
        completed=_count(counts.get("completed")),
        failed=_count(counts.get("failed")),
        created_at=seconds_of(parsed),
        ended_at=_ended_at(parsed),
        problems=_problems(parsed.get("errors") or parsed.get("error")),
        metadata=_metadata(parsed.get("metadata")),
    )


def page_of(parsed: Any) -> Page | None:
    """A page of a list; None for what is no list."""
    if isinstance(parsed, list):
        return Page(entries=_objects(parsed), more=False)
    if not isinstance(parsed, dict) or "data" not in parsed:
        return None
    entries = parsed["data"]
    if entries is None:  # how some write an empty list
        entries = []
    if not isinstance(entries, list):
        return None
    more = parsed.get("has_more")
    return Page(entries=_objects(entries), more=more if isinstance(more, bool) else None)


def json_of(body: bytes) -> Any:
    """The object or the list that a body is; None for everything else."""
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError:
        try:
            parsed = parse_leniently(body)
        except (ValueError, TypeError, RecursionError):
            return None
    return parsed if isinstance(parsed, dict | list) else None


def hides_error(parsed: Any) -> bool:
    """Whether a success is an error; one that has an id tells of its own."""
    return isinstance(parsed, dict) and bool(parsed.get("error")) and id_of(parsed) is None


def id_of(parsed: Mapping[str, Any]) -> str | None:
    """The id of an object; None when it has none that could be asked for."""
    return _id(parsed.get("id"))


def _ended_at(parsed: Mapping[str, Any]) -> float | None:
    """When a batch came to whichever end it has."""
    ends = (_seconds(parsed.get(f"{end}_at")) for end in TERMINAL)
    return max((end_at for end_at in ends if end_at is not None), default=None)


def seconds_of(parsed: Mapping[str, Any]) -> float | None:
    """When an object was made, in seconds since 1970; None when not said."""
    return _seconds(parsed.get("created_at"))


def _id(value: Any) -> str | None:
    if type(value) is int:
        value = str(value)
    if not isinstance(value, str) or not 0 < len(value) <= _ID_CHARS:
        return None
    return value if value.isprintable() and " " not in value else None


def _status(value: Any) -> str:
    if not isinstance(value, str):
        return ""
    word = clean(value).lower()
    return _SPELLINGS.get(word, word)


def _seconds(value: Any) -> float | None:
    """A time in seconds since 1970; servers also write it as a float or as digits."""
    number = _number(value)
    return number if number is not None and number > 0 else None


def _count(value: Any) -> int | None:
    number = _number(value)
    return int(number) if number is not None and number >= 0 else None


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _problems(value: Any) -> tuple[Problem, ...]:
    """From a list within `data`, a bare list, one object, or a text."""
    if isinstance(value, dict):
        value = value.get("data", [value])
    if isinstance(value, str):
        value = [{"message": value}]
    return tuple(_problem(each) for each in _objects(value))


def _problem(error: Mapping[str, Any]) -> Problem:
    return Problem(
        code=_word(error.get("code")) or _word(error.get("type")) or "unknown",
        message=_word(error.get("message")) or "The provider does not say why",
        line=_count(error.get("line")),
        param=_word(error.get("param")) or None,
    )


def _word(value: Any) -> str:
    return clean(value) if isinstance(value, str) else ""


def _metadata(value: Any) -> dict[str, str]:
    return {key: text for key, text in _object(value).items() if isinstance(text, str)}


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _objects(value: Any) -> tuple[Mapping[str, Any], ...]:
    """The objects of a list; what else is in it is nobody's."""
    return (
        tuple(each for each in value if isinstance(each, dict)) if value.__class__ is list else ()
    )
