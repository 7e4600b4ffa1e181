"""FAULTS.md, Process: 87, signals at every stage of a run; 88, two processes on one folder."""

import os
import pty
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from run_bench import KEY, Folder, folder_before

from processor.sandbox_process import sandbox

ITEMS = 200

# As `processor run`, with a patience after SIGTERM that a test can wait for.
_IMPATIENT = """
import asyncio, sys
from pathlib import Path
from processor.signals import guarded
from processor.data import open_source
from processor.run import Run
from processor.settings import Settings
from processor.tasks.toml import load_task

url, key = sys.argv[1:]
run = Run(
    folder=Path("out"),
    task=load_task("greet.toml", model=None, max_output_tokens=None),
    source=open_source("rows.jsonl", encoding=None),
    settings=Settings.of({"base_url": url, "api_key": key, "concurrency": 10}),
)
sys.exit(asyncio.run(guarded(run, drain_s=0.2)).exit_code)
"""

# Makes the terminal named by the first argument its own, and its standard error; then goes on.
_ON_TERMINAL = """
import os, sys
os.setsid()
os.dup2(os.open(sys.argv[1], os.O_RDWR), 2)
os.execvp(sys.argv[2], sys.argv[2:])
"""


@pytest.fixture(scope="module")
def sandbox_url() -> Iterator[str]:
    with sandbox(["--latency-ms", "20", "--latency-sigma", "0"]) as url:
        yield url


@pytest.fixture
def folder(tmp_path: Path, sandbox_url: str) -> Iterator[Folder]:
    with folder_before(sandbox_url, tmp_path, rows=ITEMS) as folder:
        yield folder


def told_of(process: "subprocess.Popen[Any]", text: str) -> None:
    """Until the process has said it on standard error."""
    assert process.stderr is not None
    for line in process.stderr:
        if text in line:
            return
    raise AssertionError(f"{process.returncode}: {text} was never said")


def has_logged(folder: Folder, event: str) -> bool:
    logs = list(folder.path.glob("logs/batch_conversion_*.log"))
    return bool(logs) and f'"event":"{event}"' in max(logs).read_text()


def assert_resumed(folder: Folder, *, most: int) -> None:
    folder.admin("faults", {"clear": True})
    code, _, told = folder.run("--concurrency", "10", "--quiet")
    assert code == 0, told
    folder.assert_whole(ITEMS)
    assert folder.admin("stats")["received"] <= most


@pytest.mark.fault(87)
class TestSignals:
    def test_a_termination_waits_for_calls_only_so_long(self, folder: Folder) -> None:
        folder.admin("faults", {"set": ["hang:after=50,seconds=60"]})
        command = [sys.executable, "-c", _IMPATIENT, folder.url, KEY]
        process = subprocess.Popen(
            command, cwd=folder.path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        folder.started.append(process)
        folder.wait_for(lambda: folder.admin("stats")["received"] == 60)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
        assert process.returncode == 130
        assert folder.figures()["succeeded"] == 50
        assert folder.figures()["pending"] == ITEMS - 50
        assert_resumed(folder, most=ITEMS + 10)

    def test_while_rows_are_imported(self, folder: Folder) -> None:
        """All rows or none: of a table that was half read nothing is kept."""
        rows = (folder.path / "rows.jsonl").read_bytes()
        (folder.path / "rows.jsonl").unlink()
        os.mkfifo(folder.path / "rows.jsonl")
        process = folder.start()
        with (folder.path / "rows.jsonl").open("wb", buffering=0) as pipe:
            pipe.write(rows[:100])
            folder.wait_for(lambda: has_logged(folder, "run_started"))
            process.send_signal(signal.SIGTERM)
            told_of(process, "once more")
            with suppress(BrokenPipeError):  # it may have left between two rows
                pipe.write(rows[100:])
        process.communicate(timeout=20)
        assert process.returncode == 130
        assert folder.admin("stats")["received"] == 0
        (folder.path / "rows.jsonl").unlink()
        folder.rows(ITEMS)
        assert_resumed(folder, most=ITEMS)

    def test_while_tables_are_written(self, folder: Folder) -> None:
        """Writing them cannot be interrupted; the second signal leaves without them."""
        (folder.path / "out").mkdir()
        os.mkfifo(folder.path / "out" / ".results.csv.tmp")  # whoever writes it waits for a reader
        process = folder.start("--concurrency", "10")
        folder.wait_for(lambda: has_logged(folder, "exporting"))
        process.send_signal(signal.SIGINT)
        told_of(process, "once more")
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 130
        assert folder.ledger("SELECT COUNT(*) FROM outcomes") == [(ITEMS,)]
        (folder.path / "out" / ".results.csv.tmp").unlink()
        assert_resumed(folder, most=ITEMS)

    def test_while_the_provider_is_away(self, folder: Folder) -> None:
        process = folder.start("--base-url", "http://127.0.0.1:1/v1")
        told_of(process, "probing")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
        assert process.returncode == 130
        assert folder.figures()["pending"] == ITEMS

    def test_while_a_rate_limit_is_waited_for(self, folder: Folder) -> None:
        folder.admin("faults", {"set": ["rate_limit:after=20,retry-after=60"]})
        process = folder.start("--concurrency", "10")
        told_of(process, "rate limit")
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
        assert process.returncode == 130
        assert folder.figures()["succeeded"] >= 20
        assert folder.figures()["requests_sent"] == folder.admin("stats")["received"]

    def test_a_terminal_that_is_closed(self, folder: Folder) -> None:
        """It takes standard error with it, and the run's own words fail from then on."""
        ours, theirs = pty.openpty()
        under = (sys.executable, "-c", _ON_TERMINAL, os.ttyname(theirs))
        process = folder.start("--concurrency", "2", under=under)
        folder.wait_for_answers(50)
        os.close(theirs)
        os.close(ours)
        process.communicate(timeout=20)
        assert process.returncode == 130
        received = folder.admin("stats")["received"]
        assert 50 <= folder.figures()["succeeded"] == received < ITEMS
        assert_resumed(folder, most=ITEMS)

    @pytest.mark.skipif(shutil.which("nohup") is None, reason="needs nohup")
    def test_nohup_keeps_a_run_going(self, folder: Folder) -> None:
        process = folder.start("--concurrency", "10", "--quiet", under=("nohup",))
        folder.wait_for_answers(20)
        process.send_signal(signal.SIGHUP)
        process.communicate(timeout=20)
        assert process.returncode == 0
        folder.assert_whole(ITEMS)

    def test_a_pause_longer_than_every_deadline(self, folder: Folder) -> None:
        """As Ctrl-Z and fg: calls in flight are over their time then, and fail nobody."""
        process = folder.start("--concurrency", "10", "--timeout", "1", "--quiet")
        folder.wait_for_answers(50)
        for _ in range(2):
            process.send_signal(signal.SIGSTOP)
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(1.2)
            process.send_signal(signal.SIGCONT)
        _, told = process.communicate(timeout=20)
        assert process.returncode == 0, told
        folder.assert_whole(ITEMS)
        assert folder.admin("stats")["received"] <= ITEMS + 2 * 10


@pytest.mark.fault(88)
class TestTwoProcesses:
    def test_the_second_is_refused_whatever_it_wants(self, folder: Folder) -> None:
        """Also through another name of the folder; and one that only looks is let in."""
        folder.admin("faults", {"set": ["hang:after=20,seconds=60"]})
        (folder.path / "alias").symlink_to("out", target_is_directory=True)
        first = folder.start("--concurrency", "10", "--quiet")
        folder.wait_for_answers(20)
        code, told = processor(folder, "retry", "alias")
        assert code == 1
        assert f"pid {first.pid}" in told
        code, _, told = folder.run("--quiet", out="alias")
        assert code == 1
        assert f"pid {first.pid}" in told
        code, told = processor(folder, "status", "alias")
        assert (code, "running" in told) == (0, True)
        first.kill()
        first.communicate()
        code, told = processor(folder, "retry", "alias")  # a stale lock is no obstacle
        assert (code, "0 items are pending again" in told) == (0, True)

    def test_a_disk_that_is_read_only_is_refused_by_who_writes_and_read_by_who_looks(
        self, folder: Folder
    ) -> None:
        assert folder.run("--quiet", "--limit", "20")[0] == 0
        mount = 'mount --bind out out && mount -o remount,ro,bind out && exec "$@"'
        under = ("unshare", "--mount", "--map-root-user", "sh", "-c", mount, "sh")
        allowed = subprocess.run(
            [*under, "true"], cwd=folder.path, capture_output=True, check=False
        )
        if allowed.returncode:
            pytest.skip("needs leave to mount")
        process = folder.start("--quiet", under=under)
        _, told = process.communicate(timeout=20)
        assert process.returncode == 5
        assert "Read-only file system" in told
        assert "--out" in told
        code, told = processor(folder, "status", "out", under=under)
        assert code == 0, told
        assert "20 of 20 finished" in told
        assert "not running" in told


def processor(folder: Folder, *arguments: str, under: tuple[str, ...] = ()) -> tuple[int, str]:
    """Another command; its exit code and all that it said."""
    command = [*under, sys.executable, "-m", "processor", *arguments]
    done = subprocess.run(
        command,
        cwd=folder.path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout
