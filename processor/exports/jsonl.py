"""Results as JSON Lines: an object a row, nested values and long integers as they are."""

from typing import IO

from processor.exports.cells import json_text
from processor.exports.grid import Grid


def write(file: IO[bytes], grid: Grid) -> int:
    """Write the rows; returns how many."""
    names = [column.name for column in grid.columns]
    count = 0
    for rows in grid.slices():
        for row in rows:
            file.write(json_text(dict(zip(names, row, strict=True))).encode() + b"\n")
        count += len(rows)
    return count
