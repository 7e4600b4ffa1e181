"""Data frames as sources: pandas and polars, whichever the caller has."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, cast

from processor.columns import Column
from processor.data.memory import URI, rows_of
from processor.data.source import BadRow
from processor.errors import InputError
from processor.items import Row

Library = Literal["pandas", "polars"]
_AT_ONCE = 10_000

_PANDAS_KINDS = (
    ("datetime64", "timestamp"),
    ("bool", "boolean"),
    ("Int", "integer"),
    ("UInt", "integer"),
    ("int", "integer"),
    ("uint", "integer"),
    ("Float", "real"),
    ("float", "real"),
    ("string", "text"),
    ("str", "text"),
)
_POLARS_KINDS = (
    ("Datetime(", "timestamp"),
    ("Date", "date"),
    ("Time", "time"),
    ("Decimal", "decimal"),
    ("Boolean", "boolean"),
    ("Int", "integer"),
    ("UInt", "integer"),
    ("Float", "real"),
    ("String", "text"),
    ("Categorical", "text"),
    ("Enum", "text"),
    ("Binary", "bytes"),
)


class Frame(Protocol):
    """What both libraries' frames have."""

    def __len__(self) -> int:
        """Rows."""

    def __getitem__(self, key: Any) -> Any:
        """A column by its name, or rows by a slice."""


def library_of(value: object) -> Library | None:
    """Which library a frame is of; None for what is no frame."""
    kind = type(value)
    package = kind.__module__.partition(".")[0]
    if kind.__name__ != "DataFrame" or package not in ("pandas", "polars"):
        return None
    return cast("Library", package)


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameSource:
    """The rows of a frame; its columns keep their types, and NaN and NaT are null."""

    frame: Any
    library: Library
    name: str = "frame"
    uri: str = URI

    def stamp(self) -> None:
        """None: nobody can tell whether it is the same."""

    def columns(self) -> Sequence[Column]:
        """As the frame types them; columns of Python objects speak for themselves.

        Raises:
            InputError: Two columns have one name, of which pandas would give the last alone.
        """
        names = [str(name) for name in self.frame.columns]
        twice = [name for name, count in Counter(names).items() if count > 1]
        if twice:
            raise InputError(
                f"has more than one column named {', '.join(twice)}",
                source=self.name,
                way_out="Rename all but one.",
            )
        kind_of = _polars_kind if self.library == "polars" else _pandas_kind
        types = [str(kind) for kind in self.frame.dtypes]
        return [Column(name, kind_of(kind), kind) for name, kind in zip(names, types, strict=True)]

    def rows(self) -> Iterator[Row | BadRow]:
        """The rows, some thousand made at once."""
        return rows_of(self._mappings())

    def _mappings(self) -> Iterator[Mapping[str, Any]]:
        if self.library == "polars":
            yield from map(_without_nan, self.frame.iter_rows(named=True, buffer_size=_AT_ONCE))
            return
        for first in range(0, len(self.frame), _AT_ONCE):
            yield from map(_unboxed, self.frame.iloc[first : first + _AT_ONCE].to_dict("records"))


def _first(kind: str, kinds: Sequence[tuple[str, str]]) -> str | None:
    return next((ours for theirs, ours in kinds if kind.startswith(theirs)), None)


def _pandas_kind(kind: str) -> str | None:
    if kind.startswith("datetime64[") and ", " in kind:  # such as `datetime64[us, Asia/Seoul]`
        return "timestamptz"
    return _first(kind, _PANDAS_KINDS)


def _polars_kind(kind: str) -> str | None:
    if kind.startswith("Datetime(") and "time_zone=None" not in kind:
        return "timestamptz"
    return _first(kind, _POLARS_KINDS)


def _without_nan(row: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: None if value != value else value for name, value in row.items()}  # noqa: PLR0124


def _unboxed(row: Mapping[Any, Any]) -> Mapping[str, Any]:
    """Values of NumPy as Python's; what is missing as None."""
    return {str(name): _plain_of(value) for name, value in row.items()}


def _plain_of(value: Any) -> Any:
    item: Callable[[], Any] | None = getattr(value, "item", None)
    if item is not None and getattr(value, "shape", None) == ():
        value = item()
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return None
    return None if isinstance(value, float) and value != value else value  # noqa: PLR0124 - NaN
