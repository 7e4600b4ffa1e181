"""What tells that a run may stand otherwise than before, without opening its ledger."""

from pathlib import Path
from typing import NamedTuple

from processor.ledger import lock
from processor.ledger.database import LEDGER_NAME

_File = tuple[int, int, int, int]


class Stamp(NamedTuple):
    """What is seen of a run from outside.

    Attributes:
        ledger: Which file it is; None without one.
        files: Of the ledger and its log: which ones, when they were written last, how long.
        is_held: Whether a live process works on it.
    """

    ledger: tuple[int, int] | None
    files: tuple[_File | None, ...]
    is_held: bool


def stamp_of(folder: Path) -> Stamp:
    """The stamp of a run, which may be gone."""
    ledger = folder / LEDGER_NAME
    files = tuple(_file(path) for path in (ledger, ledger.with_name(f"{ledger.name}-wal")))
    identity = files[0] and files[0][:2]
    return Stamp(ledger=identity, files=files, is_held=is_held(folder))


def is_held(folder: Path) -> bool:
    """Whether a live process works on a run, as far as we may know."""
    try:
        return lock.is_held(folder)
    except OSError:  # the folder is somebody else's
        return False


def _file(path: Path) -> _File | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size
