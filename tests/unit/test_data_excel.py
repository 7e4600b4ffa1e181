import datetime as dt
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from workbooks import save, text_row

from processor.columns import Column
from processor.data import BadRow, excel_faults, open_source
from processor.data.wanted import Wanted
from processor.errors import InputError, UsageError
from processor.items import Row

_HEADER = text_row(1, "id", "sum")


def saved(folder: Path, *sheets: Sequence[Sequence[Any]], first_row: int = 0) -> str:
    """A workbook; sheets are called `s1`, `s2`, …; None is an empty cell."""
    path = folder / "t.xlsx"
    with xlsxwriter.Workbook(str(path), {"default_date_format": "yyyy-mm-dd hh:mm"}) as book:
        for number, rows in enumerate(sheets, 1):
            sheet = book.add_worksheet(f"s{number}")
            for place, row in enumerate(rows, first_row):
                sheet.write_row(place, 0, row)
    return str(path)


def rows_of(path: str | Path, sheet: str | None = None) -> list[Row | BadRow]:
    return list(open_source(str(path), wanted=Wanted(sheet=sheet)).rows())


def why_refused(path: str | Path, sheet: str | None = None) -> InputError:
    with pytest.raises(InputError) as caught:
        rows_of(path, sheet)
    return caught.value


def test_cells_have_types(tmp_path: Path) -> None:
    day = dt.date(2026, 1, 2)
    path = tmp_path / "t.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["id", "name", "half", "flag", "day", "at", "hour", "span"])
        sheet.write_row(1, 0, [1, "  가\r\n", 1.5, True])
        for place, (form, value) in enumerate(
            [
                ("yyyy-mm-dd", day),
                ("yyyy-mm-dd hh:mm:ss.000", dt.datetime.fromisoformat("2026-01-02T03:04:05.678")),
                ("hh:mm:ss", dt.time(1, 2, 3)),
                ("[h]:mm:ss", dt.timedelta(hours=30, seconds=5)),
            ],
            4,
        ):
            sheet.write_datetime(1, place, value, book.add_format({"num_format": form}))
    source = open_source(str(path))
    assert [(column.name, column.kind) for column in source.columns()] == [
        ("id", None), ("name", None), ("half", None), ("flag", None), ("day", "date"),
        ("at", "timestamp"), ("hour", "time"), ("span", None),
    ]  # fmt: skip
    assert list(source.rows()) == [
        Row(
            number=2,
            fields={
                "id": 1,
                "name": "  가\r\n",
                "half": 1.5,
                "flag": True,
                "day": "2026-01-02",
                "at": "2026-01-02T03:04:05.678000",
                "hour": "01:02:03",
                "span": "30:00:05",
            },
        )
    ]


def test_rows_have_the_numbers_that_excel_shows_and_empty_ones_are_none(tmp_path: Path) -> None:
    table: list[list[Any]] = [["id", "a"], [1, "x"], [None, None], [2, None]]
    path = saved(tmp_path, table, first_row=3)
    assert rows_of(path) == [
        Row(number=5, fields={"id": 1, "a": "x"}),
        Row(number=7, fields={"id": 2, "a": None}),
    ]


def test_a_sheet_is_named_or_the_first(tmp_path: Path) -> None:
    path = saved(tmp_path, [["id"], [1]], [["id"], [2]])
    first, second = open_source(path), open_source(path, wanted=Wanted(sheet="s2"))
    assert list(first.rows()) == [Row(number=2, fields={"id": 1})]
    assert list(second.rows()) == [Row(number=2, fields={"id": 2})]
    assert first.uri != second.uri
    assert "It has: s1, s2." in str(why_refused(path, "s3"))


def test_of_merged_cells_the_first_has_the_value(tmp_path: Path) -> None:
    path = tmp_path / "t.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["id", "group"])
        sheet.write_column(1, 0, [1, 2])
        sheet.merge_range(1, 1, 2, 1, "both")
    groups = [row.fields["group"] for row in rows_of(path) if isinstance(row, Row)]
    assert groups == ["both", None]


def test_a_formula_is_the_result_it_was_saved_with(tmp_path: Path) -> None:
    path = save(
        tmp_path / "t.xlsx",
        {
            "one": _HEADER
            + '<row r="2"><c r="A2"><v>1</v></c><c r="B2"><f>1+1</f><v>2</v></c></row>'
            '<row r="3"><c r="A3"><v>2</v></c><c r="B3" t="str"><f>""</f><v></v></c></row>'
        },
    )
    assert rows_of(path) == [
        Row(number=2, fields={"id": 1, "sum": 2}),
        Row(number=3, fields={"id": 2, "sum": None}),
    ]


def test_formulas_that_failed_or_were_never_calculated_are_named(tmp_path: Path) -> None:
    path = save(
        tmp_path / "t.xlsx",
        {
            "one": _HEADER + text_row(2, "x", "y"),
            "two": _HEADER
            + '<row r="2"><c r="A2"><v>1</v></c><c r="B2" t="e"><f>1/0</f><v>#DIV/0!</v></c></row>'
            '<row r="3"><c r="A3"><v>2</v></c><c r="B3"><f>A3+1</f></c></row>'
            '<row r="4"><c r="A4"><v>3</v></c><c r="B4" s="0"><f>A4+1</f><v/></c></row>'
            '<row r="5"><c r="A5"><v>4</v></c><c r="B5" s="0"/></row>',
        },
    )
    assert all(isinstance(row, Row) for row in rows_of(path))
    failed, never, empty, fine = rows_of(path, "two")
    assert failed == BadRow(number=2, problem="has #DIV/0! in B2, where a formula failed")
    assert isinstance(never, BadRow)
    assert isinstance(empty, BadRow)
    assert "a formula in B3 that was never calculated" in never.problem
    assert "a formula in B4" in empty.problem
    assert fine == Row(number=5, fields={"id": 4, "sum": None})


def test_faults_are_found_across_blocks(tmp_path: Path) -> None:
    count = 60_000
    lines = "".join(
        f'<row r="{n}"><c r="A{n}"><v>{n}</v></c><c r="B{n}" t="e"><v>#N/A</v></c></row>'
        for n in range(2, count)
    )
    path = save(tmp_path / "t.xlsx", {"one": _HEADER + lines})
    found = excel_faults.of_sheet(path, None)
    assert list(found) == list(range(2, count))


def test_a_value_without_a_name_above_it_is_refused(tmp_path: Path) -> None:
    """As below a title that stands alone in the first row."""
    path = saved(tmp_path, [["Report"], ["id", "word"], [1, "x"]])
    bad, _ = rows_of(path)
    assert isinstance(bad, BadRow)
    assert bad.number == 2
    assert "'word' in its column 2, which has no name" in bad.problem


def test_columns_without_name_and_values_are_left_out(tmp_path: Path) -> None:
    path = saved(tmp_path, [["id", None, "a"], [1, None, "x"]])
    assert rows_of(path) == [Row(number=2, fields={"id": 1, "a": "x"})]
    assert open_source(path).columns() == [Column("id"), Column("a")]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([], "has no rows"),
        ([["id", "a"]], "has no rows, only a header"),
        ([["a", "a"], [1, 2]], "more than one column named a"),
    ],
)
def test_a_sheet_that_is_no_table_says_why(
    tmp_path: Path, rows: Sequence[Sequence[Any]], words: str
) -> None:
    assert words in why_refused(saved(tmp_path, rows)).message


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"id,a\n1,2\n", "is no Excel workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "is encrypted, or an old Excel"),
        (b"PK\x03\x04 cut off", "is a broken or cut off Excel workbook"),
    ],
)
def test_a_file_that_is_no_workbook_says_why(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "t.xlsx"
    path.write_bytes(content)
    error = why_refused(path)
    assert words in error.message
    assert error.way_out


def test_a_zip_archive_is_no_workbook(tmp_path: Path) -> None:
    path = save(tmp_path / "t.xlsx", {})
    assert "has no sheet" in why_refused(path).message


def test_a_pipe_cannot_be_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "t.xlsx")
    assert "is no regular file" in why_refused(tmp_path / "t.xlsx").message


def test_sheets_are_a_workbook_s(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("id\n1\n")
    with pytest.raises(UsageError, match=r"--sheet goes with \.xlsx"):
        open_source(str(tmp_path / "t.csv"), wanted=Wanted(sheet="s1"))
