"""Both lanes at once when something goes wrong: neither loses or doubles what the other did."""

import errno
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from run_bench import Folder, folder_before

from faults.bad_disk import UNUSABLE, BadDisk, compiled
from processor.sandbox_process import sandbox

ITEMS, DIRECTLY, IN_FLIGHT = 240, 120, 8
OPTIONS = (
    *("--route", "batch", "--direct-first", str(DIRECTLY), "--shard-size", "40"),
    *("--concurrency", str(IN_FLIGHT), "--chunk-size", "10", "--grace", "1", "--quiet"),
)


@pytest.fixture(scope="module")
def sandbox_url() -> Iterator[str]:
    with sandbox(["--latency-ms", "40", "--latency-sigma", "0"]) as url:
        yield url


@pytest.fixture
def folder(tmp_path: Path, sandbox_url: str) -> Iterator[Folder]:
    with folder_before(sandbox_url, tmp_path, rows=ITEMS) as folder:
        folder.admin("forget", {})
        yield folder


def at_work(folder: Folder) -> bool:
    """Whether batches are made, and some rows were answered directly."""
    routes = folder.admin("stats")["by_route"]
    return bool(routes.get("POST /v1/batches")) and (
        routes.get("POST /v1/chat/completions", 0) > 2 * IN_FLIGHT
    )


def assert_done(folder: Folder, *, twice: int) -> None:
    """The same command does the rest; no more than `twice` answers are paid for once more."""
    code, _, told = folder.run(*OPTIONS)
    assert code == 0, told
    folder.assert_whole(ITEMS)
    lanes = folder.figures()["lanes"]
    assert lanes["direct"]["succeeded"] == DIRECTLY
    assert lanes["batch"]["succeeded"] == ITEMS - DIRECTLY
    stats = folder.admin("stats")
    assert stats["items"]["answered"] == ITEMS
    assert stats["paid"] <= ITEMS + twice


@pytest.mark.parametrize(("kind", "times"), [(signal.SIGINT, 1), (signal.SIGTERM, 2)])
def test_both_are_left_at_a_word_and_gone_on_with(
    folder: Folder, kind: signal.Signals, times: int
) -> None:
    process = folder.start(*OPTIONS)
    folder.wait_for(lambda: at_work(folder))
    for _ in range(times):
        process.send_signal(kind)
    _, told = process.communicate(timeout=30)
    assert process.returncode == 130, told
    assert "Traceback" not in told
    # Whoever insists leaves calls in flight behind, which may be answered and charged all the same.
    assert_done(folder, twice=0 if times == 1 else IN_FLIGHT)


@pytest.mark.skipif(bool(UNUSABLE), reason=UNUSABLE)
@pytest.mark.parametrize(
    ("files", "op", "names"),
    [
        ("*/out/ledger.sqlite-wal", "write", "ledger.sqlite"),
        ("*/out/.conversion_results*", "write", "conversion_results_batch_"),
        ("*/out/batches/*_output*", "write", "batches"),
    ],
)
def test_a_disk_that_fails_ends_both(
    folder: Folder, tmp_path: Path, files: str, op: str, names: str
) -> None:
    disk = BadDisk(compiled(tmp_path), tmp_path / "the disk is bad")
    process = folder.start(*OPTIONS, env=disk.env(files, ops=[op], error=errno.ENOSPC))
    folder.wait_for(lambda: at_work(folder))
    disk.spoil()
    _, told = process.communicate(timeout=30)
    disk.mend()
    assert process.returncode == 5, told
    assert told.startswith("Error: ")
    assert names in told
    # What a ledger cannot take is lost, but batches are read again, not paid again.
    assert_done(folder, twice=DIRECTLY if "ledger" in names else 0)
