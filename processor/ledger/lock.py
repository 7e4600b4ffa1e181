"""The lock of a run folder: held by the operating system for as long as the process lives."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from processor.errors import RunLockedError

LOCK_NAME = ".lock"
PID_NAME = ".lock.pid"


@contextmanager
def hold(folder: Path) -> Iterator[None]:
    """Hold the run folder alone; a lock left behind by a dead process is no obstacle.

    The pid beside the lock serves the message only.

    Raises:
        RunLockedError: Another live process holds it.
    """
    lock = FileLock(folder / LOCK_NAME, timeout=0, mode=0o600)
    pid_file = folder / PID_NAME
    try:
        lock.acquire()
    except Timeout:
        raise RunLockedError(
            f"{folder} is in use by another process{_holder(pid_file)}",
            way_out="Wait until it ends, stop it with Ctrl-C, or name another folder with --out.",
        ) from None
    try:
        pid_file.write_text(str(os.getpid()))
        yield
    finally:
        pid_file.unlink(missing_ok=True)
        lock.release()


def is_held(folder: Path) -> bool:
    """Whether a live process works on the run folder."""
    path = folder / LOCK_NAME
    if not path.exists():
        return False
    lock = FileLock(path, timeout=0, mode=0o600)
    try:
        lock.acquire()
    except (Timeout, PermissionError):
        return True
    lock.release()
    return False


def _holder(pid_file: Path) -> str:
    try:
        return f" (pid {pid_file.read_text()})"
    except OSError:
        return ""
