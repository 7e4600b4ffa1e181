"""Work that has left its lane survives whatever ends the process: nothing is lost or paid twice."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from run_bench import Folder, folder_before

from processor.sandbox_process import sandbox

ITEMS, DIRECTLY, IN_FLIGHT = 60, 20, 2


@pytest.fixture(scope="module")
def sandbox_url() -> Iterator[str]:
    with sandbox(["--latency-ms", "30", "--in-progress-s", "1.5"]) as url:
        yield url


@pytest.fixture
def folder(tmp_path: Path, sandbox_url: str) -> Iterator[Folder]:
    with folder_before(sandbox_url, tmp_path, rows=ITEMS) as folder:
        folder.admin("forget", {})
        yield folder


def routes(folder: Folder, name: str) -> int:
    return int(folder.admin("stats")["by_route"].get(name, 0))


def ended(folder: Folder, kind: signal.Signals, *options: str, once: str, count: int) -> None:
    """End a run once the provider was asked so often, then let the same command end it."""
    process = folder.start(*options)
    folder.wait_for(lambda: routes(folder, once) >= count)
    process.send_signal(kind)
    process.communicate(timeout=30)
    assert process.returncode in {-signal.SIGKILL, 130}
    code, _, told = folder.run(*options)
    assert code == 0, told
    folder.assert_whole(ITEMS)


@pytest.mark.parametrize("kind", [signal.SIGKILL, signal.SIGINT])
@pytest.mark.parametrize("once", ["POST /v1/files", "POST /v1/batches"])
def test_what_moved_to_a_batch_stays_there(folder: Folder, kind: signal.Signals, once: str) -> None:
    folder.admin("faults", {"set": [f"daily_limit:after={DIRECTLY}"]})
    options = ("--grace", "1", "--concurrency", "4", "--chunk-size", "10", "--quiet")
    ended(folder, kind, *options, once=once, count=1)
    lanes = folder.figures()["lanes"]
    assert lanes["direct"]["succeeded"] == DIRECTLY
    assert lanes["batch"]["succeeded"] == ITEMS - DIRECTLY
    assert folder.admin("stats")["paid"] == ITEMS


def test_what_a_batch_refused_goes_directly_after_a_kill(folder: Folder) -> None:
    folder.admin("faults", {"set": ["batch_fails:code=invalid_request"]})
    options = (
        *("--route", "batch", "--fallback", "direct", "--shard-size", "20", "--grace", "1"),
        *("--concurrency", str(IN_FLIGHT), "--chunk-size", "10", "--quiet"),
    )
    ended(folder, signal.SIGKILL, *options, once="POST /v1/chat/completions", count=3)
    assert folder.figures()["lanes"]["direct"]["succeeded"] == ITEMS
    stats = folder.admin("stats")
    assert stats["paid"] <= ITEMS + 2 * IN_FLIGHT  # and answers that were not written down yet
