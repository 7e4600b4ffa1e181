"""Results as an Excel workbook, in constant memory."""

import math
from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal
from tempfile import TemporaryDirectory
from typing import IO, Any

import xlsxwriter

from processor.columns import Column, typed
from processor.errors import UsageError
from processor.exports import cells
from processor.exports.grid import Grid

MOST_COLUMNS = 16_384
_MOST_ROWS = 1_048_576
_MOST_UNITS = 32_767  # of UTF-16, in which Excel counts
_EXACT_DIGITS = 15
_SHEET = "results"
_FIRST_DAY = date(1900, 3, 1)  # before it, Excel's calendar has a day that never was
_OPTIONS = {"constant_memory": True, "strings_to_urls": False}
_FORMATS = {date: "yyyy-mm-dd", datetime: "yyyy-mm-dd hh:mm:ss.000", time: "hh:mm:ss.000"}


class _Exact(float):
    """A number with all of its digits.

    The writer formats numbers with 16 of them, which loses the last bit of some; Excel reads 17.
    """

    def __format__(self, _: str) -> str:
        return repr(float(self))


class Workbook:
    """A workbook that is being written; its first sheet goes on in another when it is full.

    Text stays text, whatever it begins with: no formula, no link is ever made of it. Integers of
    more than 15 digits are text, because Excel would round them, and so are points in time with a
    zone and those before March 1900; other times are kept to the millisecond.

    Args:
        file: Open for reading and writing, empty.
        columns: Every column has its kind.
        spool: Folder for sheets until the file is put together.
        most_rows: Of a sheet, its header too.

    Raises:
        UsageError: They are more columns than a sheet has.
    """

    def __init__(
        self,
        file: IO[bytes],
        columns: Sequence[Column],
        *,
        spool: str,
        most_rows: int = _MOST_ROWS,
    ) -> None:
        if len(columns) > MOST_COLUMNS:
            raise UsageError(
                f"an Excel sheet has {MOST_COLUMNS:,} columns at most, and these are "
                f"{len(columns):,}",
                way_out="Choose some with --columns, or write .parquet or .csv.",
            )
        self._columns = columns
        self._most_rows = most_rows
        self._book = xlsxwriter.Workbook(file, {**_OPTIONS, "tmpdir": spool})
        self._formats = {
            kind: self._book.add_format({"num_format": words}) for kind, words in _FORMATS.items()
        }
        self._heading = self._book.add_format({"bold": True})
        self._cut_cells = 0
        self._first_cut = ""
        self._open_sheet()

    def _open_sheet(self) -> None:
        number = len(self._book.worksheets()) + 1
        self._sheet = self._book.add_worksheet(f"{_SHEET} {number}" if number > 1 else _SHEET)
        self._sheet.freeze_panes(1, 0)
        self._sheet.ignore_errors({"number_stored_as_text": "A1:XFD1048576"})
        for place, column in enumerate(self._columns):
            self._sheet.write_string(0, place, self._fitting(column.name, 1, place), self._heading)
        self._next_row = 1

    def add(self, rows: Sequence[Sequence[Any]]) -> None:
        """Write rows of JSON values below those before."""
        for row in rows:
            if self._next_row == self._most_rows:
                self._open_sheet()
            for place, value in enumerate(row):
                if value is not None:
                    self._put(place, typed(self._columns[place].kind, value), value)
            self._next_row += 1

    def close(self) -> Sequence[str]:
        """Write the file; returns a line when cells had to be cut.

        Raises:
            OSError: The disk refuses.
        """
        try:
            self._book.close()
        except xlsxwriter.exceptions.FileCreateError as error:
            raise OSError(str(error)) from error
        cut = (
            f"Excel takes {_MOST_UNITS:,} characters a cell: cut are {self._cut_cells:,} longer "
            f"ones, the first in {self._first_cut}. Other forms keep them whole."
        )
        return [cut] if self._cut_cells else []

    def _put(self, place: int, value: Any, plain: Any) -> None:
        row = self._next_row
        match value:
            case bool():
                self._sheet.write_boolean(row, place, value)
            case int() if abs(value) < 10**_EXACT_DIGITS:
                self._sheet.write_number(row, place, value)
            case float() if math.isfinite(value):
                self._sheet.write_number(row, place, _Exact(value))
            case Decimal() if value.is_finite() and len(value.as_tuple().digits) <= _EXACT_DIGITS:
                self._sheet.write_number(row, place, _Exact(value))
            case datetime() | date() | time() if _has_serial(value):
                self._sheet.write_datetime(row, place, value, self._formats[type(value)])
            case _:
                text = self._fitting(cells.text(plain) or "", row + 1, place)
                self._sheet.write_string(row, place, text)

    def _fitting(self, text: str, row: int, place: int) -> str:
        units = text.encode("utf-16-le")
        if len(units) <= 2 * _MOST_UNITS:
            return text
        if not self._cut_cells:
            self._first_cut = f"row {row} of {self._columns[place].name!r}"
        self._cut_cells += 1
        return units[: 2 * _MOST_UNITS].decode("utf-16-le", "ignore")


def _has_serial(value: date | time) -> bool:
    """Whether Excel's numbers for days have one for it."""
    if isinstance(value, time):
        return value.tzinfo is None
    if isinstance(value, datetime):
        return value.tzinfo is None and value.date() >= _FIRST_DAY
    return value >= _FIRST_DAY


def write(file: IO[bytes], grid: Grid) -> tuple[int, Sequence[str]]:
    """Write the rows; returns how many, and what had to be cut.

    Args:
        file: Open for reading and writing, empty.
        grid: The rows; every column has its kind.

    Raises:
        UsageError: They have more columns than a sheet.
        OSError: The disk refuses.
    """
    with TemporaryDirectory(prefix="processor-") as spool:  # emptied when it breaks off, too
        book = Workbook(file, grid.columns, spool=spool)
        count = 0
        for rows in grid.slices():
            book.add(cells.with_json_lists_as_text(grid.columns, rows))
            count += len(rows)
        return count, book.close()
