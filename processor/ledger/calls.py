"""How many calls were begun, kept in a page of memory that outlives the process.

A call that is in flight when its process is killed leaves no record, nor does one whose answer was
not durable yet; but the provider may charge for it. A count in a mapped file costs a tenth of a
microsecond a call and survives the kill, so that the next start can tell how many such calls there
were. After a power failure it may be too low: then it is not known, and nothing is made up.
"""

import mmap
import os
import sqlite3
import struct
from pathlib import Path

from processor.errors import LedgerError
from processor.ledger import counters

CALLS_NAME = "calls.count"
LANE = "direct"  # a batch has records of its own, before and after each step
REQUESTS = "requests"
LOST = "lost"

_COUNT = struct.Struct("<Q")


class CallCount:
    """Counts calls as they begin.

    Args:
        path: Of the count; made anew.
        begun: Calls begun so far.

    Raises:
        LedgerError: The disk refuses.
    """

    def __init__(self, path: Path, begun: int) -> None:
        self._begun = begun
        try:
            file = os.open(path, os.O_CREAT | os.O_TRUNC | os.O_RDWR, 0o600)
            try:
                # Its block is there before it is mapped: a full disk is told here, not by a signal.
                os.write(file, _COUNT.pack(begun))
                self._page = mmap.mmap(file, _COUNT.size)
            finally:
                os.close(file)
        except (OSError, ValueError) as error:  # ValueError: the write was cut short
            raise refused(path, error) from error

    def begin(self) -> None:
        """A call is about to be sent."""
        self._begun += 1
        _COUNT.pack_into(self._page, 0, self._begun)

    def close(self) -> None:
        """Let go of the page; the file stays."""
        self._page.close()


def refused(path: Path, error: Exception) -> LedgerError:
    """What the disk said about the count, with the way on."""
    return LedgerError(
        f"{path}: {error}",
        way_out="Free the disk or mend its permissions, then give the same command again.",
    )


def begun(connection: sqlite3.Connection) -> int:
    """Calls that the ledger knows of, lost ones too."""
    found = counters.read(connection).get(LANE, {})
    return int(found.get(REQUESTS, 0) + found.get(LOST, 0))


def settle(connection: sqlite3.Connection, path: Path) -> int:
    """Count the calls of which nothing was recorded, within the caller's transaction.

    The count of `path` may be removed once the transaction is durable.

    Returns:
        How many they were.
    """
    try:
        count = path.read_bytes()
    except FileNotFoundError:
        return 0
    if len(count) != _COUNT.size:  # killed before it was written: no call had begun
        return 0
    lost: int = max(0, _COUNT.unpack(count)[0] - begun(connection))
    if lost:
        counters.add(connection, [(LANE, LOST, lost)])
    return lost
