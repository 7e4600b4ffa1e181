"""Results as data frames, with the types that each library has for them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import chain
from types import MappingProxyType
from typing import Any

from processor import jsoncells
from processor.columns import ARRAY, Column, typed
from processor.data.frames import Library
from processor.exports import cells
from processor.exports.table import ResultTable

# Of these polars keeps every value.
_SURE = MappingProxyType(
    {"boolean": "Boolean", "interval": "String", "real": "Float64", "text": "String"}
)
_DECIMAL_DIGITS = 38
_INTEGERS_64 = {"Int64": range(-(2**63), 2**63), "UInt64": range(2**64)}


def frame_of(table: ResultTable, module: Any, library: Library) -> Any:
    """The results of a run as a frame.

    Args:
        table: Its results.
        module: The library, imported.
        library: Which it is.
    """
    columns: list[list[Any]] = [[] for _ in table.columns]
    for _, rows in table.slices():
        for values, more in zip(columns, zip(*rows, strict=True), strict=True):
            values.extend(more)
    make = _MAKERS[library]
    return module.DataFrame(
        {
            column.name: make(module, column, values)
            for column, values in zip(table.columns, columns, strict=True)
        }
    )


def _pandas(module: Any, column: Column, plain: Sequence[Any]) -> Any:
    """Types that know null, where NumPy has none; objects of Python for all that is richer."""
    values = [typed(column.kind, value) for value in plain]
    if column.kind == "boolean":
        return module.array(values, dtype="boolean")
    if column.kind == "integer":
        kind = _integers_of(values)
        return values if kind is None else module.array(values, dtype=kind)
    if column.kind == "timestamptz" and _offsets_differ(values):
        return module.to_datetime(values, utc=True)
    return values


def _integers_of(values: Iterable[Any]) -> str | None:
    """The first type that holds all; None when there is none."""
    known = [value for value in values if value is not None]
    fits = (kind for kind, span in _INTEGERS_64.items() if all(one in span for one in known))
    return next(fits, None)


def _offsets_differ(values: Iterable[Any]) -> bool:
    known = [value for value in values if value is not None]
    if not all(isinstance(value, datetime) for value in known):
        return False
    return len({value.utcoffset() for value in known}) > 1


def _polars(module: Any, column: Column, plain: Sequence[Any]) -> Any:
    """A type of polars' own; text where that would change a value."""
    values = [typed(column.kind, value) for value in plain]
    sure = _integers_of(values) if column.kind == "integer" else _SURE.get(column.kind or "")
    if sure is not None:
        return module.Series(column.name, values, dtype=getattr(module, sure))
    for strict in (True, False) if _is_borne(column, values) else ():
        made = _tried(module, column.name, values, strict=strict)
        if made is not None:
            return made
    return module.Series(column.name, _texts(column, plain), dtype=module.String)


def _is_borne(column: Column, values: Sequence[Any]) -> bool:
    """Whether polars has a type for such: it breaks down at decimals that it has no room for."""
    kind = (column.kind or "").removesuffix(ARRAY)
    if kind == "decimal":
        return all(_has_room(one) for one in _flat(values) if isinstance(one, Decimal))
    return kind not in (jsoncells.KIND, "uuid")


def _has_room(value: Decimal) -> bool:
    _, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int):  # of infinity, and of what is no number
        return False
    return max(len(digits), len(digits) + exponent, -exponent) <= _DECIMAL_DIGITS


def _flat(values: Iterable[Any]) -> Iterable[Any]:
    return chain.from_iterable(_flat(one) if isinstance(one, list) else (one,) for one in values)


def _tried(module: Any, name: str, values: list[Any], *, strict: bool) -> Any:
    """A series that gives back what went in; None when there is none."""
    try:
        made = module.Series(name, values, strict=strict)
    except (TypeError, ValueError, OverflowError, RuntimeError, module.exceptions.PolarsError):
        return None
    is_kept = made.dtype != module.Object and made.to_list() == values
    return made if is_kept else None


def _texts(column: Column, plain: Sequence[Any]) -> list[str | None]:
    kind = column.kind
    if kind is not None and jsoncells.holds_json(kind):
        return [None if value is None else jsoncells.text_of(kind, value) for value in plain]
    return [cells.text(value) for value in plain]


_MAKERS: Mapping[Library, Callable[[Any, Column, Sequence[Any]], Any]] = MappingProxyType(
    {"pandas": _pandas, "polars": _polars}
)
