"""Whether a run's ledger, its files and its figures agree with one another."""

import sqlite3
from pathlib import Path

from processor.exports import chunk_files
from processor.watch.snapshot import Snapshot


def agrees(connection: sqlite3.Connection, folder: Path, shot: Snapshot) -> bool:
    """Count everything anew and compare; reads no file, only their sizes."""
    items, outcomes, succeeded = connection.execute(
        "SELECT (SELECT COUNT(*) FROM items), COUNT(*), IFNULL(SUM(succeeded), 0) FROM outcomes"
    ).fetchone()
    return (
        items == shot.total
        and succeeded == shot.succeeded
        and outcomes == shot.finished
        and not chunk_files.stale(connection, folder, thorough=False)
        and not chunk_files.strays(connection, folder)
    )
