"""Between columns and the types of Arrow, which Parquet files are read and written through."""

import base64
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import pyarrow as pa

from processor.columns import ARRAY, ARROW, VECTOR, Column

_DECIMAL = re.compile(r"numeric\((\d+), ?(\d+)\)")
_LONGEST_128 = 38
_LONGEST_256 = 76
_KINDS: tuple[tuple[Callable[[Any], bool], str], ...] = (
    (pa.types.is_boolean, "boolean"),
    (pa.types.is_uint64, "decimal"),  # whose greatest no integer of 64 bits with a sign holds
    (pa.types.is_integer, "integer"),
    (pa.types.is_floating, "real"),
    (pa.types.is_decimal, "decimal"),
    (pa.types.is_date, "date"),
    (pa.types.is_time, "time"),
    (pa.types.is_duration, "integer"),
    (pa.types.is_binary, "bytes"),
    (pa.types.is_large_binary, "bytes"),
    (pa.types.is_fixed_size_binary, "bytes"),
    (pa.types.is_binary_view, "bytes"),
    (pa.types.is_struct, "json"),
    (pa.types.is_map, "json"),
)
_TYPES: Mapping[str, Any] = MappingProxyType(
    {
        "boolean": pa.bool_(),
        "integer": pa.int64(),
        "real": pa.float64(),
        "date": pa.date32(),
        "time": pa.time64("us"),
        "timestamp": pa.timestamp("us"),
        "timestamptz": pa.timestamp("us", tz="UTC"),
        "uuid": pa.uuid(),
        "bytes": pa.binary(),
        "json": pa.json_(pa.string()),
        "text": pa.string(),
        "interval": pa.string(),
        VECTOR: pa.list_(pa.float32()),
    }
)


def column_of(field: Any) -> Column:
    """What a field of a schema is among columns."""
    schema = pa.schema([pa.field(field.name, field.type)])
    native = ARROW + base64.b64encode(schema.serialize()).decode()
    return Column(field.name, kind_of(field.type), native)


def kind_of(given: Any) -> str:
    """The kind of a type's values, as `columns.KINDS` names it."""
    if isinstance(given, pa.UuidType):
        return "uuid"
    if isinstance(given, pa.JsonType):
        return "json"
    given = bare(given)
    if pa.types.is_timestamp(given):
        return "timestamp" if given.tz is None else "timestamptz"
    if is_list(given):
        inner = kind_of(given.value_type)
        return "json" if inner == "json" else inner + ARRAY
    return next((kind for holds, kind in _KINDS if holds(given)), "text")


def bare(given: Any) -> Any:
    """The type of the values of a dictionary or an extension; any other as it is."""
    if pa.types.is_dictionary(given):
        return bare(given.value_type)
    return bare(given.storage_type) if isinstance(given, pa.BaseExtensionType) else given


def is_list(given: Any) -> bool:
    """Whether values are lists, of whatever layout."""
    tests = (
        pa.types.is_list,
        pa.types.is_large_list,
        pa.types.is_fixed_size_list,
        pa.types.is_list_view,
        pa.types.is_large_list_view,
    )
    return any(test(given) for test in tests)


def type_of(column: Column) -> Any:
    """The type that a column is written with; its own where it came from one."""
    native = column.native or ""
    if native.startswith(ARROW):
        message = pa.py_buffer(base64.b64decode(native.removeprefix(ARROW)))
        return pa.ipc.read_schema(message).field(0).type
    kind = column.kind or "text"
    if kind == "decimal":
        return _decimal(native)
    if kind.endswith(ARRAY):
        inner = type_of(Column("", kind.removesuffix(ARRAY)))
        if isinstance(inner, pa.JsonType):
            return inner
        # Arrow makes no lists of its extensions.
        return pa.list_(pa.string() if isinstance(inner, pa.BaseExtensionType) else inner)
    return _TYPES.get(kind, pa.string())


def _decimal(native: str) -> Any:
    found = _DECIMAL.fullmatch(native)
    digits, fraction = (int(found[1]), int(found[2])) if found else (_LONGEST_256 + 1, 0)
    if digits <= _LONGEST_128:
        return pa.decimal128(digits, fraction)
    return pa.decimal256(digits, fraction) if digits <= _LONGEST_256 else pa.string()
