"""Kill -9 at random moments: the small form, for every day."""

import json
import random
import subprocess
from pathlib import Path

import pytest
from run_bench import Folder

from processor.cli.sandbox_process import sandbox

ITEMS = 400
KILLS = 5
CONCURRENCY = 10
# Answers that came in but were not durable yet: what comes in while one commit gathers and syncs.
UNWRITTEN = 20
CHOOSE = """\
name = "choose"
model = "gpt-6-luna"
prompt = "Label this text 0, 1 or 2: {{ word }}"
[output]
kind = "label"
labels = { "0" = "against", "1" = "neutral", "2" = "for" }
reask = 2
"""


@pytest.fixture
def seed() -> int:
    """Printed when the test fails; put it in place of the call to see the same kills again."""
    return random.SystemRandom().randrange(2**32)


def test_no_item_is_lost_or_doubled_however_often_the_run_is_killed(
    tmp_path: Path, seed: int
) -> None:
    print(f"seed {seed}")
    moments = random.Random(seed)
    options = ["--latency-ms", "60", "--bad-answers", "0.2"]
    with sandbox([*options, "--fault", "server_error:rate=0.1,times=1"]) as url:
        folder = Folder(tmp_path, url)
        (tmp_path / "greet.toml").write_text(CHOOSE)
        folder.rows(ITEMS)
        again = ("--concurrency", str(CONCURRENCY), "--chunk-size", "25", "--keep-bodies", "all")
        for _ in range(KILLS):
            _kill(folder.start(*again), moments.uniform(0.3, 1.3))
            _assert_nothing_acknowledged_is_lost(folder)
        assert folder.run(*again)[0] == 0
        folder.assert_whole(ITEMS)
        _assert_counts_agree(folder)


def _kill(process: "subprocess.Popen[str]", after_s: float) -> None:
    try:
        process.wait(after_s)
    except subprocess.TimeoutExpired:
        process.kill()
    process.communicate()
    assert process.returncode in (-9, 0)


def _assert_nothing_acknowledged_is_lost(folder: Folder) -> None:
    """What was logged or written to a file is in the ledger."""
    detail = folder.path / "logs" / "batch_conversion.log"
    if not detail.exists() or not (folder.path / "out" / "ledger.sqlite").exists():
        return
    assert folder.ledger("PRAGMA integrity_check") == [("ok",)]
    if folder.ledger("SELECT 1 FROM sqlite_schema WHERE name = 'outcomes'"):
        done = {row[0] for row in folder.ledger("SELECT seq FROM outcomes")}
    else:
        done = set()
    lines = [json.loads(line) for line in detail.read_text().split("\n")[:-1]]
    assert {line["id"] for line in lines if line["event"] == "item"} <= done
    for path in (folder.path / "out").glob("conversion_results_batch_*.json"):
        assert {entry["id"] for entry in json.loads(path.read_text())["results"]} <= done


def _assert_counts_agree(folder: Folder) -> None:
    stats = folder.admin("stats?items=1")
    sent = folder.figures()["requests_sent"]
    lost = stats["received"] - sent
    print(f"the sandbox counts {stats['received']} calls, the ledger {sent}")
    assert 0 <= lost <= KILLS * (CONCURRENCY + UNWRITTEN)
    assert len(stats["per_item"]) == ITEMS
    assert all(count["answered"] for count in stats["per_item"].values())
