"""Rows that a program holds or makes: lists, generators, asynchronous ones."""

import asyncio
import threading
from collections.abc import (
    AsyncIterable,
    AsyncIterator,
    Collection,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from concurrent.futures import CancelledError, Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from processor.columns import Column, plain
from processor.data.aside import Aside, LeftError
from processor.data.source import BadRow
from processor.errors import InputError, UsageError
from processor.items import Row

URI = "python:items"
_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Items:
    """Mappings that a program holds, or makes one after the other."""

    content: Collection[Mapping[str, Any]] | Aside[Mapping[str, Any]]
    name: str = "items"
    uri: str = URI

    @classmethod
    def of(cls, content: Iterable[Mapping[str, Any]]) -> "Items":
        """The rows of any iterable; what is no collection is read once."""
        return cls(content=content if isinstance(content, Collection) else Aside(content))

    def stamp(self) -> None:
        """None: nobody can tell whether they are the same."""

    def columns(self) -> Sequence[Column]:
        """None: values speak for themselves."""
        return ()

    def rows(self) -> Iterator[Row | BadRow]:
        """The rows.

        Raises:
            InputError: Another thread cancelled the reading.
            UsageError: Something is no mapping.
        """
        with _unless_left(self.name):
            yield from rows_of(self.content)

    def cancel(self) -> None:
        """Let nobody wait for a generator."""
        if isinstance(self.content, Aside):
            self.content.leave()


_Some = list[Mapping[str, Any]]


class _Fetches:
    """What is fetched in another thread's loop, until that is cancelled."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: Future[_Some] | None = None
        self._left = False

    def fetch(
        self, iterator: AsyncIterator[Mapping[str, Any]], loop: asyncio.AbstractEventLoop
    ) -> _Some:
        with self._lock:
            if self._left:
                raise LeftError
            self._running = asyncio.run_coroutine_threadsafe(_some(iterator), loop)
        try:
            return self._running.result()
        except CancelledError:
            if self._left:
                raise LeftError from None
            raise

    def cancel(self) -> None:
        with self._lock:
            self._left = True
            if self._running is not None:
                self._running.cancel()


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
    _fetches: _Fetches = field(default_factory=_Fetches, init=False, repr=False)

    def stamp(self) -> None:
        """None: nobody can tell whether they are the same."""

    def columns(self) -> Sequence[Column]:
        """None: values speak for themselves."""
        return ()

    def rows(self) -> Iterator[Row | BadRow]:
        """The rows, a few hundred fetched at once.

        Raises:
            InputError: Another thread cancelled the reading.
            UsageError: Something is no mapping.
        """
        with _unless_left(self.name):
            yield from rows_of(self._fetched())

    def cancel(self) -> None:
        """Let nobody wait for the iterable."""
        self._fetches.cancel()

    def _fetched(self) -> Iterator[Mapping[str, Any]]:
        iterator = aiter(self.content)
        while True:
            some = self._fetches.fetch(iterator, self.loop)
            yield from some
            if len(some) < _AT_ONCE:
                return


@contextmanager
def _unless_left(name: str) -> Iterator[None]:
    try:
        yield
    except LeftError as error:
        raise InputError("is read no further", source=name) from error


async def _some(iterator: AsyncIterator[Mapping[str, Any]]) -> _Some:
    found: _Some = []
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
        except RecursionError:
            yield BadRow(number=number, problem="is nested too deeply, or holds itself")
            continue
        if len(fields) < len(one):  # such as 1 and "1"
            yield BadRow(number=number, problem="two of its names are the same as text")
        else:
            yield Row(number=number, fields=fields)
