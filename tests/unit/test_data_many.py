"""Several files as one source, from the pattern to the ledger."""

import gzip
import os
from pathlib import Path

import pyarrow as pa
import pytest
from ledger_parts import rules
from pyarrow import parquet as pq

from processor.columns import Column
from processor.data import BadRow, open_source
from processor.data.interruptible import Interruptible
from processor.errors import InputError
from processor.items import Row
from processor.ledger.ledger import Ledger, open_ledger


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder with two files."""
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "b.csv").write_text("text,id\ny,3\n")
    (folder / "a.csv").write_text("id,word\n1,x\n2,가\n")
    return folder


def refusal(ledger: Ledger, pattern: str) -> InputError:
    source = Interruptible(open_source(pattern), lambda: False)
    with pytest.raises(InputError) as caught:
        ledger.take_in(source, rules())
    return caught.value


def test_the_rows_follow_the_names_and_are_counted_through(data: Path) -> None:
    source = open_source(str(data / "*.csv"))
    assert list(source.rows()) == [
        Row(number=1, fields={"id": "1", "word": "x"}),
        Row(number=2, fields={"id": "2", "word": "가"}),
        Row(number=3, fields={"text": "y", "id": "3"}),
    ]


def test_columns_are_merged_in_the_order_of_their_first_sight(data: Path, tmp_path: Path) -> None:
    with open_ledger(tmp_path / "run") as ledger:
        ledger.take_in(open_source(str(data / "*.csv")), rules())
        (names,) = ledger.connection.execute(
            "SELECT value FROM meta WHERE key = 'columns'"
        ).fetchone()
    assert names == '["id","word","text"]'


def test_a_column_whose_type_differs_has_none(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": [1], "a": [1], "b": [1.5]}), tmp_path / "1.parquet")
    pq.write_table(pa.table({"id": [2], "a": ["x"], "c": [b""]}), tmp_path / "2.parquet")
    kinds = {one.name: one.kind for one in open_source(str(tmp_path / "*.parquet")).columns()}
    assert kinds == {"id": "integer", "a": None, "b": "real", "c": "bytes"}


def test_integers_of_two_widths_are_integers(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": pa.array([1], pa.int64())}), tmp_path / "1.parquet")
    pq.write_table(pa.table({"a": pa.array([1], pa.int8())}), tmp_path / "2.parquet")
    assert open_source(str(tmp_path / "*.parquet")).columns() == [Column("a", "integer")]


def test_the_stamp_changes_with_any_file_and_the_uri_with_none(data: Path) -> None:
    pattern = os.path.relpath(data / "*.csv")
    before = open_source(pattern)
    first = before.stamp()
    assert first == open_source(pattern).stamp()
    (data / "c.csv").write_text("id\n4\n")
    after = open_source(pattern)
    assert after.stamp() != first
    assert (before.name, before.uri) == (pattern, str(data / "*.csv"))
    assert after.uri == before.uri


def test_a_file_that_comes_later_brings_its_rows(data: Path, tmp_path: Path) -> None:
    with open_ledger(tmp_path / "run") as ledger:
        assert ledger.take_in(open_source(str(data / "*.csv")), rules()).added == 3
        (data / "aa.csv").write_text("id\n4\n")
        source = open_source(str(data / "*.csv"))
        assert not ledger.knows(source)
        assert ledger.take_in(source, rules()).added == 1
        assert ledger.knows(source)


def test_a_bad_row_is_named_with_its_file(data: Path, tmp_path: Path) -> None:
    (data / "b.csv").write_text("id\n3\n4,5\n")
    (data / "c.csv").write_text("id\n6,7\n")
    with open_ledger(tmp_path / "run") as ledger:
        error = refusal(ledger, str(data / "*.csv"))
        assert (error.source, error.row) == (str(data / "b.csv"), 2)
        assert f"(and 1 more: row 1 of {data / 'c.csv'})" in error.message
        source = open_source(str(data / "*.csv"))
        assert ledger.take_in(source, rules(skip_invalid=True)).skipped == 2
        found = ledger.connection.execute("SELECT row, problem FROM skipped").fetchall()
    assert found == [
        (4, f"{data / 'b.csv'}: row 2: has 2 fields, the header 1 (line 3)"),
        (5, f"{data / 'c.csv'}: row 1: has 2 fields, the header 1 (line 2)"),
    ]


def test_an_id_that_stands_in_two_files_is_named_with_both(data: Path, tmp_path: Path) -> None:
    (data / "b.csv").write_text("id\n1\n")
    with open_ledger(tmp_path / "run") as ledger:
        error = refusal(ledger, str(data / "*.csv"))
    assert f"{data / 'b.csv'}: row 1: the id '1' stands in row 1 of " in error.message
    assert str(data / "a.csv") in error.message


def test_a_file_that_cannot_be_read_names_itself(data: Path) -> None:
    (data / "b.csv").write_text("")
    with pytest.raises(InputError, match=r"b\.csv: has no rows"):
        list(open_source(str(data / "*.csv")).rows())


def test_a_pattern_without_files_and_one_of_two_formats_are_refused(data: Path) -> None:
    with pytest.raises(InputError, match="no file matches"):
        open_source(str(data / "*.jsonl"))
    (data / "c.jsonl").write_text("{}\n")
    with pytest.raises(InputError, match=r"several formats: .*a\.csv and .*c\.jsonl"):
        open_source(str(data / "*"))


def test_packed_files_stand_beside_others_of_their_format(data: Path) -> None:
    (data / "c.csv.gz").write_bytes(gzip.compress(b"id\n4\n", mtime=0))
    rows = list(open_source(str(data / "*.csv*")).rows())
    assert rows[-1] == Row(number=4, fields={"id": "4"})


def test_a_file_whose_name_looks_like_a_pattern_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "[a].csv").write_text("id\n1\n")
    source = open_source(str(tmp_path / "[a].csv"))
    assert not any(isinstance(row, BadRow) for row in source.rows())
    assert source.uri == str(tmp_path / "[a].csv")


def test_a_pattern_reaches_into_folders(data: Path, tmp_path: Path) -> None:
    (data / "more").mkdir()
    (data / "more" / "d.csv").write_text("id\n4\n")
    assert len(list(open_source(str(tmp_path / "**" / "*.csv")).rows())) == 4
