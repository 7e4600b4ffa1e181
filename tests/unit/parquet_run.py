"""Parquet in and out, as processes.

`python parquet_run.py make FILE ROWS` writes a file, by the exports' own writer;
`python parquet_run.py pass FILE FOLDER` imports it, writes it out again and prints the
process's peak memory in MB.
"""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ledger_parts import rules

from processor import machine
from processor.columns import Column
from processor.data import open_source
from processor.exports import parquet
from processor.exports.grid import Grid
from processor.exports.output import Terms, open_output
from processor.ledger.ledger import open_ledger

_AT_ONCE = 1_000
_COLUMNS = (
    Column("id", "integer"),
    Column("text", "text"),
    Column("score", "real"),
    Column("at", "timestamptz"),
    Column("price", "decimal", "numeric(12,2)"),
    Column("tags", "text[]"),
)
_BEGUN = datetime(2026, 1, 1, tzinfo=UTC)


def rows(count: int) -> Iterator[list[list[Any]]]:
    for first in range(0, count, _AT_ONCE):
        yield [_row(number) for number in range(first, min(count, first + _AT_ONCE))]


def _row(number: int) -> list[Any]:
    moment = _BEGUN + timedelta(seconds=number)
    tags = ["a", f"b{number}"]
    return [
        number, f"문항 {number} " * 8, number / 7, moment.isoformat(), f"{number}.25", tags,
    ]  # fmt: skip


def make(path: Path, count: int) -> None:
    with path.open("w+b") as file:
        parquet.write(file, Grid(_COLUMNS, lambda: rows(count)))


def pass_through(path: Path, folder: Path) -> float:
    """Peak memory in MB."""
    names = [column.name for column in _COLUMNS]
    with open_ledger(folder) as ledger:
        ledger.set_meta(id_field="id")
        ledger.take_in(open_source(str(path)), rules(chunk_size=100))
        output = open_output(str(folder / "out.parquet"), Terms(columns=names), task="t")
        output.check(ledger.connection)
        output.deliver(ledger.path)
    return machine.peak_rss_mb()


if __name__ == "__main__":
    if sys.argv[1] == "make":
        make(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        print(pass_through(Path(sys.argv[2]), Path(sys.argv[3])))
