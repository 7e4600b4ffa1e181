"""What is told when a disk refuses."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from processor.errors import LedgerError


def refused(path: Path, error: OSError) -> LedgerError:
    """The error that names a file, and the way on."""
    return LedgerError(
        f"{path}: {error.strerror or error}",
        way_out="Free the disk or mend its permissions, then give the same command again.",
    )


@contextmanager
def guarded(path: Path) -> Iterator[None]:
    """Work with local files, and with nothing else.

    Raises:
        LedgerError: The disk refuses.
    """
    try:
        yield
    except OSError as error:
        raise refused(path, error) from error
