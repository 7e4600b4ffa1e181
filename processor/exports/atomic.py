"""Files that are whole or not there."""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO, Any

from processor.errors import LedgerError


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
    beside = _beside(path)
    try:
        with beside.open(mode, **options) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        raise _refused(path, error) from error
    finally:
        beside.unlink(missing_ok=True)


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


def _refused(path: Path, error: OSError) -> LedgerError:
    return LedgerError(
        f"{path}: {error.strerror or error}",
        way_out="Free the disk or mend its permissions, then give the same command again.",
    )
