import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from ledger_parts import (
    Table,
    asked_again,
    failed,
    item,
    ledger_of,
    rules,
    settle,
    succeeded,
    usage,
)

from processor.errors import LedgerError
from processor.exports import chunk_files
from processor.items import Item
from processor.ledger.ledger import Ledger

FIRST = "conversion_results_batch_001.json"


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """25 items in three chunks, all of them done; 4 and 13 failed."""
    with ledger_of(tmp_path, 25) as opened:
        outcomes = [
            failed(item(seq)) if seq in (4, 13) else succeeded(item(seq))
            for seq in reversed(range(1, 26))
        ]
        settle(opened.connection, *outcomes)
        yield opened


def write(ledger: Ledger, *numbers: int) -> None:
    chunk_files.write(ledger.connection, ledger.folder, numbers)


def stale(ledger: Ledger, *, thorough: bool = True) -> list[int]:
    return chunk_files.stale(ledger.connection, ledger.folder, thorough=thorough)


def read(folder: Path, name: str = FIRST) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / name).read_bytes())
    return content


def test_the_format_is_that_of_the_documentation(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 2, provider="sandbox") as ledger:
        settle(
            ledger.connection,
            asked_again(item(1), 1, paid=usage(30, 3, 1)),
            succeeded(item(1), attempts=2, latency_ms=1234.56, paid=usage(100, 20, 5)),
            failed(item(2), code="timeout", message="no answer"),
        )
        write(ledger, 1)
    assert read(tmp_path) == {
        "format": 1,
        "batch": 1,
        "items": 2,
        "succeeded": 1,
        "failed": 1,
        "results": [
            {
                "id": 1,
                "status": "success",
                "result": "x^2",
                "check": "verified",
                "fields": {"id": 1, "text": "text 1"},
                "lane": "direct",
                "provider": "sandbox",
                "model": "m-1",
                "attempts": 2,
                "latency_ms": 1234.6,
                "usage": {"prompt_tokens": 130, "completion_tokens": 23, "cached_tokens": 6},
            },
            {
                "id": 2,
                "status": "failed",
                "error": {"code": "timeout", "message": "no answer", "retryable": True},
                "fields": {"id": 2, "text": "text 2"},
                "lane": "direct",
                "provider": "sandbox",
                "attempts": 1,
            },
        ],
    }


def test_notes_are_told_where_there_are_any(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 2) as ledger:
        settle(ledger.connection, succeeded(item(1), notes=("\\dots mended",)), succeeded(item(2)))
        write(ledger, 1)
    first, second = read(tmp_path)["results"]
    assert first["notes"] == ["\\dots mended"]
    assert "notes" not in second


def test_unknown_usage_is_null(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 1) as ledger:
        settle(ledger.connection, succeeded(item(1), paid=None))
        write(ledger, 1)
    assert set(read(tmp_path)["results"][0]["usage"].values()) == {None}


def test_items_stand_in_input_order_a_line_each(ledger: Ledger, tmp_path: Path) -> None:
    write(ledger, 1, 2, 3)
    ids = [
        [one["id"] for one in read(tmp_path, chunk_files.name_of(number))["results"]]
        for number in (1, 2, 3)
    ]
    assert ids == [list(range(1, 11)), list(range(11, 21)), list(range(21, 26))]
    lines = (tmp_path / FIRST).read_text().splitlines()
    assert len(lines) == 1 + 10 + 1
    assert sum('"status":"failed"' in line for line in lines) == 1


@pytest.mark.parametrize(
    ("number", "name"),
    [(1, "001"), (42, "042"), (999, "999"), (1000, "1000"), (12345, "12345")],
)
def test_names_have_three_digits_or_more(number: int, name: str) -> None:
    assert chunk_files.name_of(number) == f"conversion_results_batch_{name}.json"


def test_what_was_in_the_input_is_in_the_file(tmp_path: Path) -> None:
    row: dict[str, Any] = {
        "id": '가\u2028"나"',
        "text": "한글, 줄\n바꿈 \x00\\",
        "big": 2**70,
        "nested": {"a": [1, None, 1.5, True]},
        "nan": float("nan"),
    }
    with ledger_of(tmp_path, 0) as ledger:
        ledger.take_in(Table([row]), rules())
        one = Item(seq=1, chunk=1, id=row["id"], fields=row)
        settle(ledger.connection, succeeded(one, result="$x$ </script> 가"))
        write(ledger, 1)
    (entry,) = read(tmp_path)["results"]
    assert entry["fields"] == {**row, "nan": None}
    assert (entry["id"], entry["result"]) == (row["id"], "$x$ </script> 가")
    assert orjson.loads((tmp_path / FIRST).read_bytes())["items"] == 1


class TestStale:
    def test_a_file_that_was_never_written(self, ledger: Ledger) -> None:
        assert stale(ledger) == [1, 2, 3]
        write(ledger, 1, 2, 3)
        assert stale(ledger) == []

    def test_a_chunk_that_is_not_complete_has_none(self, tmp_path: Path) -> None:
        with ledger_of(tmp_path, 20) as ledger:
            settle(ledger.connection, *(succeeded(item(seq)) for seq in range(1, 20)))
            assert stale(ledger) == [1]

    @pytest.mark.parametrize("spoil", ["missing", "shorter", "longer", "empty"])
    def test_a_spoiled_file_is_found_and_mended(
        self, ledger: Ledger, tmp_path: Path, spoil: str
    ) -> None:
        write(ledger, 1, 2, 3)
        whole = (tmp_path / FIRST).read_bytes()
        if spoil == "missing":
            (tmp_path / FIRST).unlink()
        else:
            content = {"shorter": whole[:-10], "longer": whole + b" ", "empty": b""}[spoil]
            (tmp_path / FIRST).write_bytes(content)
        assert stale(ledger, thorough=False) == [1]
        write(ledger, *stale(ledger))
        assert (tmp_path / FIRST).read_bytes() == whole
        assert stale(ledger) == []

    def test_a_file_of_the_right_length_is_read_when_asked(
        self, ledger: Ledger, tmp_path: Path
    ) -> None:
        write(ledger, 1, 2, 3)
        size = (tmp_path / FIRST).stat().st_size
        (tmp_path / FIRST).write_bytes(bytes(size))
        assert stale(ledger, thorough=False) == []
        assert stale(ledger, thorough=True) == [1]

    def test_a_crash_between_the_file_and_its_note(self, ledger: Ledger, tmp_path: Path) -> None:
        write(ledger, 1)
        whole = (tmp_path / FIRST).read_bytes()
        ledger.connection.execute("UPDATE chunks SET file_bytes = NULL, file_crc32 = NULL")
        assert 1 in stale(ledger, thorough=False)
        write(ledger, 1)
        assert (tmp_path / FIRST).read_bytes() == whole

    def test_a_retried_item_rewrites_its_chunk_alone(self, ledger: Ledger, tmp_path: Path) -> None:
        write(ledger, 1, 2, 3)
        third = (tmp_path / "conversion_results_batch_003.json").stat()
        ledger.requeue()
        settle(
            ledger.connection,
            succeeded(item(4), attempts=2, result="mended"),
            failed(item(13), attempts=2),
        )
        assert stale(ledger, thorough=False) == [1, 2]
        write(ledger, *stale(ledger))
        content = read(tmp_path)
        assert (content["succeeded"], content["failed"]) == (10, 0)
        assert content["results"][3]["result"] == "mended"
        assert [one["id"] for one in content["results"]] == list(range(1, 11))
        assert (tmp_path / "conversion_results_batch_003.json").stat() == third

    def test_later_items_never_change_an_older_file(self, ledger: Ledger, tmp_path: Path) -> None:
        write(ledger, 1, 2, 3)
        before = {path.name: path.read_bytes() for path in tmp_path.glob("conversion_*")}
        ledger.take_in(Table([{"id": "new"}]), rules())
        settle(ledger.connection, succeeded(Item(seq=26, chunk=4, id="new", fields={})))
        assert stale(ledger) == [4]
        write(ledger, 4)
        assert {name: (tmp_path / name).read_bytes() for name in before} == before
        assert read(tmp_path, "conversion_results_batch_004.json")["items"] == 1


def test_files_that_belong_to_no_chunk_are_named(ledger: Ledger, tmp_path: Path) -> None:
    write(ledger, 1, 2, 3)
    odd = ["004", "000", "0003", "1000"]
    for number in odd:
        (tmp_path / f"conversion_results_batch_{number}.json").write_text("{}")
    (tmp_path / "conversion_results_batch_04.json").write_text("{}")
    (tmp_path / "notes.json").write_text("{}")
    found = {path.name for path in chunk_files.strays(ledger.connection, tmp_path)}
    assert found == {f"conversion_results_batch_{number}.json" for number in odd}


def test_a_file_that_cannot_be_written_is_an_error_of_the_disk(
    ledger: Ledger, tmp_path: Path
) -> None:
    (tmp_path / FIRST).mkdir()
    with pytest.raises(LedgerError, match=f"{FIRST}.*Free the disk"):
        write(ledger, 1)
    assert 1 in stale(ledger)
    assert not list(tmp_path.glob(".*.tmp"))


_FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from processor.errors import LedgerError
from processor.exports.atomic import replace, replacing
path = Path(sys.argv[1])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
def stream():
    with replacing(path) as file:
        for _ in range(1_000):
            file.write("x" * 100)
for put in (lambda: replace(path, b"x" * 100_000), stream):
    try:
        put()
    except LedgerError as error:
        print(error.exit_code)
"""


def test_a_file_that_does_not_fit_leaves_the_old_one_whole(tmp_path: Path) -> None:
    """A limit on the size of files stands for a full disk."""
    path = tmp_path / "results.csv"
    path.write_text("old")
    done = subprocess.run(
        [sys.executable, "-c", _FULL_DISK, str(path)], check=True, capture_output=True, text=True
    )
    assert done.stdout.split() == ["5", "5"]
    assert {one.name: one.read_text() for one in tmp_path.iterdir()} == {"results.csv": "old"}
