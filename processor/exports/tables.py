"""Tables of a run: `results.csv`, `failed.csv`, `review.csv`, `skipped.csv`."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from itertools import chain, compress
from pathlib import Path
from typing import Any

from processor.exports import cells, delimited
from processor.exports.atomic import replacing
from processor.exports.output import Rows, belongs
from processor.exports.table import ResultTable
from processor.ledger import database

SKIPPED_NAME = "skipped.csv"
_SKIPPED_ROWS = 1_000  # at once in memory


def write_all(
    connection: sqlite3.Connection,
    folder: Path,
    *,
    reviews: bool,
    bom: bool,
    excel: bool = False,
) -> list[Path]:
    """Write the tables of a run, in input order, in one pass over the ledger.

    Rows that were left out have a table of their own, when there are any.

    Args:
        connection: The ledger.
        folder: The run's folder.
        reviews: Whether the task tells answers to be looked at apart.
        bom: Begin with a byte order mark, without which Excel takes Korean for something else.
        excel: Let no cell begin like a formula, see `cells.harmless`.

    Raises:
        LedgerError: The disk refuses.
    """
    wanted: dict[str, Rows] = {"results.csv": "all", "failed.csv": "failed"}
    if reviews:
        wanted["review.csv"] = "review"
    paths = [folder / name for name in wanted]
    with database.guard(folder / database.LEDGER_NAME), ExitStack() as stack:
        table = ResultTable(connection)
        files = [
            (delimited.Writer(stack.enter_context(replacing(path)), bom=bom), rows)
            for path, rows in zip(paths, wanted.values(), strict=True)
        ]
        head = delimited.lines([[column.name for column in table.columns]], excel=excel)
        for writer, _ in files:
            writer.write(head)
        for items, rows in table.slices():
            texts = cells.with_json_lists_as_text(table.columns, rows)
            lines = delimited.lines(texts, excel=excel)
            for writer, chosen in files:
                if chosen == "all":
                    writer.write(lines)
                else:
                    writer.write(compress(lines, [belongs(chosen, item) for item in items]))
        skipped = connection.execute(
            "SELECT source, row, problem FROM skipped ORDER BY source, row"
        )
        slices = iter(partial(skipped.fetchmany, _SKIPPED_ROWS), [])
        paths += _write_skipped(folder / SKIPPED_NAME, slices, bom=bom, excel=excel)
    return paths


def _write_skipped(
    path: Path, slices: Iterator[Sequence[Sequence[Any]]], *, bom: bool, excel: bool
) -> list[Path]:
    first = next(slices, None)
    if first is None:
        path.unlink(missing_ok=True)
        return []
    with replacing(path) as file:
        writer = delimited.Writer(file, bom=bom)
        writer.write([("source", "row", "problem")])
        for rows in chain([first], slices):
            writer.write(delimited.lines(rows, excel=excel))
    return [path]
