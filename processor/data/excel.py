"""Excel workbooks as rows: the cells of one sheet, typed.

python-calamine reads them six times as fast as openpyxl's constant-memory mode, and keeps carriage
returns and control characters, which the other gives back as `_x000D_`. For that it holds a sheet
in memory, about 100 bytes a cell; Excel bounds a sheet at 1,048,576 rows.
"""

import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import zip_longest
from pathlib import Path
from typing import Any

import python_calamine as calamine

from processor.columns import Column, plain
from processor.data import excel_faults
from processor.data.files import refusal, regular_stamp, uri_of
from processor.data.source import BadRow
from processor.errors import InputError
from processor.items import Row

_ZIP_MARK = b"PK"
_OLE_MARK = b"\xd0\xcf\x11\xe0"
_EXACT = 10**15  # beyond it, Excel has lost digits of whole numbers
_SAVE = "Save it in Excel as .xlsx."

_Line = tuple[int, Sequence[Any]]
"""The number of a row as Excel counts, and its cells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExcelSource:
    """A sheet of a workbook. Its first row that is not empty names the columns.

    Rows have the numbers that Excel shows beside them; empty rows are none. Of merged cells only
    the first has the value, as in the file. A formula is the result it had when it was saved.

    Attributes:
        sheet: Its name; None for the first.
    """

    name: str
    path: Path
    sheet: str | None = None

    @property
    def uri(self) -> str:
        """The absolute path, and the sheet when it was named."""
        return uri_of(self.path) + (f"#{self.sheet}" if self.sheet is not None else "")

    def stamp(self) -> str:
        """Path, size and time of the last change.

        Raises:
            InputError: There is no such file, or it is a pipe, which cannot be read from its end.
        """
        return regular_stamp(self.path, name=self.name)

    def columns(self) -> Sequence[Column]:
        """The columns; dates and times are of that kind when all cells of theirs are.

        Raises:
            InputError: The file is not there or no workbook, or its header is unusable.
        """
        with self._lines() as lines:
            names = self._header(next(lines, None))
            kinds: list[set[type]] = [set() for _ in names]
            for _, cells in lines:
                for seen, value in zip(kinds, cells, strict=False):
                    if value != "":
                        seen.add(type(value))
        return [Column(name, _kind(seen)) for name, seen in zip(names, kinds, strict=True) if name]

    def rows(self) -> Iterator[Row | BadRow]:
        """The rows below the header.

        Raises:
            InputError: The file cannot be read as rows, or has none.
        """
        with self._lines() as lines:
            names = self._header(next(lines, None))
            faults = excel_faults.of_sheet(self.path, self.sheet)
            number = None
            for number, cells in lines:
                problem = faults.get(number) or _stray(names, cells)
                if problem:
                    yield BadRow(number=number, problem=problem)
                else:
                    yield Row(number=number, fields=_fields(names, cells))
            if number is None:
                raise InputError("has no rows, only a header", source=self.name)

    @contextmanager
    def _lines(self) -> Iterator[Iterator[_Line]]:
        """The rows of the sheet that are not empty."""
        self._check_mark()
        try:
            with closing(calamine.CalamineWorkbook.from_path(str(self.path))) as book:
                sheet = book.get_sheet_by_name(self._chosen(book))
                yield (line for line in enumerate(sheet.iter_rows(), 1) if any(map(_is, line[1])))
        except calamine.PasswordError as error:
            raise self._encrypted() from error
        except (calamine.CalamineError, zipfile.BadZipFile, zlib.error) as error:
            raise InputError(
                f"is a broken Excel workbook: {error}", source=self.name, way_out=_SAVE
            ) from error

    def _check_mark(self) -> None:
        self.stamp()
        try:
            with self.path.open("rb") as stream:
                head = stream.read(len(_OLE_MARK))
        except OSError as error:
            raise refusal(error, self.path, name=self.name) from error
        if not head:
            raise InputError("is empty", source=self.name, way_out=_SAVE)
        if head == _OLE_MARK:
            raise self._encrypted()
        if not head.startswith(_ZIP_MARK):
            raise InputError("is no Excel workbook", source=self.name, way_out=_SAVE)
        excel_faults.refuse_bomb(self.path, name=self.name)

    def _encrypted(self) -> InputError:
        return InputError(
            "is encrypted, or an old Excel workbook",
            source=self.name,
            way_out="Save it in Excel as .xlsx without a password.",
        )

    def _chosen(self, book: Any) -> str:
        names: list[str] = [
            each.name
            for each in book.sheets_metadata
            if each.typ == calamine.SheetTypeEnum.WorkSheet
        ]
        for name in names:
            if self.sheet in (None, name):
                return name
        raise InputError(
            "has no sheet" if self.sheet is None else f"has no sheet {self.sheet!r}",
            source=self.name,
            way_out=f"It has: {', '.join(names)}." if names else _SAVE,
        )

    def _header(self, line: _Line | None) -> list[str]:
        """The names of the columns; none for a column that has no name."""
        if line is None:
            raise InputError("has no rows", source=self.name)
        number, cells = line
        names = [str(plain(_value(cell))) if _is(cell) else "" for cell in cells]
        twice = [name for name, count in Counter(filter(None, names)).items() if count > 1]
        if twice:
            raise InputError(
                f"has more than one column named {', '.join(twice)} (row {number})",
                source=self.name,
                way_out="Rename all but one.",
            )
        return names


def _is(cell: Any) -> bool:
    return type(cell) is not str or cell != ""


def _kind(seen: set[type]) -> str | None:
    match seen:
        case _ if seen == {date}:
            return "date"
        case _ if seen and seen <= {date, datetime}:
            return "timestamp"
        case _ if seen == {time}:
            return "time"
        case _:
            return None


def _stray(names: Sequence[str], cells: Sequence[Any]) -> str | None:
    """What is wrong with a row that has a value where no name stands above it."""
    for place, (name, cell) in enumerate(zip_longest(names, cells, fillvalue="")):
        if not name and _is(cell):
            return (
                f"has the value {cell!r} in its column {place + 1}, which has no name: the first "
                "row that is not empty must name every column"
            )
    return None


def _fields(names: Sequence[str], cells: Sequence[Any]) -> Mapping[str, Any]:
    return {name: plain(_value(cell)) for name, cell in zip(names, cells, strict=False) if name}


def _value(cell: Any) -> Any:
    """A cell as it was meant: Excel has no whole numbers apart from others, and nothing is none."""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < _EXACT:
        return int(cell)
    if isinstance(cell, timedelta):
        return _duration(cell)
    return None if cell == "" else cell


def _duration(span: timedelta) -> str:
    """`30:05:00`, as Excel shows it."""
    minutes, seconds = divmod(abs(span).total_seconds(), 60)
    hours, minutes = divmod(int(minutes), 60)
    sign = "-" if span < timedelta() else ""
    return f"{sign}{hours}:{minutes:02d}:{seconds:02.0f}"
