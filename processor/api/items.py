"""What a program may give as items."""

import asyncio
from collections.abc import AsyncIterable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias, cast

from processor.data.frames import Frame, FrameSource, library_of
from processor.data.memory import AsyncItems, Items
from processor.data.source import Source
from processor.errors import UsageError

Given: TypeAlias = (
    str | Path | Source | Frame | Iterable[Mapping[str, Any]] | AsyncIterable[Mapping[str, Any]]
)
"""Items: the name of a table as `--input` takes it, mappings, or a data frame."""


def name_of(items: Given) -> str | None:
    """The name of a table that is to be opened; None for what a program holds."""
    return str(items) if isinstance(items, (str, Path)) else None


def source_of(items: Given) -> Source:
    """What rows are read from that a program holds.

    Raises:
        UsageError: It is nothing that has rows.
    """
    library = library_of(items)
    if library is not None:
        return FrameSource(frame=items, library=library)
    if isinstance(items, AsyncIterable):
        return AsyncItems(content=items, loop=asyncio.get_running_loop())
    if callable(getattr(items, "rows", None)) and callable(getattr(items, "stamp", None)):
        return cast("Source", items)
    if isinstance(items, Iterable) and not isinstance(items, (Mapping, bytes)):
        return Items.of(cast("Iterable[Mapping[str, Any]]", items))
    raise UsageError(
        f"items of the type {type(items).__name__} cannot be read",
        way_out="Give mappings (a list, a generator), a data frame, or a table's name.",
    )
