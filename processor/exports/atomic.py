"""Files that are whole or not there.

Until then they lie beside their place, `results.csv` in `.results.csv.tmp`. Who writes one holds a
lock of the operating system on it, which ends with the process: several may write at once, each in
a place of its own, and the last to finish is what stays; what a killed one left goes with the next.
Where the system or the disk has no such locks, who writes at once may spoil each other's file.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from processor.errors import LedgerError

if sys.platform != "win32":
    import fcntl

_PLACES = 16
_MODE = 0o666  # but for what the user's mask takes away


def replacing(
    path: Path, *, encoding: str = "utf-8", newline: str = ""
) -> AbstractContextManager[IO[str]]:
    """Write a text file beside its place and move it there when it is whole and on the disk.

    Raises:
        LedgerError: The disk refuses.
    """
    return _replacing(path, "w", encoding=encoding, newline=newline)


def replacing_bytes(path: Path) -> AbstractContextManager[IO[bytes]]:
    """The same for a binary file; it may be read and written at any place meanwhile.

    Raises:
        LedgerError: The disk refuses.
    """
    return _replacing(path, "w+b")


@contextmanager
def _replacing(path: Path, mode: str, **options: Any) -> Iterator[IO[Any]]:
    try:
        descriptor, beside = _taken(path, os.O_RDWR if "+" in mode else os.O_WRONLY)
        with os.fdopen(descriptor, mode, **options) as file, ExitStack() as unless_whole:
            unless_whole.callback(_remove, beside)  # while the lock makes it ours
            yield file
            file.flush()
            os.fsync(descriptor)
            _put_in_place(beside, path, file)
            unless_whole.pop_all()
        _remove_left(path)
    except OSError as error:
        raise _refused(path, error) from error


def _taken(path: Path, access: int) -> tuple[int, Path]:
    """An empty file beside a path, open and locked; returns its descriptor, too."""
    refused: OSError = BlockingIOError(f"{_PLACES} others write it at this moment")
    for beside in _places(path):
        try:
            descriptor = os.open(beside, access | os.O_CREAT, _MODE)
        except PermissionError as error:  # left by another user
            refused = error
            continue
        with ExitStack() as unless_taken:
            unless_taken.callback(os.close, descriptor)
            if _locked(descriptor, where_none_are=True) and _is_there(beside, descriptor):
                os.ftruncate(descriptor, 0)
                unless_taken.pop_all()
                return descriptor, beside
    raise refused


def _locked(descriptor: int, *, where_none_are: bool) -> bool:
    """Lock an open file; whether nobody else has. The answer where there are no locks is given."""
    if sys.platform == "win32":
        return where_none_are
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return where_none_are
    return True


def _is_there(beside: Path, descriptor: int) -> bool:
    """Whether an open file still has its name: who locked it before may have moved it away."""
    with suppress(FileNotFoundError):
        return os.path.samestat(beside.stat(), os.fstat(descriptor))
    return False


def _put_in_place(beside: Path, path: Path, file: IO[Any]) -> None:
    if sys.platform == "win32":  # where no open file can be moved
        file.close()
    beside.replace(path)


def _remove(beside: Path) -> None:
    with suppress(OSError):  # the next one that writes takes it over
        beside.unlink()


def _remove_left(path: Path) -> None:
    """Remove what killed processes left beside a path."""
    for beside in _places(path):
        with suppress(OSError):
            descriptor = os.open(beside, os.O_WRONLY)
            try:
                if _locked(descriptor, where_none_are=False) and _is_there(beside, descriptor):
                    beside.unlink()
            finally:
                os.close(descriptor)


def replace(path: Path, content: bytes) -> None:
    """Put a file in its place in one step, without waiting for the disk.

    After a power failure it may be torn; whoever needs to know keeps its checksum elsewhere.

    Raises:
        LedgerError: The disk refuses.
    """
    beside = _beside(path)
    try:
        beside.write_bytes(content)
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise _refused(path, error) from error


def unlink(path: Path) -> None:
    """Remove a file, if it is there.

    Raises:
        LedgerError: The disk refuses.
    """
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise _refused(path, error) from error


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.tmp")


def _places(path: Path) -> Iterator[Path]:
    """Where the file may lie until it is whole."""
    yield _beside(path)
    for number in range(2, _PLACES + 1):
        yield path.with_name(f".{path.name}.{number}.tmp")


def _refused(path: Path, error: OSError) -> LedgerError:
    return LedgerError(
        f"{path}: {error.strerror or error}",
        way_out="Free the disk or mend its permissions, then give the same command again.",
    )
