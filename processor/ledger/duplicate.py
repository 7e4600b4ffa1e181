"""A copy of a ledger, for what must leave the ledger as it is."""

import sqlite3
from contextlib import closing
from pathlib import Path

from processor.ledger import database


def duplicate(path: Path, to: Path) -> None:
    """Copy one state of a ledger, whoever writes meanwhile.

    Raises:
        LedgerError: It cannot be read, or the copy not be written.
    """
    with (
        database.guard(path),
        closing(database.open_to_read(path)) as source,
        closing(sqlite3.connect(to)) as target,
    ):
        source.backup(target)
