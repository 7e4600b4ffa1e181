"""What goes in as a file and comes out as one is equal, in types too where the format has them."""

import csv
import datetime as dt
import io
import json
import math
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import python_calamine as calamine
import xlsxwriter
from hypothesis import given, settings, strategies as st
from ledger_parts import rules
from pyarrow import parquet as pq

from processor import packing
from processor.data import open_source
from processor.exports.output import Terms, open_output
from processor.ledger.ledger import open_ledger

MakeFolder = Callable[[str], Path]

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
# XML has no characters such as U+FFFE; a workbook's writer puts their numbers.
sheet_texts = st.text(
    st.characters(exclude_categories=["Cs", "Cn", "Co"]), min_size=1, max_size=12
).filter(lambda text: text == text.strip("\r\n"))
numbers = st.floats(allow_nan=False, allow_infinity=False)
long_integers = st.integers(-(2**90), 2**90)
json_values = st.recursive(
    st.none() | st.booleans() | long_integers | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
# The writer that makes the workbooks rounds to 16 digits, the largest numbers to infinity.
sheet_numbers = st.floats(-1e300, 1e300)
nullable = st.none()
PARQUET = {
    "integer": (pa.int64(), st.integers(-(2**63), 2**63 - 1)),
    "small": (pa.uint8(), st.integers(0, 255)),
    "real": (pa.float64(), numbers),
    "text": (pa.string(), texts),
    "flag": (pa.bool_(), st.booleans()),
    "bytes": (pa.binary(), st.binary(max_size=9)),
    "date": (pa.date32(), st.dates()),
    "time": (pa.time64("us"), st.times()),
    "timestamp": (pa.timestamp("us"), st.datetimes()),
    "zoned": (
        pa.timestamp("us", "Asia/Seoul"),
        st.datetimes(
            dt.datetime.fromisoformat("1900-01-01"),
            dt.datetime.fromisoformat("2100-01-01"),
            timezones=st.just(dt.UTC),
        ),
    ),
    # Arrow reads no text of the first and the last second that a nanosecond count can hold.
    "nanos": (pa.timestamp("ns"), st.integers(-(2**63) + 10**9, 2**63 - 10**9)),
    "decimal": (
        pa.decimal128(20, 4),
        st.decimals(Decimal(-(10**15)), Decimal(10**15), places=4),
    ),
    "list": (pa.list_(pa.string()), st.lists(texts, max_size=3)),
    "struct": (
        pa.struct([("day", pa.date32()), ("n", pa.list_(pa.int64()))]),
        st.fixed_dictionaries({"day": st.dates(), "n": st.lists(st.integers(0, 9), max_size=2)}),
    ),
}


@pytest.fixture(scope="module")
def make_folder(tmp_path_factory: pytest.TempPathFactory) -> MakeFolder:
    return tmp_path_factory.mktemp


def there_and_back(folder: Path, given_as: str, wanted_as: str, *columns: str) -> Path:
    """A file, imported by row and exported again; the columns that are asked for."""
    with open_ledger(folder / "run") as ledger:
        ledger.set_meta(id_field="id")
        ledger.take_in(open_source(str(folder / given_as)), rules("id"))
        output = open_output(str(folder / wanted_as), Terms(columns=columns, bom=False), task="t")
        output.check(ledger.connection)
        output.deliver(ledger.path)
    return folder / wanted_as


def unpacked(path: Path) -> str:
    with packing.unpacking(path) as stream:
        return stream.read().decode()


def numbered(values: Sequence[Any]) -> list[dict[str, Any]]:
    return [{"id": number, "value": value} for number, value in enumerate(values)]


@settings(max_examples=25, deadline=None)
@given(
    st.lists(texts.filter(lambda text: "\0" not in text), min_size=1, max_size=5),
    st.sampled_from(["csv", "tsv", "csv.gz"]),
)
def test_csv_comes_back(make_folder: MakeFolder, values: list[str], ending: str) -> None:
    folder = make_folder("trip")
    with (folder / "in.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "value"])
        # What begins with a mark is another file that was joined here, or so it looks.
        writer.writerows([(number, f"x{value}") for number, value in enumerate(values)])
    out = there_and_back(folder, "in.csv", f"out.{ending}", "id", "value")
    text = unpacked(out)
    delimiter = "\t" if ending == "tsv" else ","
    (head, *lines) = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    assert head == ["id", "value"]
    assert lines == [[str(number), f"x{value}"] for number, value in enumerate(values)]


@settings(max_examples=25, deadline=None)
@given(st.lists(json_values, min_size=1, max_size=5), st.sampled_from(["jsonl", "jsonl.zst"]))
def test_json_lines_come_back(make_folder: MakeFolder, values: list[Any], ending: str) -> None:
    folder = make_folder("trip")
    rows = numbered(values)
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (folder / "in.jsonl").write_text(text, encoding="utf-8", newline="\n")
    out = there_and_back(folder, "in.jsonl", f"out.{ending}", "id", "value")
    lines = unpacked(out).split("\n")
    assert [json.loads(line) for line in lines if line] == rows


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.fixed_dictionaries({name: nullable | made for name, (_, made) in PARQUET.items()}),
        min_size=1,
        max_size=4,
    )
)
def test_parquet_comes_back(make_folder: MakeFolder, rows: list[Mapping[str, Any]]) -> None:
    folder = make_folder("trip")
    table = pa.table(
        {
            "id": pa.array(range(len(rows))),
            **{
                name: pa.array([row[name] for row in rows], kind)
                for name, (kind, _) in PARQUET.items()
            },
        }
    )
    pq.write_table(table, folder / "in.parquet")
    out = there_and_back(folder, "in.parquet", "out.parquet", "id", *PARQUET)
    assert pq.read_table(out).equals(pq.read_table(folder / "in.parquet"))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(sheet_texts, sheet_numbers, st.booleans(), st.dates(dt.date(1901, 1, 1))),
                min_size=1, max_size=4))  # fmt: skip
def test_workbooks_come_back(
    make_folder: MakeFolder, rows: list[tuple[str, float, bool, dt.date]]
) -> None:
    folder = make_folder("trip")
    with xlsxwriter.Workbook(str(folder / "in.xlsx")) as book:
        sheet = book.add_worksheet()
        days = book.add_format({"num_format": "yyyy-mm-dd"})
        sheet.write_row(0, 0, ["id", "text", "number", "flag", "day"])
        for number, (text, value, flag, day) in enumerate(rows, 1):
            sheet.write_number(number, 0, number)
            sheet.write_string(number, 1, text)
            sheet.write_number(number, 2, value)
            sheet.write_boolean(number, 3, flag)
            sheet.write_datetime(number, 4, day, days)
    out = there_and_back(folder, "in.xlsx", "out.xlsx", "id", "text", "number", "flag", "day")
    before, after = (
        calamine.CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()
        for path in (folder / "in.xlsx", out)
    )
    assert after == before


@settings(max_examples=20, deadline=None)
@given(st.lists(nullable | numbers | long_integers, min_size=1, max_size=6))
def test_numbers_of_json_lines_become_a_column_of_parquet_that_holds_them(
    make_folder: MakeFolder, values: list[Any]
) -> None:
    folder = make_folder("trip")
    text = "".join(json.dumps(row) + "\n" for row in numbered(values))
    (folder / "in.jsonl").write_text(text)
    out = there_and_back(folder, "in.jsonl", "out.parquet", "value")
    found = pq.read_table(out)["value"].to_pylist()
    for before, after in zip(values, found, strict=True):
        assert before == (json.loads(after) if isinstance(after, str) else after)
        assert after is None or not math.isnan(float(after))
