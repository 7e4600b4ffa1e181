"""What a source of rows is."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from processor.columns import Column
from processor.items import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class BadRow:
    """A row that cannot be read; the rows after it can.

    Attributes:
        number: As `Row.number`.
        problem: What is wrong, said so that it reads on after "row 7: ".
    """

    number: int
    problem: str


class Source(Protocol):
    """A table that can be read from its beginning."""

    @property
    def name(self) -> str:
        """As the user named it, for messages and folders."""

    @property
    def uri(self) -> str:
        """Which table it is, the same from run to run: an absolute path, `generated:seed=0`, `-`.

        Made of what names the table, not of what is in it.
        """

    def stamp(self) -> str | None:
        """Text that is equal as long as the table is unchanged; None when nobody can tell.

        Raises:
            InputError: There is no such table.
        """

    def columns(self) -> Sequence[Column]:
        """The columns with their types, in their order; none where no table says them.

        Raises:
            InputError: There is no such table.
        """

    def rows(self) -> Iterator[Row | BadRow]:
        """The rows in their order, in constant memory; values as `columns.plain` makes them.

        Raises:
            InputError: The table as a whole cannot be read, or has no rows.
        """


@runtime_checkable
class Compound(Protocol):
    """A source that is made of several tables."""

    def place(self, number: int) -> tuple[str, int]:
        """The table of a row that was read, and the row's number within it."""


def place(source: Source, number: int) -> tuple[str, int]:
    """Where a row that was read stands: the name of its table, its number there."""
    return source.place(number) if isinstance(source, Compound) else (source.name, number)
