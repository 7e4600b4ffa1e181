"""Calls that a kill cut off are counted by the next start."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from processor.errors import LedgerError
from processor.ledger import calls
from processor.ledger.calls import CALLS_NAME, CallCount
from processor.ledger.ledger import open_ledger

_KILLED = """\
import os, signal, sys
from pathlib import Path
from processor.ledger.calls import CallCount
count = CallCount(Path(sys.argv[1]), 5)
for _ in range(7):
    count.begin()
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_count_survives_the_kill_of_its_process(tmp_path: Path) -> None:
    path = tmp_path / CALLS_NAME
    killed = subprocess.run([sys.executable, "-c", _KILLED, str(path)], check=False)
    assert killed.returncode == -9
    assert int.from_bytes(path.read_bytes(), "little") == 12
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_was_begun_and_not_recorded_is_lost_and_counted_once(tmp_path: Path) -> None:
    with open_ledger(tmp_path) as ledger:
        count = CallCount(tmp_path / CALLS_NAME, 0)
        for _ in range(3):
            count.begin()
        count.close()
        assert ledger.settle_calls() == 3
        assert ledger.settle_calls() == 0
        assert calls.begun(ledger.connection) == 3
        assert not (tmp_path / CALLS_NAME).exists()


def test_a_kill_between_the_count_and_its_removal_counts_nothing_twice(tmp_path: Path) -> None:
    path = tmp_path / CALLS_NAME
    with open_ledger(tmp_path) as ledger:
        path.write_bytes((4).to_bytes(8, "little"))
        assert ledger.settle_calls() == 4
        path.write_bytes((4).to_bytes(8, "little"))
        assert ledger.settle_calls() == 0


@pytest.mark.parametrize("left", [b"", b"\x09", bytes(8)])
def test_a_count_that_was_never_written_says_nothing(tmp_path: Path, left: bytes) -> None:
    (tmp_path / CALLS_NAME).write_bytes(left)
    with open_ledger(tmp_path) as ledger:
        assert ledger.settle_calls() == 0


def test_a_disk_that_refuses_is_told(tmp_path: Path) -> None:
    (tmp_path / CALLS_NAME).mkdir()
    with pytest.raises(LedgerError, match=r"calls\.count"):
        CallCount(tmp_path / CALLS_NAME, 0)
