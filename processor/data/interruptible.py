"""A source whose reading can be ended from outside."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from processor.columns import Column
from processor.data.source import BadRow, Source, place
from processor.errors import InterruptedRunError
from processor.items import Row


@dataclass(frozen=True, slots=True)
class Interruptible:
    """The same rows, until `interrupted` says so: then an error ends the reading.

    Nothing of it is imported, because an import is all or nothing.
    """

    source: Source
    interrupted: Callable[[], bool]

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
        """The source's."""
        return self.source.columns()

    def place(self, number: int) -> tuple[str, int]:
        """Where a row stands."""
        return place(self.source, number)

    def rows(self) -> Iterator[Row | BadRow]:
        """The source's, one by one.

        Raises:
            InterruptedRunError: It was interrupted.
        """
        for row in self.source.rows():
            if self.interrupted():
                raise InterruptedRunError(
                    f"Interrupted while {self.name} was read; nothing was imported",
                    way_out="The same command starts again.",
                )
            yield row
