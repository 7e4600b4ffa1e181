"""Parquet files as rows, their types kept, in constant memory."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet as pq

from processor import arrow
from processor.columns import Column
from processor.data import arrow_values
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
                    sizes = _oversize(batch)
                    for place, values in enumerate(zip(*columns, strict=True)):
                        number += 1
                        if place in sizes:
                            yield BadRow(number=number, problem=_too_long(sizes[place]))
                        else:
                            yield Row(number=number, fields=dict(zip(names, values, strict=True)))
            if not number:
                raise InputError("has no rows", source=self.name)

    def _values(self, name: str, column: Any, before: int) -> list[Any]:
        try:
            return arrow_values.plain_values(column)
        except arrow_values.BeyondTimeError as error:
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
        for place, name in enumerate(names, 1):
            if not name.strip():
                raise InputError(
                    f"column {place} has no name", source=self.name, way_out="Give it one."
                )
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


def _too_long(size: int) -> str:
    return f"has {size >> 20:,} MB, more than a row may have"


def _oversize(batch: Any) -> Mapping[int, int]:
    """The places of rows that are too long for one, and their bytes."""
    if batch.nbytes <= ROW_LIMIT_BYTES:
        return {}
    sizes = {place: batch.slice(place, 1).nbytes for place in range(batch.num_rows)}
    return {place: size for place, size in sizes.items() if size > ROW_LIMIT_BYTES}
