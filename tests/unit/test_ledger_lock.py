"""Two processes and one run folder."""

import os
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from processor.errors import RunLockedError
from processor.ledger import lock
from processor.ledger.ledger import open_ledger

_HOLD = """
import sys
from pathlib import Path
from processor.ledger.ledger import open_ledger
with open_ledger(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""

# The child outlives its parent, who held the lock.
_HOLD_AND_LEAVE_A_CHILD = """
import subprocess, sys
from pathlib import Path
from processor.ledger.ledger import open_ledger
with open_ledger(Path(sys.argv[1])):
    code = "import sys; sys.stdin.read()"
    child = subprocess.Popen([sys.executable, "-c", code])
    print(child.pid, flush=True)
    sys.stdin.read()
"""


@contextmanager
def process(code: str, folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process that runs until its input ends, and the first line it prints."""
    with subprocess.Popen(
        [sys.executable, "-c", code, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as started:
        assert started.stdout is not None
        try:
            yield started, started.stdout.readline().strip()
        finally:
            assert started.stdin is not None
            started.stdin.close()
            started.wait()


def test_the_second_process_is_told_who_holds_the_run(tmp_path: Path) -> None:
    with process(_HOLD, tmp_path) as (holder, said):
        assert said == "held"
        assert lock.is_held(tmp_path)
        with pytest.raises(RunLockedError) as caught, open_ledger(tmp_path):
            pass
        assert f"is in use by another process (pid {holder.pid})" in str(caught.value)
        assert caught.value.exit_code == 1
    assert not lock.is_held(tmp_path)
    with open_ledger(tmp_path):
        assert (tmp_path / lock.PID_NAME).read_text() == str(os.getpid())
    assert not (tmp_path / lock.PID_NAME).exists()


def test_a_killed_holder_is_no_obstacle(tmp_path: Path) -> None:
    with process(_HOLD, tmp_path) as (holder, _):
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        assert (tmp_path / lock.PID_NAME).exists()
        assert not lock.is_held(tmp_path)
        with open_ledger(tmp_path):
            assert (tmp_path / lock.PID_NAME).read_text() == str(os.getpid())


def test_a_child_does_not_inherit_it(tmp_path: Path) -> None:
    with process(_HOLD_AND_LEAVE_A_CHILD, tmp_path) as (holder, child):
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        os.kill(int(child), 0)  # it is alive
        with open_ledger(tmp_path):
            pass


def test_a_look_does_not_disturb_a_run_that_starts(tmp_path: Path) -> None:
    """`status` and `monitor` look often, and a look holds the lock for a moment."""
    with lock.hold(tmp_path):
        pass
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            lock.is_held(tmp_path)

    with ThreadPoolExecutor(1) as pool:
        looking = pool.submit(look)
        try:
            for _ in range(100):
                with lock.hold(tmp_path):
                    pass
        finally:
            done.set()
        looking.result()


def test_its_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with lock.hold(tmp_path):
            mode = stat.S_IMODE((tmp_path / lock.LOCK_NAME).stat().st_mode)
    finally:
        os.umask(before)
    assert mode == 0o600


def test_a_folder_nobody_used_is_free(tmp_path: Path) -> None:
    assert not lock.is_held(tmp_path)
    assert not lock.is_held(tmp_path / "nowhere")
    assert list(tmp_path.iterdir()) == []


def test_a_holder_without_a_pid_is_a_holder(tmp_path: Path) -> None:
    with lock.hold(tmp_path):
        for left in ("", None):
            if left is None:
                (tmp_path / lock.PID_NAME).unlink()
            else:
                (tmp_path / lock.PID_NAME).write_text(left)
            with pytest.raises(RunLockedError, match=r"by another process\. Wait"):
                lock.hold(tmp_path).__enter__()
