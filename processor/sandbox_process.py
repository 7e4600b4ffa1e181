"""The sandbox that serves one run: a process of its own, which ends with this one."""

import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from processor.errors import UsageError

_FIRST_LINE = "listening on "
_STATE = "sandbox"
_KEPT = ("files", "inputs")


@contextmanager
def sandbox_of(folder: Path, options: Sequence[str] = (), *, keeps: bool) -> Iterator[str]:
    """The sandbox of a run; yields its base URL.

    Args:
        folder: The run's. Once a start has kept files and batches there, every later one does.
        options: Of the sandbox.
        keeps: Whether files and batches are to be found again by a later start.

    Raises:
        UsageError: It did not start; its own words are on standard error.
    """
    state = folder / _STATE
    is_new = not state.exists()
    if is_new and not keeps:
        with sandbox(options) as url:
            yield url
        return
    try:
        with sandbox(["--state", str(state), *options]) as url:
            yield url
    finally:
        if is_new and folder.exists() and not (_is_run(folder) and _is_used(state)):
            shutil.rmtree(state, ignore_errors=True)
            with suppress(OSError):  # there is a run
                folder.rmdir()


def _is_run(folder: Path) -> bool:
    """Whether there is more than the sandbox's: a run that was refused leaves nothing behind."""
    return any(path.name != _STATE for path in folder.iterdir())


def _is_used(state: Path) -> bool:
    """Whether the sandbox was given a file, without which there is no batch."""
    return any(any((state / room).glob("*")) for room in _KEPT)


@contextmanager
def sandbox(options: Sequence[str] = ()) -> Iterator[str]:
    """Start a sandbox; yields its base URL.

    It ends when the pipe to it closes, which happens even when this process is killed. It has a
    process group of its own, so that Ctrl-C reaches the run alone and the calls in flight finish.

    Raises:
        UsageError: It did not start; its own words are on standard error.
    """
    arguments = [sys.executable, "-m", "processor", "sandbox", "--port", "0"]
    process = subprocess.Popen(  # noqa: S603 - our own module
        [*arguments, "--until-stdin-closes", *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        if not line.startswith(_FIRST_LINE):
            raise UsageError("the sandbox did not start", way_out="Its own words are above.")
        yield line.removeprefix(_FIRST_LINE).strip()
    finally:
        process.stdin.close()
        process.wait()
        process.stdout.close()
