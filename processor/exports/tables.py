"""Tables of a run: `results.csv`, `failed.csv`, `review.csv`, `skipped.csv`."""

import sqlite3
from collections.abc import Sequence
from contextlib import ExitStack
from itertools import compress
from pathlib import Path
from typing import Any

from processor.exports import delimited
from processor.exports.atomic import replacing
from processor.exports.output import Rows, belongs
from processor.exports.table import ResultTable
from processor.ledger import database

SKIPPED_NAME = "skipped.csv"


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
            lines = delimited.lines(rows, excel=excel)
            for writer, chosen in files:
                if chosen == "all":
                    writer.write(lines)
                else:
                    writer.write(compress(lines, [belongs(chosen, item) for item in items]))
        skipped = connection.execute(
            "SELECT source, row, problem FROM skipped ORDER BY source, row"
        ).fetchall()
    lines = delimited.lines(skipped, excel=excel)
    return [*paths, *_write_skipped(folder / SKIPPED_NAME, lines, bom=bom)]


def _write_skipped(path: Path, lines: Sequence[Sequence[Any]], *, bom: bool) -> list[Path]:
    if not lines:
        path.unlink(missing_ok=True)
        return []
    with replacing(path) as file:
        delimited.Writer(file, bom=bom).write([("source", "row", "problem"), *lines])
    return [path]
