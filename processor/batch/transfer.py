"""A local file on its way to the provider or from it: how long it may take, and where it lands."""

import asyncio
import io
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import BinaryIO

from processor.disk import refused

PARTS = ".*.part"  # what a kill has left of files on their way
_PART = ".part"
_SLOWEST_BYTES_PER_S = 20_000.0
# Whoever takes a file may have to pass it on, or to look through it, before it answers.
_DIGESTED_BYTES_PER_S = 1_000_000.0


class Deadline:
    """When a call is given up; it moves along with every byte.

    Args:
        timer: Of the call.
        timeout_s: How long it may go without progress.
    """

    def __init__(self, timer: asyncio.Timeout, timeout_s: float) -> None:
        self._timer = timer
        self._timeout_s = timeout_s
        self._loop = asyncio.get_running_loop()
        self._begun_s = self._loop.time()
        self._bytes = 0

    def moved(self, count: int) -> None:
        """So many bytes went one way or the other."""
        self._bytes += count
        now_s = self._loop.time()
        self._set(due_s(self._begun_s, now_s, self._bytes, self._timeout_s))

    def handed_over(self) -> None:
        """All that there is to send was taken; now the answer is waited for."""
        digested_s = self._bytes / _DIGESTED_BYTES_PER_S
        self._set(self._loop.time() + digested_s + self._timeout_s)

    def _set(self, when_s: float) -> None:
        if not self._timer.expired():
            self._timer.reschedule(when_s)


def due_s(begun_s: float, now_s: float, bytes_moved: int, timeout_s: float) -> float:
    """When a call is given up: without progress for long, or far too slow as a whole.

    Args:
        begun_s: When it began.
        now_s: When bytes moved last.
        bytes_moved: How many until then.
        timeout_s: How long it may go without progress.
    """
    return min(now_s, begun_s + bytes_moved / _SLOWEST_BYTES_PER_S) + timeout_s


class Outgoing(io.FileIO):
    """A local file that tells a deadline how much of it was read.

    Raises:
        LedgerError: It cannot be read.
    """

    def __init__(self, path: Path, deadline: Deadline) -> None:
        self._path = path
        self._deadline = deadline
        try:
            super().__init__(path)
        except OSError as error:
            raise refused(path, error) from error

    def read(self, size: int | None = -1, /) -> bytes:
        """Bytes of the file; none at its end."""
        try:
            block = super().read(size) or b""
        except OSError as error:
            raise refused(self._path, error) from error
        if block:
            self._deadline.moved(len(block))
        else:
            self._deadline.handed_over()
        return block


@asynccontextmanager
async def landing(path: Path) -> AsyncIterator[BinaryIO]:
    """Write a file beside its place, and move it there when it is whole and on the disk.

    Raises:
        LedgerError: The disk refuses.
    """
    beside = path.with_name(f".{path.name}{_PART}")
    try:
        with beside.open("w+b") as file:
            yield file
            file.flush()
            await asyncio.to_thread(os.fsync, file.fileno())
        beside.replace(path)
    except OSError as error:
        raise refused(path, error) from error
    finally:
        beside.unlink(missing_ok=True)
