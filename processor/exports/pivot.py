"""Results as a table of two of their columns: one down, one across, an answer in each cell."""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from operator import itemgetter
from typing import Any

from processor.columns import Column
from processor.errors import UsageError
from processor.exports import cells
from processor.exports.grid import Grid

_ROWS_AT_ONCE = 500
_SHOWN_ANSWERS = 3
_SHOWN_CHARACTERS = 40
# In a temporary file, so that answers need not fit into memory; only the keys do.
_TABLE = "CREATE TEMP TABLE pivot (down INTEGER NOT NULL, across INTEGER NOT NULL, value TEXT)"
_DOUBLED = """
SELECT down, across, COUNT(value) FROM pivot
GROUP BY down, across HAVING COUNT(value) > 1 ORDER BY down, across LIMIT 1
"""
_ORDERED = "SELECT down, across, value FROM pivot ORDER BY down, rowid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pivot:
    """What is laid out.

    Attributes:
        down: The column whose values become rows, in the order of their first sight.
        across: The column whose values become columns, in the same order.
        values: The column that fills the cells.
        join: Put between several answers for one cell; None refuses them.
    """

    down: str
    across: str
    values: str = "result"
    join: str | None = None

    @property
    def names(self) -> Sequence[str]:
        """The columns of the results that it is made of.

        Raises:
            UsageError: They are not three.
        """
        if len({self.down, self.across, self.values}) < 3:
            raise UsageError(
                "a pivot table is made of three columns",
                way_out="Name one for the rows and another for the columns: "
                "--pivot persona question --values result.",
            )
        return (self.down, self.across, self.values)

    def of(self, connection: sqlite3.Connection, grid: Grid) -> Grid:
        """The table.

        Args:
            connection: Takes a temporary table, also when it cannot write; in a transaction.
            grid: Of the columns in `names`, in that order.

        Raises:
            UsageError: A row has no key, a key cannot name a column, or a cell has two answers.
        """
        connection.execute("DROP TABLE IF EXISTS temp.pivot")
        connection.execute(_TABLE)
        down, across = _Keys(self.down), _Keys(self.across)
        for rows in grid.slices():
            connection.executemany(
                "INSERT INTO pivot VALUES (?, ?, ?)",
                [
                    (down.place(row), across.place(column), cells.text(value))
                    for row, column, value in rows
                ],
            )
        if self.join is None:
            self._refuse_doubled(connection, down.known, across.known)
        heads = list(across.known)
        if self.down in across.known:
            raise UsageError(
                f"{self.across!r} has the value {self.down!r}, which is the first column's name",
                way_out="Rename that column of the input.",
            )
        return Grid(
            [Column(self.down, "text"), *(Column(head, "text") for head in heads)],
            lambda: _slices(connection, list(down.known), len(heads), self.join or ""),
        )

    def _refuse_doubled(
        self, connection: sqlite3.Connection, down: dict[str, int], across: dict[str, int]
    ) -> None:
        doubled = connection.execute(_DOUBLED).fetchone()
        if doubled is None:
            return
        row, column, count = doubled
        found = connection.execute(
            "SELECT value FROM pivot WHERE down = ? AND across = ? AND value IS NOT NULL LIMIT ?",
            (row, column, _SHOWN_ANSWERS),
        )
        answers = ", ".join(repr(value[:_SHOWN_CHARACTERS]) for (value,) in found)
        more = ", …" if count > _SHOWN_ANSWERS else ""
        raise UsageError(
            f"{count:,} answers for the cell of {self.down} {list(down)[row]!r} and "
            f"{self.across} {list(across)[column]!r}: {answers}{more}",
            way_out="Choose columns that tell them apart, or put them together: "
            "--pivot-join ' / '.",
        )


class _Keys:
    """The values of a column by the order of their first sight."""

    def __init__(self, column: str) -> None:
        self._column = column
        self.known: dict[str, int] = {}

    def place(self, value: Any) -> int:
        key = cells.text(value)
        if key is None or not key.strip():
            raise UsageError(
                f"a row has no {self._column!r}, so it has no place in the table",
                way_out="Fill that column of the input, or choose another.",
            )
        return self.known.setdefault(key, len(self.known))


def _slices(
    connection: sqlite3.Connection, keys: Sequence[str], width: int, join: str
) -> Iterator[list[list[Any]]]:
    """The rows, some at a time."""
    lines = _lines(connection, keys, width, join)
    while some := list(islice(lines, _ROWS_AT_ONCE)):
        yield some


def _lines(
    connection: sqlite3.Connection, keys: Sequence[str], width: int, join: str
) -> Iterator[list[Any]]:
    for row, answers in groupby(connection.execute(_ORDERED), itemgetter(0)):
        line: list[Any] = [keys[row], *[None] * width]
        for _, column, value in answers:
            before = line[1 + column]
            if value is not None:
                line[1 + column] = value if before is None else f"{before}{join}{value}"
        yield line
