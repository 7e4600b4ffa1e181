"""Files that are whole or not there."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from processor.errors import LedgerError


@contextmanager
def replacing(path: Path, *, encoding: str = "utf-8", newline: str = "") -> Iterator[IO[str]]:
    """Write a text file beside its place and move it there when it is whole and on the disk.

    Raises:
        LedgerError: The disk refuses.
    """
    beside = path.with_name(f".{path.name}.tmp")
    try:
        with beside.open("w", encoding=encoding, newline=newline) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        raise refused(path, error) from error
    finally:
        beside.unlink(missing_ok=True)


def refused(path: Path, error: OSError) -> LedgerError:
    """What the operating system said about a file, with the way out."""
    return LedgerError(
        f"{path}: {error.strerror or error}",
        way_out="Free the disk or mend its permissions, then give the same command again.",
    )
