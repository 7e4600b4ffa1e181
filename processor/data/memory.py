"""Rows that a program holds or makes: lists, generators, asynchronous ones."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from processor.columns import Column, plain
from processor.data.source import BadRow
from processor.errors import UsageError
from processor.items import Row

URI = "python:items"
_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Items:
    """Mappings, read once; every call of `rows` takes what the iterable then has."""

    content: Iterable[Mapping[str, Any]]
    name: str = "items"
    uri: str = URI

    def stamp(self) -> None:
        """None: nobody can tell whether they are the same."""

    def columns(self) -> Sequence[Column]:
        """None: values speak for themselves."""
        return ()

    def rows(self) -> Iterator[Row | BadRow]:
        """The rows, from the first that the iterable still has."""
        return rows_of(self.content)


@dataclass(frozen=True, slots=True, kw_only=True)
class AsyncItems:
    """Mappings from an asynchronous iterable, which is read in its own event loop.

    Attributes:
        content: The iterable.
        loop: Its loop; `rows` must be called in another thread than the loop's.
    """

    content: AsyncIterable[Mapping[str, Any]]
    loop: asyncio.AbstractEventLoop
    name: str = "items"
    uri: str = URI

    def stamp(self) -> None:
        """None: nobody can tell whether they are the same."""

    def columns(self) -> Sequence[Column]:
        """None: values speak for themselves."""
        return ()

    def rows(self) -> Iterator[Row | BadRow]:
        """The rows, a few hundred fetched at once."""
        return rows_of(self._fetched())

    def _fetched(self) -> Iterator[Mapping[str, Any]]:
        iterator = aiter(self.content)
        while True:
            some = asyncio.run_coroutine_threadsafe(_some(iterator), self.loop).result()
            yield from some
            if len(some) < _AT_ONCE:
                return


async def _some(iterator: AsyncIterator[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = []
    async for one in iterator:
        found.append(one)
        if len(found) == _AT_ONCE:
            break
    return found


def rows_of(content: Iterable[Mapping[str, Any]]) -> Iterator[Row | BadRow]:
    """Mappings as rows, numbered from 1.

    Raises:
        UsageError: Something is no mapping.
    """
    for number, one in enumerate(content, start=1):
        if not isinstance(one, Mapping):
            raise UsageError(
                f"item {number} is of the type {type(one).__name__}",
                way_out="An item is a mapping of column names to values, such as a dict.",
            )
        try:
            fields = {str(name): plain(one[name]) for name in one}
        except TypeError as error:
            yield BadRow(number=number, problem=str(error))
            continue
        if len(fields) < len(one):  # such as 1 and "1"
            yield BadRow(number=number, problem="two of its names are the same as text")
        else:
            yield Row(number=number, fields=fields)
