"""Arrays of Arrow as values of JSON, see `columns.plain`."""

import base64
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa

from processor import jsoncells
from processor.columns import plain


class BeyondTimeError(Exception):
    """A value is no moment that could be written down.

    Attributes:
        place: Where it stands in its array.
    """

    def __init__(self, place: int) -> None:
        super().__init__(place)
        self.place = place


def plain_values(values: Any) -> list[Any]:
    """The values of an array.

    Raises:
        BeyondTimeError: One is a moment that no calendar has.
    """
    kind = values.type
    read = next((read for holds, read in _READERS if holds(kind)), _nested)
    found: list[Any] = read(values)
    return found


def _as_they_are(values: Any) -> list[Any]:
    found: list[Any] = values.to_pylist()
    return found


def _decoded(values: Any) -> list[Any]:
    return plain_values(values.dictionary_decode())


def _json(values: Any) -> list[Any]:
    return [
        None if text is None else jsoncells.read(text, parse_float=_finite)
        for text in values.storage.to_pylist()
    ]


def _finite(text: str) -> float:
    """A number with a fraction, if a float holds it."""
    value = float(text)
    if repr(value) != text and Decimal(text) != Decimal(repr(value)):
        raise ValueError(text)
    return value


def _uuids(values: Any) -> list[Any]:
    return [None if value is None else str(value) for value in values.to_pylist()]


def _stored(values: Any) -> list[Any]:
    return plain_values(values.storage)


def _decimals(values: Any) -> list[Any]:
    return [None if value is None else format(value, "f") for value in values.to_pylist()]


def _numbered(values: Any) -> list[Any]:
    return _as_they_are(values.cast(pa.int64()))


def _moments(values: Any) -> list[Any]:
    """Dates and times of day."""
    try:
        fine = values.cast(_FINER[values.type]) if values.type in _FINER else values
        return [None if value is None else value.isoformat() for value in fine.to_pylist()]
    except (pa.ArrowInvalid, ValueError, OverflowError):
        return _written_out(values)


_FINER = {pa.time64("ns"): pa.time64("us")}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _timestamps(values: Any) -> list[Any]:
    """Points in time, from numbers: Arrow's own way loads all of pandas where it is installed."""
    zone = values.type.tz
    try:
        found = values.cast(pa.timestamp("us", zone)).cast(pa.int64()).to_pylist()
        moments = [None if us is None else _EPOCH + timedelta(microseconds=us) for us in found]
    except (pa.ArrowInvalid, OverflowError):
        return _written_out(values)
    if zone is None:
        return [None if one is None else one.replace(tzinfo=None).isoformat() for one in moments]
    there = _zone(zone)
    return [None if one is None else _local(one, there).isoformat() for one in moments]


def _local(moment: datetime, zone: tzinfo) -> datetime:
    """A moment as clocks there tell it; in UTC when they were off by seconds, as before 1900.

    In UTC, too, when it would be in the year 10000 there, as the last moment of 9999 may be.
    """
    try:
        local = moment.astimezone(zone)
    except OverflowError:
        return moment
    offset = local.utcoffset() or timedelta()
    return moment if offset % timedelta(minutes=1) else local


def _zone(name: str) -> tzinfo:
    """A zone of Arrow's; UTC, in which the moment is the same, when this machine knows it not."""
    found = _OFFSET.fullmatch(name)
    if found:
        return datetime.strptime(name.replace(":", ""), "%z").tzinfo or UTC
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return UTC


_OFFSET = re.compile(r"[+-][0-9]{2}:[0-9]{2}")


def _written_out(values: Any) -> list[Any]:
    """Nanoseconds and years beyond 9999, which Python lacks, as Arrow writes them."""
    texts = values.cast(pa.string()).to_pylist()
    for place, text in enumerate(texts):
        if text is not None and text.startswith("<"):
            raise BeyondTimeError(place) from None
    return [None if text is None else text.replace(" ", "T", 1) for text in texts]


def _binary(values: Any) -> list[Any]:
    return [
        None if value is None else base64.b64encode(value).decode() for value in values.to_pylist()
    ]


def _nested(values: Any) -> list[Any]:
    readable = _readable(values.type)
    if readable != values.type:
        values = values.cast(readable)
    return [plain(value) for value in values.to_pylist()]


def _readable(kind: Any) -> Any:
    """A type whose values Python has: nanoseconds become text, durations numbers."""
    if pa.types.is_dictionary(kind):
        kind = _readable(kind.value_type)
    elif pa.types.is_duration(kind):
        kind = pa.int64()
    elif kind in _FINER or (pa.types.is_timestamp(kind) and kind.unit == "ns"):
        kind = pa.string()
    elif pa.types.is_struct(kind):
        kind = pa.struct([field.with_type(_readable(field.type)) for field in kind])
    elif pa.types.is_map(kind):
        kind = pa.map_(_readable(kind.key_type), _readable(kind.item_type))
    elif pa.types.is_list(kind):
        kind = pa.list_(kind.value_field.with_type(_readable(kind.value_type)))
    elif pa.types.is_large_list(kind):
        kind = pa.large_list(kind.value_field.with_type(_readable(kind.value_type)))
    return kind


_READERS: Sequence[tuple[Callable[[Any], bool], Callable[[Any], list[Any]]]] = (
    (pa.types.is_string, _as_they_are),
    (pa.types.is_integer, _as_they_are),
    (pa.types.is_floating, _as_they_are),
    (pa.types.is_boolean, _as_they_are),
    (pa.types.is_large_string, _as_they_are),
    (pa.types.is_null, _as_they_are),
    (pa.types.is_dictionary, _decoded),
    (lambda kind: isinstance(kind, pa.JsonType), _json),
    (lambda kind: isinstance(kind, pa.UuidType), _uuids),
    (lambda kind: isinstance(kind, pa.BaseExtensionType), _stored),
    (pa.types.is_decimal, _decimals),
    (pa.types.is_duration, _numbered),
    (pa.types.is_timestamp, _timestamps),
    (pa.types.is_temporal, _moments),
    (pa.types.is_binary, _binary),
    (pa.types.is_large_binary, _binary),
    (pa.types.is_fixed_size_binary, _binary),
)
