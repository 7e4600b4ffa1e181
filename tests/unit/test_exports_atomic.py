"""Files that are whole or not there, whoever else writes them or was killed over it."""

import signal
import subprocess
import sys
import threading
from contextlib import ExitStack
from pathlib import Path

import pytest

from processor.errors import LedgerError
from processor.exports.atomic import replacing, replacing_bytes

_WRITER = """
import sys
from pathlib import Path
from processor.exports.atomic import replacing
with replacing(Path(sys.argv[1])) as file:
    file.write("half")
    file.flush()
    print("begun", flush=True)
    sys.stdin.readline()
    file.write(" and half")
"""


def writer(path: Path) -> "subprocess.Popen[str]":
    """A process that has written half of the file; a line lets it go on."""
    process = subprocess.Popen(
        [sys.executable, "-c", _WRITER, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    return process


def break_off(path: Path) -> None:
    with replacing(path) as file:
        file.write("new")
        raise ZeroDivisionError


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_two_at_once_do_not_tear_each_other(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    other = writer(path)
    with replacing(path) as file:
        file.write("ours")
    assert path.read_text() == "ours"
    assert names(tmp_path) == [".a.csv.tmp", "a.csv"]
    other.communicate("\n", timeout=20)
    assert path.read_text() == "half and half"
    assert names(tmp_path) == ["a.csv"]


def test_what_a_killed_one_left_goes_with_the_next(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    killed = [writer(path), writer(path), writer(path)]
    for process in killed:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert names(tmp_path) == [".a.csv.2.tmp", ".a.csv.3.tmp", ".a.csv.tmp"]
    with replacing(path) as file:
        file.write("x")
    assert names(tmp_path) == ["a.csv"]
    assert path.read_text() == "x"


def test_what_is_being_written_is_not_taken_for_left(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    first, second = writer(path), writer(path)
    first.kill()
    first.communicate()
    for _ in range(2):
        with replacing(path) as file:
            file.write("x")
    assert names(tmp_path) == [".a.csv.2.tmp", "a.csv"]
    second.communicate("\n", timeout=20)
    assert path.read_text() == "half and half"


def test_many_threads_write_whole_files(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    refused: list[LedgerError] = []

    def write(number: int) -> None:
        for _ in range(40):
            try:
                with replacing_bytes(path) as file:
                    for _ in range(50):
                        file.write(bytes([number]) * 1_000)
            except LedgerError as error:
                refused.append(error)
            content = path.read_bytes()
            assert (len(content), len(set(content))) == (50_000, 1)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not refused
    assert names(tmp_path) == ["a.bin"]


def test_what_breaks_off_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError):
        break_off(path)
    assert names(tmp_path) == ["a.csv"]
    assert path.read_text() == "old"


def test_more_than_can_be_at_once_are_refused(tmp_path: Path) -> None:
    with ExitStack() as stack:
        for _ in range(16):
            stack.enter_context(replacing(tmp_path / "a.csv"))
        with pytest.raises(LedgerError, match="16 others write it"):
            stack.enter_context(replacing(tmp_path / "a.csv"))
    assert names(tmp_path) == ["a.csv"]


def test_a_longer_leftover_leaves_no_end_behind(tmp_path: Path) -> None:
    (tmp_path / ".a.csv.tmp").write_text("x" * 1_000)
    with replacing(tmp_path / "a.csv") as file:
        file.write("short")
    assert (tmp_path / "a.csv").read_text() == "short"
