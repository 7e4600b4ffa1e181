"""Parquet files as rows, their types kept, in constant memory."""

import base64
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet as pq

from processor import arrow
from processor.columns import Column, plain
from processor.data.files import refusal, regular_stamp, uri_of
from processor.data.source import BadRow
from processor.data.text import ROW_LIMIT_BYTES
from processor.errors import InputError
from processor.items import Row

_MARK = b"PAR1"
_ENCRYPTED_MARK = b"PARE"
_BATCH_BYTES = 8 << 20
_BATCH_ROWS = 4_096
_READ_BYTES = 1 << 20
_BROKEN = "Export or copy it again."


@dataclass(frozen=True, slots=True, kw_only=True)
class ParquetSource:
    """A Parquet file. It is read a batch of rows at a time, whatever the size of its row groups."""

    name: str
    path: Path

    @property
    def uri(self) -> str:
        """The absolute path."""
        return uri_of(self.path)

    def stamp(self) -> str:
        """Path, size and time of the last change.

        Raises:
            InputError: There is no such file, or it is a pipe, which cannot be read from its end.
        """
        return regular_stamp(self.path, name=self.name)

    def columns(self) -> Sequence[Column]:
        """The columns of the schema.

        Raises:
            InputError: The file is not there or no whole Parquet, or two columns have one name.
        """
        with self._open() as file:
            return [arrow.column_of(field) for field in file.schema_arrow]

    def rows(self) -> Iterator[Row | BadRow]:
        """The rows, from the first.

        Raises:
            InputError: The file cannot be read, or has no rows.
        """
        with self._open() as file:
            names = file.schema_arrow.names
            number = 0
            for group in range(file.num_row_groups):
                for batch in self._batches(file, group, number):
                    columns = [
                        self._values(name, column, number)
                        for name, column in zip(names, batch, strict=True)
                    ]
                    for place, values in enumerate(zip(*columns, strict=True)):
                        number += 1
                        if (size := _oversize(batch, place)) is not None:
                            yield BadRow(number=number, problem=f"has {size >> 20:,} MB")
                        else:
                            yield Row(number=number, fields=dict(zip(names, values, strict=True)))
            if not number:
                raise InputError("has no rows", source=self.name)

    def _values(self, name: str, column: Any, before: int) -> list[Any]:
        try:
            return _plain(column)
        except _BeyondTimeError as error:
            raise InputError(
                f"the column {name!r} holds a moment outside of all calendars",
                source=self.name,
                row=before + error.place + 1,
                way_out="Mend it, or export the column as text.",
            ) from error

    def _batches(self, file: Any, group: int, before: int) -> Iterator[Any]:
        facts = file.metadata.row_group(group)
        row_bytes = sum(
            facts.column(place).total_uncompressed_size for place in range(facts.num_columns)
        ) // max(1, facts.num_rows)
        if row_bytes > ROW_LIMIT_BYTES:  # seen before they are in memory
            raise InputError(
                f"has more than {ROW_LIMIT_BYTES >> 20} MB a row",
                source=self.name,
                row=before + 1,
                way_out="Leave the long column out.",
            )
        rows = max(1, min(_BATCH_ROWS, _BATCH_BYTES // max(1, row_bytes)))
        yield from file.iter_batches(batch_size=rows, row_groups=[group], use_threads=False)

    @contextmanager
    def _open(self) -> Iterator[Any]:
        self.stamp()
        try:
            with self.path.open("rb") as stream:
                self._check_marks(stream)
                with pq.ParquetFile(
                    stream,
                    pre_buffer=False,
                    buffer_size=_READ_BYTES,
                    # of Spark and Impala; in nanoseconds, years beyond 2262 would be others
                    coerce_int96_timestamp_unit="us",
                ) as file:
                    self._check_names(file.schema_arrow.names)
                    yield file
        except pa.ArrowException as error:
            raise self._broken(str(error)) from error
        except MemoryError as error:
            raise InputError("does not fit into memory", source=self.name) from error
        except OSError as error:
            if error.errno is None:  # Arrow's own, about what stands in the file
                raise self._broken(str(error)) from error
            raise refusal(error, self.path, name=self.name) from error

    def _check_marks(self, stream: Any) -> None:
        head = stream.read(len(_MARK))
        size = stream.seek(0, 2)
        stream.seek(max(0, size - len(_MARK)))
        tail = stream.read()
        stream.seek(0)
        if not size:
            raise InputError("is empty", source=self.name, way_out=_BROKEN)
        if _ENCRYPTED_MARK in (head, tail):
            raise InputError("is encrypted", source=self.name, way_out="Export it in the clear.")
        if head != _MARK:
            raise InputError("is no Parquet file", source=self.name, way_out=_BROKEN)
        if tail != _MARK:
            raise InputError("is cut off: its end is missing", source=self.name, way_out=_BROKEN)

    def _check_names(self, names: Sequence[str]) -> None:
        twice = [name for name, count in Counter(names).items() if count > 1]
        if twice:
            raise InputError(
                f"has more than one column named {', '.join(twice)}",
                source=self.name,
                way_out="Rename all but one.",
            )

    def _broken(self, reason: str) -> InputError:
        return InputError(
            f"is a broken Parquet file: {reason.splitlines()[0].rstrip('.')}",
            source=self.name,
            way_out=_BROKEN,
        )


def _oversize(batch: Any, place: int) -> int | None:
    """The bytes of a row that is too long for one; None for any other."""
    if batch.nbytes <= ROW_LIMIT_BYTES:
        return None
    size: int = batch.slice(place, 1).nbytes
    return size if size > ROW_LIMIT_BYTES else None


def _plain(values: Any) -> list[Any]:
    """An array as values of JSON, see `columns.plain`."""
    kind = values.type
    read = next((read for holds, read in _READERS if holds(kind)), _nested)
    found: list[Any] = read(values)
    return found


def _as_they_are(values: Any) -> list[Any]:
    found: list[Any] = values.to_pylist()
    return found


def _decoded(values: Any) -> list[Any]:
    return _plain(values.dictionary_decode())


def _json(values: Any) -> list[Any]:
    return [None if text is None else _json_value(text) for text in values.storage.to_pylist()]


def _json_value(text: str) -> Any:
    """By the standard library, which keeps integers of any length; text when it is no JSON."""
    try:
        return json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return text


def _refuse(name: str) -> None:
    raise ValueError(name)


def _uuids(values: Any) -> list[Any]:
    return [None if value is None else str(value) for value in values.to_pylist()]


def _stored(values: Any) -> list[Any]:
    return _plain(values.storage)


def _decimals(values: Any) -> list[Any]:
    return [None if value is None else format(value, "f") for value in values.to_pylist()]


def _numbered(values: Any) -> list[Any]:
    return _as_they_are(values.cast(pa.int64()))


def _moments(values: Any) -> list[Any]:
    """ISO 8601; nanoseconds and years beyond 9999, which Python lacks, as Arrow writes them."""
    kind = values.type
    try:
        if kind in _FINER:
            values = values.cast(_FINER[kind])
        elif pa.types.is_timestamp(kind) and kind.unit == "ns":
            values = values.cast(pa.timestamp("us", kind.tz))
        return [None if value is None else value.isoformat() for value in values.to_pylist()]
    except (pa.ArrowInvalid, ValueError, OverflowError):
        texts = values.cast(pa.string()).to_pylist()
        for place, text in enumerate(texts):
            if text is not None and text.startswith("<"):
                raise _BeyondTimeError(place) from None
        return [None if text is None else text.replace(" ", "T", 1) for text in texts]


class _BeyondTimeError(Exception):
    """A value is no moment that could be written down."""

    def __init__(self, place: int) -> None:
        super().__init__(place)
        self.place = place


_FINER = {pa.time64("ns"): pa.time64("us")}


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
    (pa.types.is_temporal, _moments),
    (pa.types.is_binary, _binary),
    (pa.types.is_large_binary, _binary),
    (pa.types.is_fixed_size_binary, _binary),
)
