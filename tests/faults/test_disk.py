"""FAULTS.md, Disk: 89, a disk that fails under a run, and a ledger that was damaged.

Each time: nothing more is sent, nothing acknowledged is lost, the exit code is 5, one line names
the file and the way on; and once the disk is mended the same command finishes everything.
"""

import errno
import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from run_bench import Folder, folder_before

from faults.bad_disk import UNUSABLE, BadDisk, compiled
from processor.sandbox_process import sandbox

ITEMS = 900
OPTIONS = ("--concurrency", "10", "--chunk-size", "10", "--quiet")

needs_bad_disk = pytest.mark.skipif(bool(UNUSABLE), reason=UNUSABLE)
pytestmark = pytest.mark.fault(89)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compiled(tmp_path_factory.mktemp("bad_disk"))


@pytest.fixture
def disk(library: Path, tmp_path: Path) -> BadDisk:
    return BadDisk(library, tmp_path / "the disk is bad")


@pytest.fixture(scope="module")
def sandbox_url() -> Iterator[str]:
    with sandbox(["--latency-ms", "20", "--latency-sigma", "0"]) as url:
        yield url


@pytest.fixture
def folder(tmp_path: Path, sandbox_url: str) -> Iterator[Folder]:
    with folder_before(sandbox_url, tmp_path, rows=ITEMS) as folder:
        yield folder


def acknowledged(folder: Folder) -> set[int]:
    """What was logged or stands in a file of results."""
    detail = folder.path / "logs" / "batch_conversion.log"
    lines = detail.read_text().split("\n")[:-1] if detail.exists() else []
    told = {line["id"] for line in map(json.loads, lines) if line["event"] == "item"}
    for path in (folder.path / "out").glob("conversion_results_batch_*.json"):
        told |= {entry["id"] for entry in json.loads(path.read_text())["results"]}
    return told


def has_logged(folder: Folder, more_than: int) -> bool:
    """Whether so many items were logged."""
    detail = folder.path / "logs" / "batch_conversion.log"
    return detail.exists() and detail.read_text().count('"event":"item"') > more_than


def held(folder: Folder) -> set[int]:
    return {seq for (seq,) in folder.ledger("SELECT seq FROM outcomes")}


def assert_refused(code: int, told: str, names: str) -> None:
    assert code == 5, told
    assert "Traceback" not in told
    last = told.strip().split("\n")[-1]
    assert last.startswith("Error: ")
    assert names in last
    assert any(way in last for way in ("same command", "--logs", "--out", "--new")), last


def assert_mended(folder: Folder) -> None:
    """The same command does the rest, and no more."""
    before, kept = folder.admin("stats")["received"], len(held(folder))
    code, _, told = folder.run(*OPTIONS)
    assert code == 0, told
    folder.assert_whole(ITEMS)
    assert folder.admin("stats")["received"] == before + ITEMS - kept


@needs_bad_disk
def test_it_fails_while_results_come(folder: Folder, disk: BadDisk) -> None:
    """Always the same command, and each time the disk fails elsewhere."""
    for number, (files, op, error, names) in enumerate(
        (
            ("*/out/ledger.sqlite-wal", "write", errno.ENOSPC, "ledger.sqlite"),
            ("*/out/ledger.sqlite-wal", "sync", errno.EIO, "ledger.sqlite"),
            ("*/out/.conversion_results*", "write", errno.ENOSPC, "conversion_results_batch_"),
            ("*/logs/batch_conversion.log", "write", errno.EIO, "batch_conversion.log"),
            ("*/out/.conversion_stats*", "sync", errno.EIO, "conversion_stats.json"),
            ("*/out/.*.csv.tmp", "write", errno.ENOSPC, ".csv"),
        )
    ):
        process = folder.start(*OPTIONS, env=disk.env(files, ops=[op], error=error))
        folder.wait_for(partial(has_logged, folder, 40 * number))
        disk.spoil()
        _, told = process.communicate(timeout=30)
        disk.mend()
        assert_refused(process.returncode, told, names)
        assert acknowledged(folder) <= held(folder)
        # Statistics are written every two seconds: a quick machine is done with all items by then.
        assert names in {"conversion_stats.json", ".csv"} or len(held(folder)) < ITEMS
    assert_mended(folder)


@needs_bad_disk
@pytest.mark.parametrize(
    ("files", "op", "after", "names"),
    [
        ("*/out/.conversion_results*", "write", 0, "conversion_results_batch_"),
        ("*/logs/batch_conversion.log", "write", 60, "batch_conversion.log"),
        ("*/out/.conversion_stats*", "sync", 0, "conversion_stats.json"),
    ],
)
def test_calls_in_flight_are_recorded_while_the_ledger_can_be_written(
    folder: Folder, disk: BadDisk, files: str, op: str, after: int, names: str
) -> None:
    """They are paid for: only calls that have not begun are spared."""
    env = disk.env(files, ops=[op], error=errno.ENOSPC, after=after, at_once=True)
    process = folder.start(*OPTIONS, "--concurrency", "40", env=env)
    _, told = process.communicate(timeout=30)
    assert_refused(process.returncode, told, names)
    kept, received = len(held(folder)), folder.admin("stats")["received"]
    assert 40 <= kept == received < ITEMS
    code, _, told = folder.run(*OPTIONS)
    assert code == 0, told
    folder.assert_whole(ITEMS)
    assert folder.figures()["requests_lost"] == 0
    assert folder.admin("stats")["received"] == ITEMS


@needs_bad_disk
def test_it_fails_before_anything_is_sent(folder: Folder, disk: BadDisk) -> None:
    """From the first folder that is made to the last row that is imported."""
    for files, op, error, after, names in (
        ("*/logs", "mkdir", errno.ENOSPC, 0, "logs"),
        ("*/out", "mkdir", errno.EROFS, 0, "out"),
        ("*/out/.lock", "create", errno.ENOSPC, 0, "out"),
        ("*/out/.ledger.sqlite.new*", "write", errno.ENOSPC, 3, "ledger.sqlite"),
        ("*/out/ledger.sqlite-wal", "sync", errno.EIO, 0, "ledger.sqlite"),
        ("*/out/ledger.sqlite-wal", "write", errno.ENOSPC, 40, "ledger.sqlite"),
    ):
        env = disk.env(files, ops=[op], error=error, after=after, at_once=True)
        process = folder.start(*OPTIONS, env=env)
        _, told = process.communicate(timeout=30)
        assert_refused(process.returncode, told, names)
    assert folder.admin("stats")["received"] == 0
    folder.rows(20)
    assert folder.run(*OPTIONS)[0] == 0
    folder.assert_whole(20)


@needs_bad_disk
def test_a_log_that_cannot_be_folded_into_the_ledger_is_kept(folder: Folder, disk: BadDisk) -> None:
    """Nothing is lost, so nothing is said; it is tried again at every commit and at the end."""
    folder.rows(100)
    env = disk.env("*/out/ledger.sqlite", error=errno.EIO, at_once=True)
    process = folder.start(*OPTIONS, env=env)
    _, told = process.communicate(timeout=30)
    assert process.returncode == 0, told
    log = folder.path / "out" / "ledger.sqlite-wal"
    assert log.stat().st_size > 0
    assert folder.run(*OPTIONS)[0] == 0
    assert not log.exists()
    folder.assert_whole(100)
    assert folder.admin("stats")["received"] == 100


def test_a_torn_ledger_is_refused_and_left_as_it_is(folder: Folder) -> None:
    folder.rows(100)
    assert folder.run(*OPTIONS)[0] == 0
    path = folder.path / "out" / "ledger.sqlite"
    path.write_bytes(path.read_bytes()[:40_000])
    code, _, told = folder.run(*OPTIONS)
    assert_refused(code, told, "out/ledger.sqlite")
    assert "--new" in told
    assert path.stat().st_size == 40_000
    assert folder.admin("stats")["received"] == 100
    assert folder.run(*OPTIONS, "--new")[0] == 0
    folder.assert_whole(100)


def test_a_ledger_that_lost_its_entries_is_not_paid_for_again(folder: Folder) -> None:
    """SQLite drops what comes after a damaged place in the write-ahead log, and says nothing.

    Here that is everything, and the ledger looks as if the run had never begun.
    """
    process = folder.start(*OPTIONS)
    folder.wait_for(partial(has_logged, folder, 100))
    process.kill()
    process.communicate()
    log = folder.path / "out" / "ledger.sqlite-wal"
    content = bytearray(log.read_bytes())
    content[len(content) // 20] ^= 1
    log.write_bytes(content)
    before = folder.admin("stats")["received"]
    for _ in range(2):
        code, _, told = folder.run(*OPTIONS)
        assert_refused(code, told, "out/ledger.sqlite has lost its newest entries")
    assert folder.admin("stats")["received"] == before
