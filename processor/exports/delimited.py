"""Results as CSV: RFC 4180, UTF-8."""

import csv
from typing import IO

from processor.exports.cells import csv_cell, harmless
from processor.exports.grid import Grid

BOM = "\ufeff"  # not by the codec utf-8-sig, which is written in Python and ten times slower


def write(file: IO[str], grid: Grid, *, delimiter: str, excel: bool, bom: bool) -> int:
    """Write a header and the rows; returns how many.

    Args:
        file: Open without translation of line ends.
        grid: The rows.
        delimiter: Between two cells.
        excel: Let no cell begin like a formula, see `cells.harmless`.
        bom: Begin with a byte order mark, without which Excel takes Korean for something else.
    """
    if bom:
        file.write(BOM)
    writer = csv.writer(file, delimiter=delimiter)
    names = [column.name for column in grid.columns]
    writer.writerow(map(harmless, names) if excel else names)
    count = 0
    for rows in grid.slices():
        lines = [[csv_cell(value) for value in row] for row in rows]
        if excel:
            lines = [[harmless(value) for value in line] for line in lines]
        writer.writerows(lines)
        count += len(lines)
    return count
