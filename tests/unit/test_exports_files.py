import csv
import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest
from ledger_parts import Table, item, ledger_of, rules, settle, succeeded
from pyarrow import parquet as pq

from processor.errors import DeliveryError, LedgerError, UsageError
from processor.exports.files import FileOutput
from processor.exports.output import Terms
from processor.exports.pivot import Pivot
from processor.ledger import database
from processor.ledger.ledger import Ledger


def deliver(ledger: Ledger, name: str, **terms: Any) -> int:
    """Write an output into the ledger's folder; how many rows."""
    output = FileOutput(str(ledger.folder / name), Terms(**terms))
    output.reach()
    output.check(ledger.connection)
    return output.deliver(ledger.path).inserted


@pytest.mark.parametrize("name", ["t.csv.gz", "t.csv.zst"])
def test_packed_files_are_the_same_bytes_each_time(tmp_path: Path, name: str) -> None:
    with ledger_of(tmp_path, 5) as ledger:
        assert deliver(ledger, name) == 5
        first = (tmp_path / name).read_bytes()
        os.utime(tmp_path / name, ns=(1, 1))
        deliver(ledger, name)
    assert (tmp_path / name).read_bytes() == first


def test_a_bom_begins_text_for_spreadsheets_alone(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 1) as ledger:
        for name in ("t.csv", "t.tsv", "t.jsonl"):
            deliver(ledger, name)
        deliver(ledger, "bare.csv.gz", bom=False)
    beginnings = {path.name: path.read_bytes()[:3] for path in tmp_path.glob("t.*")}
    mark = b"\xef\xbb\xbf"
    assert beginnings == {"t.csv": mark, "t.tsv": mark, "t.jsonl": b'{"i'}
    assert gzip.decompress((tmp_path / "bare.csv.gz").read_bytes()).startswith(b"id,text")


def test_a_column_that_does_not_fit_its_type_is_text_and_the_others_keep_theirs(
    tmp_path: Path,
) -> None:
    moments = ["2026-01-01T00:00:00"] * 700 + ["infinity"]
    with ledger_of(tmp_path, 0) as ledger:
        rows = [{"id": n, "at": at, "day": "2026-01-01"} for n, at in enumerate(moments)]
        ledger.take_in(Table(rows), rules())
        ledger.set_meta(column_types='{"at":["timestamp","timestamp"],"day":["date","date"]}')
        deliver(ledger, "t.parquet", columns=["at", "day"])
    found = pq.read_table(tmp_path / "t.parquet")
    assert [str(field.type) for field in found.schema] == ["string", "date32[day]"]
    assert found["at"].to_pylist() == moments


def test_no_rows_are_a_header_and_a_schema(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 2) as ledger:
        assert deliver(ledger, "t.csv", rows="failed") == 0
        assert deliver(ledger, "t.parquet", rows="failed") == 0
    assert len((tmp_path / "t.csv").read_text("utf-8-sig").splitlines()) == 1
    found = pq.read_table(tmp_path / "t.parquet")
    assert (found.num_rows, str(found.schema.field("id").type)) == (0, "int64")


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz", "t.parquet", "t.xlsx"])
def test_what_breaks_off_leaves_the_file_that_was_there(tmp_path: Path, name: str) -> None:
    with ledger_of(tmp_path, 1_200) as ledger:
        (tmp_path / name).write_text("before")
        ledger.connection.execute("UPDATE items SET fields = '{' WHERE seq = 1100")
        with pytest.raises(LedgerError):
            deliver(ledger, name)
    assert (tmp_path / name).read_text() == "before"
    assert not list(tmp_path.glob(".t.*"))


def test_a_disk_that_does_not_take_the_file_is_no_fault_of_the_ledger(tmp_path: Path) -> None:
    place = tmp_path / "elsewhere"
    place.mkdir()
    with ledger_of(tmp_path, 1) as ledger:
        output = FileOutput(str(place / "t.csv"), Terms())
        output.reach()
        place.rmdir()
        with pytest.raises(DeliveryError, match=r"elsewhere.*No such file"):
            output.deliver(ledger.path)


def test_a_link_is_written_through(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "latest.csv").symlink_to("real/today.csv")
    with ledger_of(tmp_path, 1) as ledger:
        deliver(ledger, "latest.csv")
    assert (tmp_path / "latest.csv").is_symlink()
    assert (tmp_path / "real" / "today.csv").is_file()


def test_an_export_is_of_one_moment_although_outcomes_keep_coming(tmp_path: Path) -> None:
    """The second slice is read after an outcome came that it would tell of."""
    with ledger_of(tmp_path, 1_200) as ledger, database.reading(ledger.path) as connection:
        output = FileOutput(str(tmp_path / "t.jsonl"), Terms(columns=["id", "status"]))
        connection.execute("BEGIN")
        slices = output.grid(connection).slices()
        first = next(slices)
        settle(ledger.connection, succeeded(item(1)), succeeded(item(1_200)))
        rest = [row for rows in slices for row in rows]
        assert output.deliver(ledger.path).inserted == 1_200
    assert {status for _, status in [*first, *rest]} == {"pending"}
    lines = [json.loads(line) for line in (tmp_path / "t.jsonl").read_text().splitlines()]
    assert [line["id"] for line in lines if line["status"] == "success"] == [1, 1_200]


@pytest.mark.parametrize(
    "terms",
    [
        Terms(table="t"),
        Terms(into={"result": "latex"}),
        Terms(keep_old=True),
        Terms(rehearse=True),
    ],
)
def test_what_only_a_database_heeds_is_refused(terms: Terms) -> None:
    with pytest.raises(UsageError, match="a file has no use for"):
        FileOutput("t.csv", terms)


def test_a_pivot_without_answers_keeps_its_rows_and_columns(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 0) as ledger:
        ledger.take_in(Table([{"id": n, "a": f"a{n}", "b": "b"} for n in range(3)]), rules())
        pivot = Pivot(down="a", across="b")
        output = FileOutput(str(tmp_path / "t.csv"), Terms(bom=False), pivot=pivot)
        output.check(ledger.connection)
        output.deliver(ledger.path)
    with (tmp_path / "t.csv").open(newline="") as file:
        assert list(csv.reader(file)) == [["a", "b"], ["a0", ""], ["a1", ""], ["a2", ""]]


def test_a_pivot_whose_value_is_the_first_column_s_name_is_refused(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 0) as ledger:
        ledger.take_in(Table([{"id": 1, "a": "x", "b": "a"}]), rules())
        output = FileOutput(str(tmp_path / "t.csv"), Terms(), pivot=Pivot(down="a", across="b"))
        with pytest.raises(UsageError, match="the first column's name"):
            output.deliver(ledger.path)
    assert not (tmp_path / "t.csv").exists()
