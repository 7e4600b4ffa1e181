"""Tables of a run: `results.csv`, `failed.csv`, `review.csv`, `skipped.csv`."""

import csv
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import compress
from pathlib import Path
from typing import IO, Any

from processor import jsontext
from processor.exports.atomic import replacing
from processor.exports.table import ResultTable
from processor.ledger import database
from processor.ledger.results import Result

SKIPPED_NAME = "skipped.csv"

_BOM = "\ufeff"  # not by the codec utf-8-sig, which is written in Python and ten times slower
_PLAIN = frozenset({str, int, float, type(None)})


def write_all(
    connection: sqlite3.Connection,
    folder: Path,
    *,
    reviews: bool,
    bom: bool,
) -> list[Path]:
    """Write the tables of a run, in input order, in one pass over the ledger.

    Rows that were left out have a table of their own, when there are any.

    Args:
        connection: The ledger.
        folder: The run's folder.
        reviews: Whether the task tells answers to be looked at apart.
        bom: Begin with a byte order mark, without which Excel takes Korean for something else.

    Raises:
        LedgerError: The disk refuses.
    """
    wanted: dict[str, Callable[[Result], bool]] = {
        "results.csv": lambda _: True,
        "failed.csv": lambda item: item.status == "failed",
    }
    if reviews:
        wanted["review.csv"] = lambda item: item.check == "review"
    paths = [folder / name for name in wanted]
    with database.guard(folder / database.LEDGER_NAME), ExitStack() as stack:
        table = ResultTable(connection)
        files = []
        for path, belongs in zip(paths, wanted.values(), strict=True):
            writer = csv.writer(stack.enter_context(_csv(path, bom=bom)))
            writer.writerow([column.name for column in table.columns])
            files.append((writer, belongs))
        for items, rows in table.slices():
            lines = [[_cell(value) for value in row] for row in rows]
            for writer, belongs in files:
                writer.writerows(compress(lines, map(belongs, items)))
        skipped = connection.execute(
            "SELECT source, row, problem FROM skipped ORDER BY source, row"
        ).fetchall()
    return [*paths, *_write_skipped(folder / SKIPPED_NAME, skipped, bom=bom)]


@contextmanager
def _csv(path: Path, *, bom: bool) -> Iterator[IO[str]]:
    with replacing(path) as file:
        if bom:
            file.write(_BOM)
        yield file


def _write_skipped(path: Path, rows: Sequence[Sequence[Any]], *, bom: bool) -> list[Path]:
    if not rows:
        path.unlink(missing_ok=True)
        return []
    with _csv(path, bom=bom) as file:
        writer = csv.writer(file)
        writer.writerow(("source", "row", "problem"))
        writer.writerows(rows)
    return [path]


def _cell(value: Any) -> Any:
    """A value as CSV holds it: nested values and booleans as JSON, nothing for null."""
    return value if type(value) in _PLAIN else jsontext.dumps(value).strip()
