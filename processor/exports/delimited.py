"""Tables as CSV: RFC 4180, UTF-8."""

import csv
from collections.abc import Iterable, Sequence
from typing import IO, Any

from processor.exports.cells import PLAIN, csv_cell, harmless, with_json_lists_as_text
from processor.exports.grid import Grid

_BOM = "\ufeff"  # not by the codec utf-8-sig, which is written in Python and ten times slower


class Writer:
    """Writes lines of cells.

    Args:
        file: Open without translation of line ends.
        delimiter: Between two cells.
        bom: Begin with a byte order mark, without which Excel takes Korean for something else.
    """

    def __init__(self, file: IO[str], *, delimiter: str = ",", bom: bool) -> None:
        if bom:
            file.write(_BOM)
        self.write = csv.writer(file, delimiter=delimiter).writerows


def lines(rows: Iterable[Sequence[Any]], *, excel: bool) -> list[Sequence[Any]]:
    """Rows of JSON values as cells; with `excel` none begins like a formula, see `harmless`."""
    found = [
        row if PLAIN.issuperset(map(type, row)) else [csv_cell(value) for value in row]
        for row in rows
    ]
    return [[harmless(value) for value in line] for line in found] if excel else found


def write(file: IO[str], grid: Grid, *, delimiter: str, excel: bool, bom: bool) -> int:
    """Write a header and the rows; returns how many. See `Writer` and `lines`."""
    writer = Writer(file, delimiter=delimiter, bom=bom)
    writer.write(lines([[column.name for column in grid.columns]], excel=excel))
    count = 0
    for rows in grid.slices():
        writer.write(lines(with_json_lists_as_text(grid.columns, rows), excel=excel))
        count += len(rows)
    return count
