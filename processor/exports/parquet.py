"""Results as Parquet, in constant memory."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from itertools import accumulate
from typing import IO, Any
from uuid import UUID

import pyarrow as pa
from pyarrow import parquet as pq

from processor import arrow, jsoncells
from processor.columns import VECTOR, Column, typed
from processor.exports import cells
from processor.exports.grid import Grid
from processor.ledger.vectors import NUMBER_BYTES

# What is gathered before it is written as one row group.
_GROUP_ROWS = 65_536
_GROUP_BYTES = 16 << 20
_UNFIT = (pa.ArrowException, ValueError, TypeError, OverflowError)


class _MisfitError(Exception):
    """A column holds a value that its type does not take."""

    def __init__(self, place: int) -> None:
        super().__init__(place)
        self.place = place


def write(file: IO[bytes], grid: Grid) -> int:
    """Write the rows with the types of their columns; returns how many.

    A column with a value that its type does not take, such as PostgreSQL's `infinity` among
    timestamps, is text as a whole: it is written anew from the first row, and nothing is lost.

    Args:
        file: Open for reading and writing, empty.
        grid: The rows; every column has its kind.
    """
    types = [arrow.type_of(column) for column in grid.columns]
    while True:
        try:
            return _write(file, grid, types)
        except _MisfitError as misfit:
            types[misfit.place] = pa.string()
            file.seek(0)
            file.truncate()


def _write(file: IO[bytes], grid: Grid, types: Sequence[Any]) -> int:
    schema = pa.schema(
        [(column.name, kind) for column, kind in zip(grid.columns, types, strict=True)]
    )
    count = 0
    with pq.ParquetWriter(file, schema) as writer:
        group: list[Any] = []
        group_rows = group_bytes = 0
        for rows in grid.slices():
            group.append(_batch(rows, grid.columns, schema))
            count += len(rows)
            group_rows += len(rows)
            group_bytes += group[-1].nbytes
            if group_rows >= _GROUP_ROWS or group_bytes >= _GROUP_BYTES:
                writer.write_table(pa.Table.from_batches(group, schema))
                group, group_rows, group_bytes = [], 0, 0
        if group or not count:
            writer.write_table(pa.Table.from_batches(group, schema))
    return count


def _batch(rows: Sequence[Sequence[Any]], columns: Sequence[Column], schema: Any) -> Any:
    arrays = []
    for place, values in enumerate(zip(*rows, strict=True)):
        try:
            arrays.append(_array(columns[place], schema.field(place).type, values))
        except _UNFIT as error:
            raise _MisfitError(place) from error
    return pa.record_batch(arrays, schema=schema)


def _array(column: Column, wanted: Any, values: Sequence[Any]) -> Any:
    """Values of JSON as an array.

    Raises:
        ValueError, TypeError, OverflowError, ArrowException: One does not fit.
    """
    if column.kind == VECTOR:
        return _vectors(values, wanted)
    make = next((make for holds, make in _MAKERS if holds(wanted)), _direct)
    return make(column, wanted, values)


def _vectors(values: Sequence[bytes | None], wanted: Any) -> Any:
    """Lists of float32 out of their bytes, without a Python object for each number."""
    sizes = (0 if value is None else len(value) // NUMBER_BYTES for value in values)
    ends = pa.array(accumulate(sizes, initial=0), pa.int32())
    joined = pa.py_buffer(b"".join(value or b"" for value in values))
    numbers = pa.Array.from_buffers(pa.float32(), len(joined) // NUMBER_BYTES, [None, joined])
    absent = pa.array([value is None for value in values])
    return pa.ListArray.from_arrays(ends, numbers, wanted, mask=absent)


def _direct(column: Column, wanted: Any, values: Sequence[Any]) -> Any:
    return pa.array([typed(column.kind, value) for value in values], wanted)


def _integers(_: Column, wanted: Any, values: Sequence[Any]) -> Any:
    return pa.array([_whole(value) for value in values], wanted)


def _whole(value: Any) -> Any:
    """A whole number; of a fraction Arrow would keep the whole part, and say nothing.

    Raises:
        ValueError: It is a fraction.
    """
    if isinstance(value, float) and not value.is_integer():
        raise ValueError(value)
    return value


def _dictionary(column: Column, wanted: Any, values: Sequence[Any]) -> Any:
    return _array(column, wanted.value_type, values).cast(wanted)


def _json(column: Column, wanted: Any, values: Sequence[Any]) -> Any:
    kind = column.kind or jsoncells.KIND
    texts = [None if value is None else jsoncells.text_of(kind, value) for value in values]
    return pa.ExtensionArray.from_storage(wanted, pa.array(texts, wanted.storage_type))


def _extension(column: Column, wanted: Any, values: Sequence[Any]) -> Any:
    stored = [_stored(typed(column.kind, value)) for value in values]
    return pa.ExtensionArray.from_storage(wanted, pa.array(stored, wanted.storage_type))


def _text(_: Column, wanted: Any, values: Sequence[Any]) -> Any:
    return pa.array([cells.text(value) for value in values], wanted)


def _duration(column: Column, wanted: Any, values: Sequence[Any]) -> Any:
    return _integers(column, pa.int64(), values).cast(wanted)


def _by_text(_: Column, wanted: Any, values: Sequence[Any]) -> Any:
    """By way of text, which alone has the whole of a decimal."""
    return pa.array(values, pa.string()).cast(wanted)


def _moment(_: Column, wanted: Any, values: Sequence[Any]) -> Any:
    """By way of text, which alone has nanoseconds; a coarser unit takes what it can hold whole."""
    finest = "ns" if wanted.unit == "ns" else "us"
    return pa.array(values, pa.string()).cast(pa.timestamp(finest, wanted.tz)).cast(wanted)


def _time(column: Column, wanted: Any, values: Sequence[Any]) -> Any:
    moments = [None if value is None else f"1970-01-01T{value}" for value in values]
    return _moment(column, pa.timestamp(wanted.unit), moments).cast(wanted)


def _milliseconds(_: Column, wanted: Any, values: Sequence[Any]) -> Any:
    return pa.array(values, pa.string()).cast(pa.date32()).cast(wanted)


def _nested(_: Column, wanted: Any, values: Sequence[Any]) -> Any:
    revived = _reviver(wanted)
    return pa.array([revived(value) for value in values], wanted)


# The first that holds for a type; all others take values as they are.
_MAKERS: Sequence[tuple[Callable[[Any], bool], Callable[[Column, Any, Sequence[Any]], Any]]] = (
    (pa.types.is_integer, _integers),
    (pa.types.is_dictionary, _dictionary),
    (lambda wanted: isinstance(wanted, pa.JsonType), _json),
    (lambda wanted: isinstance(wanted, pa.BaseExtensionType), _extension),
    (pa.types.is_string, _text),
    (pa.types.is_large_string, _text),
    (pa.types.is_string_view, _text),
    (pa.types.is_duration, _duration),
    (pa.types.is_time, _time),
    (pa.types.is_date64, _milliseconds),
    (pa.types.is_timestamp, _moment),
    (pa.types.is_temporal, _by_text),
    (pa.types.is_decimal, _by_text),
    (pa.types.is_nested, _nested),
)


def _stored(value: Any) -> Any:
    return value.bytes if isinstance(value, UUID) else value


@cache
def _reviver(wanted: Any) -> Callable[[Any], Any]:
    """What makes of a nested value of JSON one that Arrow takes for a type."""
    if pa.types.is_struct(wanted):
        return _of_struct({field.name: _reviver(field.type) for field in wanted})
    if pa.types.is_map(wanted):
        return _of_map(_reviver(wanted.key_type), _reviver(wanted.item_type))
    if arrow.is_list(wanted):
        return _of_list(_reviver(wanted.value_type))
    if pa.types.is_integer(wanted):
        return _whole
    kind = arrow.kind_of(wanted)
    if pa.types.is_timestamp(wanted) or pa.types.is_time(wanted):
        # a number, as Python has no nanoseconds
        return lambda value: value and _array(_NAMELESS, wanted, [value])[0].value
    return lambda value: _stored(typed(kind, value))


_NAMELESS = Column("")


def _of_struct(fields: Mapping[str, Callable[[Any], Any]]) -> Callable[[Any], Any]:
    """What a row lacks is null, as its type may have grown since; what has no place is refused."""

    def make_all(value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        if not value.keys() <= fields.keys():
            raise ValueError(value)
        return {name: make(value.get(name)) for name, make in fields.items()}

    return make_all


def _of_map(key: Callable[[Any], Any], item: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: value and [(key(name), item(one)) for name, one in value]


def _of_list(make: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: value and [make(one) for one in value]
