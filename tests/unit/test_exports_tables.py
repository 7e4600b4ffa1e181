import csv
import subprocess
import sys
import tracemalloc
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st
from ledger_parts import (
    Table,
    failed,
    item,
    ledger_of,
    rules,
    settle,
    succeeded,
    usage,
)

from processor import jsontext
from processor.exports import tables
from processor.exports.table import ResultTable
from processor.items import Item
from processor.ledger.ledger import Ledger

RESULTS = [
    "status", "result", "check", "notes", "error_code", "error_message", "lane", "provider",
    "model", "attempts", "latency_ms", "prompt_tokens", "completion_tokens", "cached_tokens",
    "cost_usd",
]  # fmt: skip


def write(
    ledger: Ledger,
    *,
    labels: Mapping[str, str] | None = None,
    reviews: bool = False,
    bom: bool = False,
) -> list[str]:
    if labels:
        ledger.set_meta(labels=jsontext.dumps(dict(labels)))
    paths = tables.write_all(ledger.connection, ledger.folder, reviews=reviews, bom=bom)
    return [path.name for path in paths]


def read(folder: Path, name: str = "results.csv") -> list[dict[str, str]]:
    with (folder / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def header(folder: Path) -> list[str]:
    with (folder / "results.csv").open(encoding="utf-8", newline="") as file:
        return next(csv.reader(file))


def filled(ledger: Ledger, rows: list[dict[str, Any]], *, id_field: str = "id") -> list[Item]:
    ledger.set_meta(id_field=id_field)
    ledger.take_in(Table(rows), rules(id_field))
    return [pending.item for pending in ledger.pending()]


def test_a_row_holds_the_input_and_then_the_result(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 3) as ledger:
        settle(
            ledger.connection,
            succeeded(item(1), latency_ms=12.345, paid=usage(100, 20, 5), notes=("a", "b")),
            failed(item(3), message="no answer"),
        )
        assert write(ledger) == ["results.csv", "failed.csv"]
    assert header(tmp_path) == ["id", "text", *RESULTS]
    first, second, third = read(tmp_path)
    assert first == {
        "id": "1",
        "text": "text 1",
        "status": "success",
        "result": "x^2",
        "check": "verified",
        "notes": "a; b",
        "error_code": "",
        "error_message": "",
        "lane": "direct",
        "provider": "openai",
        "model": "m-1",
        "attempts": "1",
        "latency_ms": "12.3",
        "prompt_tokens": "100",
        "completion_tokens": "20",
        "cached_tokens": "5",
        "cost_usd": f"{180 / 1024:.8f}",
    }
    assert (second["status"], second["attempts"], second["lane"]) == ("pending", "0", "")
    assert (third["status"], third["error_code"]) == ("failed", "timeout")
    assert read(tmp_path, "failed.csv") == [third]


def test_doubtful_answers_stand_apart_when_the_task_tells_them(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 2) as ledger:
        settle(ledger.connection, succeeded(item(1)), succeeded(item(2), check="review"))
        assert write(ledger, reviews=True) == ["results.csv", "failed.csv", "review.csv"]
    assert [row["id"] for row in read(tmp_path, "review.csv")] == ["2"]
    assert read(tmp_path, "failed.csv") == []


@pytest.mark.parametrize("bom", [True, False])
def test_the_mark_that_excel_needs(tmp_path: Path, *, bom: bool) -> None:
    with ledger_of(tmp_path, 1) as ledger:
        for name in write(ledger, bom=bom):
            assert (tmp_path / name).read_bytes().startswith(b"\xef\xbb\xbfid" if bom else b"id")


def test_an_unknown_cost_is_an_empty_cell(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 1) as ledger:
        settle(ledger.connection, succeeded(item(1), paid=None))
        write(ledger)
    (row,) = read(tmp_path)
    assert (row["cost_usd"], row["prompt_tokens"]) == ("", "")


def test_labels_have_their_names_beside_them(tmp_path: Path) -> None:
    names = {"0": "옹호 (Support)", "1": "중립 (Neutral)"}
    with ledger_of(tmp_path, 3) as ledger:
        settle(
            ledger.connection,
            succeeded(item(1), result="0"),
            succeeded(item(2), result="9"),
            failed(item(3)),
        )
        write(ledger, labels=names)
    assert header(tmp_path)[2:5] == ["status", "result", "label_name"]
    assert [row["label_name"] for row in read(tmp_path)] == ["옹호 (Support)", "", ""]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (["id", "status"], ["id", "input_status"]),
        (["id", "result", "check"], ["id", "input_result", "input_check"]),
        (["id", "input_status", "status"], ["id", "input_status", "input_input_status"]),
        (["id", "status", "input_status"], ["id", "input_input_status", "input_status"]),
        (["id", "Status"], ["id", "Status"]),
    ],
)
def test_columns_that_collide_keep_their_values(
    tmp_path: Path, given: list[str], kept: list[str]
) -> None:
    with ledger_of(tmp_path, 0) as ledger:
        filled(ledger, [{name: f"the {name}" for name in given}])
        write(ledger)
    assert header(tmp_path) == [*kept, *RESULTS]
    (row,) = read(tmp_path)
    assert [row[name] for name in kept] == [f"the {name}" for name in given]


def test_ids_made_from_content_have_a_column_of_their_own(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 0) as ledger:
        (one,) = filled(ledger, [{"id": "mine", "text": "a"}], id_field="row")
        write(ledger)
    (row,) = read(tmp_path)
    assert header(tmp_path)[:3] == ["input_id", "text", "id"]
    assert (row["input_id"], row["id"]) == ("mine", one.id)


def test_a_column_named_row_is_not_the_id_that_is_made_from_content(tmp_path: Path) -> None:
    """It may hold the same in every row, and a table by that key would keep one of them."""
    rows = [{"row": 7, "text": text} for text in ("a", "b")]
    with ledger_of(tmp_path, 0) as ledger:
        items = filled(ledger, rows, id_field="row")
        write(ledger)
        assert ResultTable(ledger.connection).id_column == "id"
    assert header(tmp_path)[:3] == ["row", "text", "id"]
    assert [row["id"] for row in read(tmp_path)] == [one.id for one in items]


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ('두 줄\r\n"따옴표", 쉼표', '두 줄\r\n"따옴표", 쉼표'),
        ("=1+1", "=1+1"),
        (None, ""),
        (True, "true"),
        (0, "0"),
        (1.5, "1.5"),
        (2**70, str(2**70)),
        ([1, "가"], '[1,"가"]'),
        ({"a": {"b": 2**70}}, f'{{"a":{{"b":{2**70}}}}}'),
    ],
)
def test_a_value_is_kept_as_a_cell(tmp_path: Path, value: object, cell: str) -> None:
    with ledger_of(tmp_path, 0) as ledger:
        filled(ledger, [{"id": 1, "value": value}])
        write(ledger)
    assert read(tmp_path)[0]["value"] == cell


def test_a_field_that_a_row_lacks_is_an_empty_cell(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 0) as ledger:
        filled(ledger, [{"id": 1, "a": "x"}, {"b": "y", "id": 2}])
        write(ledger)
    assert header(tmp_path)[:3] == ["id", "a", "b"]
    assert [(row["a"], row["b"]) for row in read(tmp_path)] == [("x", ""), ("", "y")]


cells = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(cells, cells), max_size=6))
def test_any_text_comes_back_from_the_table(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]
) -> None:
    folder = tmp_path_factory.mktemp("run")
    with ledger_of(folder, 0) as ledger:
        items = filled(ledger, [{"id": n, "text": text} for n, (text, _) in enumerate(rows)])
        settle(
            ledger.connection,
            *(succeeded(one, result=result) for one, (_, result) in zip(items, rows, strict=True)),
        )
        write(ledger, bom=True)
    with (folder / "results.csv").open(encoding="utf-8-sig", newline="") as file:
        assert [(row["text"], row["result"]) for row in csv.DictReader(file)] == rows


_MANY = """
import sys
from pathlib import Path
from ledger_parts import item, ledger_of, settle, succeeded
from processor.exports import tables
from processor.machine import peak_rss_mb

folder, count = Path(sys.argv[1]), int(sys.argv[2])
with ledger_of(folder, count) as ledger:
    for first in range(1, count + 1, 500):
        settle(ledger.connection, *(succeeded(item(n)) for n in range(first, first + 500)))
    tables.write_all(ledger.connection, folder, reviews=True, bom=True)
print(peak_rss_mb())
"""


def test_memory_does_not_grow_with_rows(tmp_path: Path) -> None:
    peaks_mb = []
    for count in (2_000, 40_000):
        done = subprocess.run(
            [sys.executable, "-c", _MANY, str(tmp_path / str(count)), str(count)],
            check=True,
            capture_output=True,
            text=True,
            env={"PYTHONPATH": str(Path(__file__).parent)},
        )
        peaks_mb.append(float(done.stdout))
    assert peaks_mb[1] < peaks_mb[0] + 25


def test_keys_of_a_json_result_are_columns_behind_it(tmp_path: Path) -> None:
    keys = {"name": "text", "age": "integer", "id": "text", "status": "text", "tags": "json"}
    with ledger_of(tmp_path, 3) as ledger:
        ledger.set_meta(result_columns=jsontext.dumps(keys))
        answer = '{"name":"Ann","age":123456789012345678901,"tags":["a"],"id":"x","more":1}'
        settle(
            ledger.connection,
            succeeded(item(1), result=answer),
            succeeded(item(2), result="from before the task was changed"),
            failed(item(3)),
        )
        write(ledger)
    own = ["name", "age", "result_id", "result_status", "tags"]
    assert header(tmp_path) == ["id", "text", *RESULTS[:2], *own, *RESULTS[2:]]
    rows = [[row[name] for name in ("id", *own)] for row in read(tmp_path)]
    assert rows == [
        ["1", "Ann", "123456789012345678901", "x", "", '["a"]'],
        ["2", "", "", "", "", ""],
        ["3", "", "", "", "", ""],
    ]


def test_rows_that_were_left_out_are_written_as_they_are_read(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 0) as ledger:
        ledger.take_in(Table([{"id": 1}, *[{"id": None}] * 30_000]), rules(skip_invalid=True))
        tracemalloc.start()
        assert "skipped.csv" in write(ledger)
        _, peak_bytes = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    found = read(tmp_path, "skipped.csv")
    assert [row["row"] for row in found] == [str(number) for number in range(2, 30_002)]
    assert peak_bytes < 3_000_000
