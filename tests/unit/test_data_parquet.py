import datetime as dt
import uuid
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet as pq

from processor import arrow
from processor.data import BadRow, arrow_values, open_source
from processor.data.text import ROW_LIMIT_BYTES
from processor.errors import InputError, UsageError
from processor.exports import parquet
from processor.exports.grid import Grid
from processor.items import Row

_MOMENT = dt.datetime(2026, 1, 1, 9, 30, 0, 1)  # noqa: DTZ001 - a type without a zone
COLUMNS: dict[str, tuple[Any, Any]] = {
    # An array of Arrow, and its first value as the ledger has it.
    "integer": (pa.array([1, None]), 1),
    "unsigned": (pa.array([2**64 - 1, None], pa.uint64()), 2**64 - 1),
    "single": (pa.array([0.1, None], pa.float32()), 0.10000000149011612),
    "half": (pa.array([1.5, None], pa.float16()), 1.5),
    "boolean": (pa.array([False, None]), False),
    "text": (pa.array(["가", None], pa.large_string()), "가"),
    "view": (pa.array(["가", None], pa.string_view()), "가"),
    "dictionary": (pa.array(["a", None]).dictionary_encode(), "a"),
    "decimal": (pa.array([Decimal("1.50"), None], pa.decimal128(38, 2)), "1.50"),
    "tiny": (pa.array([Decimal("1E-30"), None], pa.decimal256(60, 30)), f"0.{'0' * 29}1"),
    "date": (pa.array([dt.date(1, 1, 1), None]), "0001-01-01"),
    "date64": (pa.array([dt.date(2026, 1, 1), None], pa.date64()), "2026-01-01"),
    "time": (pa.array([dt.time(1, 2, 3, 4), None]), "01:02:03.000004"),
    "time32": (pa.array([1001, None], pa.time32("ms")), "00:00:01.001000"),
    "time_ns": (pa.array([1, None], pa.time64("ns")), "00:00:00.000000001"),
    "timestamp": (pa.array([_MOMENT, None]), "2026-01-01T09:30:00.000001"),
    "seconds": (pa.array([0, None], pa.timestamp("s")), "1970-01-01T00:00:00"),
    "millis": (pa.array([1, None], pa.timestamp("ms")), "1970-01-01T00:00:00.001000"),
    "nanos": (pa.array([1, None], pa.timestamp("ns")), "1970-01-01T00:00:00.000000001"),
    "utc": (pa.array([0, None], pa.timestamp("us", "UTC")), "1970-01-01T00:00:00+00:00"),
    "seoul": (pa.array([0, None], pa.timestamp("us", "Asia/Seoul")), "1970-01-01T09:00:00+09:00"),
    "offset": (pa.array([0, None], pa.timestamp("us", "-03:30")), "1969-12-31T20:30:00-03:30"),
    "duration": (pa.array([5, None], pa.duration("ms")), 5),
    "binary": (pa.array([b"\0\xff", None]), "AP8="),
    "fixed": (pa.array([b"ab", None], pa.binary(2)), "YWI="),
    "uuid": (pa.array([uuid.UUID(int=5).bytes, None], pa.uuid()), str(uuid.UUID(int=5))),
    "json": (pa.array(["[1]", None], pa.json_()), [1]),
    "list": (pa.array([[1, None], None]), [1, None]),
    "dates": (pa.array([[dt.date(2026, 1, 1)], None]), ["2026-01-01"]),
    "struct": (pa.array([{"a": 1, "b": {"c": "x"}}, None]), {"a": 1, "b": {"c": "x"}}),
    "map": (
        pa.array([[("k", Decimal("1.5"))], None], pa.map_(pa.string(), pa.decimal128(5, 2))),
        [["k", "1.50"]],
    ),
    "nanos_list": (
        pa.array([[1, None], None], pa.list_(pa.timestamp("ns"))),
        ["1970-01-01 00:00:00.000000001", None],
    ),
    "nothing": (pa.nulls(2), None),
}


def saved(folder: Path, table: Any, **options: Any) -> str:
    path = folder / "t.parquet"
    pq.write_table(table, path, **options)
    return str(path)


def why_refused(path: str | Path) -> InputError:
    with pytest.raises(InputError) as caught:
        list(open_source(str(path)).rows())
    return caught.value


@pytest.mark.parametrize("name", COLUMNS)
def test_a_type_comes_in_as_plain_values_and_leaves_as_it_came(tmp_path: Path, name: str) -> None:
    array, value = COLUMNS[name]
    source = open_source(saved(tmp_path, pa.table({"id": [1, 2], name: array})))
    rows = list(source.rows())
    assert [row.number for row in rows] == [1, 2]
    assert not any(isinstance(row, BadRow) for row in rows)
    cells = [list(row.fields.values()) for row in rows if not isinstance(row, BadRow)]
    assert cells == [[1, value], [2, None]]
    out = tmp_path / "out.parquet"
    with out.open("w+b") as file:
        assert parquet.write(file, Grid(source.columns(), lambda: iter([cells]))) == 2
    assert pq.read_table(out).equals(pq.read_table(tmp_path / "t.parquet"))


_GROWN = pa.struct([("a", pa.int64()), ("b", pa.list_(pa.int32()))])


@pytest.mark.parametrize(
    ("kind", "values", "written"),
    [
        (pa.int64(), [1, 2.0, None], [1, 2, None]),
        (pa.int64(), [1, 2.5, None], ["1", "2.5", None]),
        (pa.duration("ms"), [5, 0.5], ["5", "0.5"]),
        (pa.list_(pa.int32()), [[1], [1.5]], ["[1]", "[1.5]"]),
        (_GROWN, [{"a": 1}, {}, None], [{"a": 1, "b": None}, {"a": None, "b": None}, None]),
        (_GROWN, [{"a": 1, "was": 2}], ['{"a":1,"was":2}']),
        (_GROWN, [{"a": 1, "b": [0.5]}], ['{"a":1,"b":[0.5]}']),
        (_GROWN, ["was text"], ["was text"]),
    ],
)
def test_values_of_before_a_column_s_type_changed_lose_nothing(
    tmp_path: Path, kind: Any, values: list[Any], written: list[Any]
) -> None:
    """The column has the type that was seen last, or is text as a whole."""
    columns = [arrow.column_of(pa.field("was", kind))]
    path = tmp_path / "out.parquet"
    with path.open("w+b") as file:
        parquet.write(file, Grid(columns, lambda: iter([[[value] for value in values]])))
    assert pq.read_table(path)["was"].to_pylist() == written


def test_rows_are_counted_through_all_row_groups(tmp_path: Path) -> None:
    path = saved(tmp_path, pa.table({"id": range(25)}), row_group_size=10)
    rows = list(open_source(path).rows())
    assert [row.number for row in rows] == list(range(1, 26))


def test_spark_s_old_timestamps_beyond_nanoseconds_are_right(tmp_path: Path) -> None:
    last_day = pa.array(["9999-12-31"]).cast(pa.timestamp("us"))
    table = pa.table({"at": last_day})
    path = saved(tmp_path, table, use_deprecated_int96_timestamps=True)
    (row,) = open_source(path).rows()
    assert not isinstance(row, BadRow)
    assert row.fields == {"at": "9999-12-31T00:00:00"}


def test_a_zone_that_this_machine_lacks_is_told_in_utc() -> None:
    array = pa.array([0], pa.timestamp("us", "Nowhere/Land"))
    assert arrow_values.plain_values(array) == ["1970-01-01T00:00:00+00:00"]


@pytest.mark.parametrize("zone", ["Asia/Seoul", "+09:00", "America/New_York"])
def test_the_first_and_the_last_moment_are_told_in_utc_where_calendars_end(
    tmp_path: Path, zone: str
) -> None:
    ends = ["0001-01-01T00:00:00+00:00", "9999-12-31T23:59:59+00:00"]
    utc = pa.array(ends).cast(pa.timestamp("us", "UTC"))
    table = pa.table({"at": utc.cast(pa.timestamp("us", zone))})
    source = open_source(saved(tmp_path, table))
    cells = [list(row.fields.values()) for row in source.rows() if not isinstance(row, BadRow)]
    assert [dt.datetime.fromisoformat(cell[0]) for cell in cells] == [
        dt.datetime.fromisoformat(end) for end in ends
    ]
    out = tmp_path / "out.parquet"
    with out.open("w+b") as file:
        parquet.write(file, Grid(source.columns(), lambda: iter([cells])))
    assert pq.read_table(out).equals(table)


def test_json_that_is_none_is_text(tmp_path: Path) -> None:
    table = pa.table({"j": pa.array(["{", "NaN", str(2**70)], pa.json_())})
    rows = list(open_source(saved(tmp_path, table)).rows())
    assert [row.fields["j"] for row in rows if not isinstance(row, BadRow)] == ["{", "NaN", 2**70]


def test_a_row_too_long_for_one_is_named_and_the_rest_read(tmp_path: Path) -> None:
    texts = ["a", "b" * (ROW_LIMIT_BYTES + 1), "c"]
    rows = list(open_source(saved(tmp_path, pa.table({"text": texts}))).rows())
    assert rows == [
        Row(number=1, fields={"text": "a"}),
        BadRow(number=2, problem="has 32 MB, more than a row may have"),
        Row(number=3, fields={"text": "c"}),
    ]


def test_rows_that_are_all_too_long_are_refused_unread(tmp_path: Path) -> None:
    table = pa.table({"text": ["b" * (ROW_LIMIT_BYTES + 99)]})
    assert "has more than 32 MB a row" in why_refused(saved(tmp_path, table)).message


def test_a_moment_beyond_all_calendars_is_named_with_its_row(tmp_path: Path) -> None:
    table = pa.table({"at": pa.array([0, 10**14], pa.timestamp("s"))})
    error = why_refused(saved(tmp_path, table))
    assert (error.row, "'at'" in error.message) == (2, True)


def test_a_file_that_is_no_whole_parquet_says_why(tmp_path: Path) -> None:
    whole = Path(saved(tmp_path, pa.table({"text": [f"{n}" * 50 for n in range(500)]})))
    content = whole.read_bytes()
    broken = content[:200] + b"\xff" * 200 + content[400:]
    for bad, words in (
        (b"", "is empty"),
        (b"id,text\n1,a\n", "is no Parquet file"),
        (b"PAR1", "is a broken Parquet file"),
        (content[:-100], "is cut off"),
        (broken, "is a broken Parquet file"),
        (content[:-4] + b"PARE", "is encrypted"),
    ):
        whole.write_bytes(bad)
        error = why_refused(whole)
        assert words in error.message
        assert error.way_out


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    table = pa.table([[1], [2]], names=["a", "a"])
    assert "more than one column named a" in why_refused(saved(tmp_path, table)).message


def test_a_column_without_name_is_refused(tmp_path: Path) -> None:
    table = pa.table([[1], [2]], names=["a", " "])
    assert "column 2 has no name" in why_refused(saved(tmp_path, table)).message


def test_a_table_without_rows_is_refused(tmp_path: Path) -> None:
    table = pa.table({"a": pa.array([], pa.int64())})
    assert "has no rows" in why_refused(saved(tmp_path, table)).message


def test_an_encoding_is_text_s(tmp_path: Path) -> None:
    path = saved(tmp_path, pa.table({"a": [1]}))
    with pytest.raises(UsageError, match="--encoding goes with text"):
        open_source(path, encoding="cp949")
