"""Rows and columns, ready to be written in any form."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from processor.columns import Column
from processor.errors import UsageError
from processor.exports.output import Rows, belongs
from processor.exports.table import ResultTable


@dataclass(frozen=True, slots=True)
class Grid:
    """A table that can be read again and again.

    Attributes:
        columns: Their names are unique.
        slices: Gives the rows from the first, some at a time: JSON values in the columns' order.
    """

    columns: Sequence[Column]
    slices: Callable[[], Iterator[list[list[Any]]]]


def of_results(
    connection: sqlite3.Connection,
    rows: Rows,
    names: Sequence[str] | None,
    *,
    with_vectors: bool = False,
) -> Grid:
    """The results of a run, or some of them.

    Args:
        connection: The ledger.
        rows: Which items.
        names: Which columns, in this order; None for all.
        with_vectors: Embeddings are a column, too; its cells are little-endian float32.

    Raises:
        UsageError: There is no such column.
    """
    table = ResultTable(connection, with_vectors=with_vectors)
    if names is not None:
        _refuse_left_out(table, names)
    places = None if names is None else places_of(table.columns, names)

    def slices() -> Iterator[list[list[Any]]]:
        for items in table.items():
            wanted = items if rows == "all" else [item for item in items if belongs(rows, item)]
            found = table.rows(wanted)
            if places is not None:
                found = [[row[place] for place in places] for row in found]
            if found:
                yield found

    chosen = [table.columns[place] for place in places] if places is not None else table.columns
    return Grid(chosen, slices)


def _refuse_left_out(table: ResultTable, names: Sequence[str]) -> None:
    for name in table.left_out:
        if name in names:
            raise UsageError(
                f"this form has no column {name!r}",
                way_out="Vectors go into .parquet files and databases; the run folder has them in "
                "embeddings.npy.",
            )


def places_of(columns: Sequence[Column], names: Sequence[str]) -> list[int]:
    """Where columns stand.

    Raises:
        UsageError: One is not there, or is named twice.
    """
    known = {column.name: place for place, column in enumerate(columns)}
    for name in names:
        if name not in known:
            close = get_close_matches(name, known, n=1)
            hint = f"Did you mean {close[0]!r}? " if close else ""
            raise UsageError(
                f"the results have no column {name!r}",
                way_out=f"{hint}They have: {', '.join(known)}.",
            )
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UsageError(f"the column {twice!r} is named twice", way_out="Name it once.")
    return [known[name] for name in names]
