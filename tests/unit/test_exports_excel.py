import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import python_calamine as calamine
from hypothesis import given, settings, strategies as st

from processor.columns import Column
from processor.errors import UsageError
from processor.exports import excel
from processor.exports.grid import Grid


def written(
    folder: Path, columns: Sequence[Column], rows: list[list[Any]]
) -> tuple[list[list[Any]], Sequence[str]]:
    """The cells of the sheet as another program reads them, and what was told of cuts."""
    path = folder / "t.xlsx"
    with path.open("w+b") as file:
        count, notes = excel.write(file, Grid(columns, lambda: iter([rows])))
    assert count == len(rows)
    (_, *cells) = calamine.CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()
    return cells, notes


@pytest.mark.parametrize(
    ("kind", "value", "cell"),
    [
        ("text", "=1+1", "=1+1"),
        ("text", "=HYPERLINK(1)", "=HYPERLINK(1)"),
        ("text", "https://example.org", "https://example.org"),
        ("text", "007", "007"),
        ("text", "가\r\n\t_x000D_ \x01", "가\r\n\t_x000D_ \x01"),
        ("text", True, True),
        ("integer", 7, 7.0),
        ("integer", 10**15 - 1, 999_999_999_999_999.0),
        ("integer", 10**15, "1000000000000000"),
        ("integer", -(2**70), str(-(2**70))),
        ("real", 0.1 + 0.2, 0.1 + 0.2),
        ("decimal", "0.10", 0.1),
        ("decimal", "1234567890.1234567", "1234567890.1234567"),
        ("decimal", "NaN", "NaN"),
        ("boolean", False, False),
        ("date", "2026-01-02", dt.date(2026, 1, 2)),
        ("date", "1900-02-28", "1900-02-28"),
        ("date", "infinity", "infinity"),
        ("time", "01:02:03", dt.time(1, 2, 3)),
        ("timestamptz", "2026-01-02T03:04:05+09:00", "2026-01-02T03:04:05+09:00"),
        ("uuid", "00000000-0000-0000-0000-000000000005", "00000000-0000-0000-0000-000000000005"),
        ("bytes", "AP8=", "AP8="),
        ("json", {"a": [1, "가"]}, '{"a":[1,"가"]}'),
        ("date[]", ["2026-01-02"], '["2026-01-02"]'),
    ],
)
def test_a_value_becomes_the_cell_that_excel_has_for_it(
    tmp_path: Path, kind: str, value: Any, cell: Any
) -> None:
    columns = [Column("id", "integer"), Column("value", kind)]
    cells, notes = written(tmp_path, columns, [[1, value], [2, None]])
    assert cells == [[1.0, cell], [2.0, ""]]
    assert type(cells[0][1]) is type(cell)
    assert not notes


def test_a_timestamp_keeps_its_milliseconds(tmp_path: Path) -> None:
    columns = [Column("at", "timestamp")]
    cells, _ = written(tmp_path, columns, [["2026-01-02T03:04:05.678000"]])
    assert cells == [[dt.datetime.fromisoformat("2026-01-02T03:04:05.678")]]


@settings(max_examples=60, deadline=None)
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_number_keeps_all_of_its_bits(
    tmp_path_factory: pytest.TempPathFactory, value: float
) -> None:
    folder = tmp_path_factory.mktemp("book")
    cells, _ = written(folder, [Column("n", "real"), Column("x", "text")], [[value, "x"]])
    assert cells == [[value, "x"]]


def test_what_is_too_long_for_a_cell_is_cut_and_told(tmp_path: Path) -> None:
    columns = [Column("id", "integer"), Column("text", "text")]
    rows = [[1, "x" * 32_767], [2, "가" * 32_768], [3, "x" + "🎉" * 20_000]]
    cells, (note,) = written(tmp_path, columns, rows)
    assert cells[0][1] == rows[0][1]
    assert cells[1][1] == "가" * 32_767
    assert cells[2][1] == "x" + "🎉" * 16_383, "an emoji counts twice, and is never halved"
    assert "2 longer ones, the first in row 3 of 'text'" in note


def test_a_full_sheet_goes_on_in_another(tmp_path: Path) -> None:
    path = tmp_path / "t.xlsx"
    with path.open("w+b") as file:
        book = excel.Workbook(file, [Column("id", "integer")], spool=str(tmp_path), most_rows=4)
        book.add([[number] for number in range(1, 8)])
        assert not book.close()
    read = calamine.CalamineWorkbook.from_path(str(path))
    assert read.sheet_names == ["results", "results 2", "results 3"]
    found = [read.get_sheet_by_index(place).to_python() for place in range(3)]
    assert found == [
        [["id"], [1.0], [2.0], [3.0]],
        [["id"], [4.0], [5.0], [6.0]],
        [["id"], [7.0]],
    ]


def test_more_columns_than_a_sheet_has_are_refused(tmp_path: Path) -> None:
    columns = [Column(str(number), "text") for number in range(excel.MOST_COLUMNS + 1)]
    with pytest.raises(UsageError, match=r"16,384 columns at most, and these are 16,385"):
        written(tmp_path, columns, [])
