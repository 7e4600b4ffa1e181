"""Kill -9 while failed items are sent again by order: what they had stays counted, once."""

import random
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from run_bench import Folder, folder_before

from processor.errors import ProcessorError
from processor.ledger import control
from processor.ledger.control import Order
from processor.sandbox_process import sandbox

ROWS = 300
KILLS = 3
IN_FLIGHT = 4
REQUEUE = Order.parse(["requeue", "bad_request"])


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    with (
        sandbox(["--latency-ms", "100"]) as url,
        folder_before(url, tmp_path, rows=ROWS) as folder,
    ):
        folder.admin("faults", {"set": ["status:status=400,type=odd,match=word1"]})
        yield folder


@pytest.fixture
def seed() -> int:
    """Printed when the test fails; put it in place of the call to see the same kills again."""
    return random.SystemRandom().randrange(2**32)


COUNTED = """
SELECT (SELECT COUNT(*) FROM outcomes),
       (SELECT SUM(value) FROM counters WHERE name IN ('succeeded', 'failed') AND lane <> ''),
       (SELECT SUM(succeeded + failed) FROM chunks), (SELECT SUM(count) FROM latencies)
"""
FAILED = """
SELECT (SELECT COUNT(*) FROM outcomes WHERE NOT succeeded), (SELECT SUM(failed) FROM chunks),
       (SELECT IFNULL(SUM(value), 0) FROM counters WHERE name LIKE 'error.%')
"""


def test_what_was_asked_for_again_is_neither_lost_nor_doubled(folder: Folder, seed: int) -> None:
    print(f"seed {seed}")
    rng = random.Random(seed)
    out = folder.path / "out"
    moved = 0
    for _ in range(KILLS):
        before = received(folder)
        process = folder.start("--concurrency", str(IN_FLIGHT), "--chunk-size", "25")
        folder.wait_for(partial(has_sent, folder, process, before + 20))
        for _ in range(rng.randint(1, 3)):
            try:
                control.ask(out, REQUEUE)
            except ProcessorError:
                break  # it has sent everything
            with_patience(process, rng.random())
        process.kill()
        process.communicate()
        assert len(set(folder.ledger(COUNTED)[0])) == 1, folder.ledger(COUNTED)
        assert len(set(folder.ledger(FAILED)[0])) == 1
        taken = folder.ledger("SELECT answer FROM control WHERE accepted AND answer LIKE '%again.'")
        moved = sum(int(answer.split()[0]) for (answer,) in taken)
    assert moved
    folder.admin("faults", {"clear": True})
    if folder.run("--concurrency", str(IN_FLIGHT))[0] == 2:
        retry = [sys.executable, "-m", "processor", "retry", "out", "--code", "bad_request"]
        subprocess.run(retry, cwd=folder.path, check=True, capture_output=True)
        assert folder.run("--concurrency", str(IN_FLIGHT))[0] == 0
    folder.assert_whole(ROWS)
    apart = folder.figures()["requests_sent"] - received(folder)
    assert 0 <= apart <= KILLS * IN_FLIGHT  # begun, and killed before they reached anybody


def received(folder: Folder) -> int:
    return int(folder.admin("stats")["received"])


def has_sent(folder: Folder, process: "subprocess.Popen[str]", calls: int) -> bool:
    return process.poll() is not None or received(folder) >= calls


def with_patience(process: "subprocess.Popen[str]", seconds: float) -> None:
    """So many seconds later, or when it has ended."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return
