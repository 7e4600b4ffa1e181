"""Whether a run's ledger, its files and its figures agree with one another."""

import sqlite3
from pathlib import Path

from processor.exports import chunk_files
from processor.watch.snapshot import Snapshot


def differences(connection: sqlite3.Connection, folder: Path, shot: Snapshot) -> list[str]:
    """Count everything anew and compare; reads no file, only their sizes.

    Returns:
        A line for each thing that does not agree; empty when all does.
    """
    items, outcomes, succeeded = connection.execute(
        "SELECT (SELECT COUNT(*) FROM items), COUNT(*), IFNULL(SUM(succeeded), 0) FROM outcomes"
    ).fetchone()
    chunks, complete = connection.execute(
        "SELECT COUNT(*), IFNULL(SUM(succeeded + failed = items), 0) FROM chunks"
    ).fetchone()
    counted = (
        ("items", items, shot.total),
        ("outcomes", outcomes, shot.finished),
        ("successes", succeeded, shot.succeeded),
        ("chunks", chunks, shot.chunks),
        ("complete chunks", complete, shot.chunks_complete),
    )
    found = [
        f"the ledger holds {rows:,} {what}, its figures say {figure:,}"
        for what, rows, figure in counted
        if rows != figure
    ]
    found += [
        f"{chunk_files.name_of(number)} does not hold what the ledger says"
        for number in chunk_files.stale(connection, folder, thorough=False)
    ]
    found += [
        f"{path.name} is no file of this run" for path in chunk_files.strays(connection, folder)
    ]
    return found
