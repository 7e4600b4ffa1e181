"""A source whose reading is seen, and can be ended, from outside."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from processor.columns import Column
from processor.data.source import BadRow, Source, place
from processor.errors import InputError, InterruptedRunError
from processor.items import Row

_TOLD_ROWS = 4_096


@runtime_checkable
class Cancellable(Protocol):
    """A source that may let its reader wait for much longer than a row takes."""

    def cancel(self) -> None:
        """End what another thread waits for, which then raises InputError; returns at once."""


def cancel(source: Source) -> None:
    """Let nobody wait for a source that is not wanted any more."""
    if isinstance(source, Cancellable):
        source.cancel()


@dataclass(frozen=True, slots=True)
class Interruptible:
    """The same rows, until `interrupted` says so: then an error ends the reading.

    Nothing of it is imported, because an import is all or nothing. `progress` is told now and
    then how many rows were read.
    """

    source: Source
    interrupted: Callable[[], bool]
    progress: Callable[[int], None] = lambda _: None

    @property
    def name(self) -> str:
        """The source's."""
        return self.source.name

    @property
    def uri(self) -> str:
        """The source's."""
        return self.source.uri

    def stamp(self) -> str | None:
        """The source's."""
        return self.source.stamp()

    def columns(self) -> Sequence[Column]:
        """The source's.

        Raises:
            InterruptedRunError: It was interrupted.
        """
        with self._ending():
            return self.source.columns()

    def place(self, number: int) -> tuple[str, int]:
        """Where a row stands."""
        return place(self.source, number)

    def rows(self) -> Iterator[Row | BadRow]:
        """The source's, one by one.

        Raises:
            InterruptedRunError: It was interrupted.
        """
        with self._ending():
            for count, row in enumerate(self.source.rows(), 1):
                if self.interrupted():
                    raise self._interruption()
                if not count % _TOLD_ROWS:
                    self.progress(count)
                yield row

    @contextmanager
    def _ending(self) -> Iterator[None]:
        """Whatever a source says that was cancelled, it was interrupted."""
        if self.interrupted():
            raise self._interruption()
        try:
            yield
        except InputError as error:
            if self.interrupted():
                raise self._interruption() from error
            raise

    def _interruption(self) -> InterruptedRunError:
        return InterruptedRunError(
            f"Interrupted while {self.name} was read; nothing was imported",
            way_out="The same command starts again.",
        )
