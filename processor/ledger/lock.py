"""The lock of a run folder: held by the operating system for as long as the process lives."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from processor.errors import LedgerError, RunLockedError

LOCK_NAME = ".lock"
PID_NAME = ".lock.pid"

# `is_held` holds the lock for a moment; a run that starts in that moment must not be refused.
_PATIENCE_S = 0.5
_POLL_S = 0.02


@contextmanager
def hold(folder: Path) -> Iterator[None]:
    """Hold the run folder alone; a lock left behind by a dead process is no obstacle.

    The pid beside the lock serves the message only.

    Raises:
        RunLockedError: Another live process holds it.
        LedgerError: The folder cannot be written.
    """
    lock = FileLock(folder / LOCK_NAME, mode=0o600)
    pid_file = folder / PID_NAME
    try:
        lock.acquire(timeout=_PATIENCE_S, poll_interval=_POLL_S)
    except Timeout:
        raise RunLockedError(
            f"{folder} is in use by another process{_holder(pid_file)}",
            way_out="Wait until it ends, stop it with Ctrl-C, or name another folder with --out.",
        ) from None
    except OSError as error:
        raise LedgerError(
            f"{folder}: {error.strerror or error}",
            way_out="Mend the permissions of the folder, or name another with --out.",
        ) from error
    try:
        with suppress(OSError):
            pid_file.write_text(str(os.getpid()))
        yield
    finally:
        with suppress(OSError):
            pid_file.unlink(missing_ok=True)
        lock.release()


def is_held(folder: Path) -> bool:
    """Whether a live process works on the run folder."""
    path = folder / LOCK_NAME
    if not path.exists():
        return False
    lock = FileLock(path, mode=0o600)
    try:
        lock.acquire(timeout=0)
    except (Timeout, PermissionError):
        return True
    except OSError:
        return False  # nobody can hold what cannot be opened, on a read-only disk for instance
    lock.release()
    return False


def _holder(pid_file: Path) -> str:
    try:
        pid = pid_file.read_text()
    except OSError:
        return ""
    return f" (pid {pid})" if pid else ""
