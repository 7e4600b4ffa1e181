"""Whether a run's ledger, its files and its figures agree with one another."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from processor.errors import LedgerError
from processor.exports import chunk_files, stats
from processor.ledger import database
from processor.watch.snapshot import Snapshot


def lost(connection: sqlite3.Connection, folder: Path, shot: Snapshot) -> Iterator[str]:
    """What files tell of that the ledger does not know; both only grow, and the ledger comes first.

    A damaged write-ahead log ends, for SQLite, where the damage begins: what was committed after
    it is gone without a word.

    Yields:
        A line for each file that is ahead of the ledger.
    """
    sent = stats.requests_sent(folder, shot.run_id)
    if sent > shot.overall.requests_sent:
        yield (
            f"{stats.STATS_NAME} tells of {sent:,} requests, the ledger of "
            f"{shot.overall.requests_sent:,}"
        )
    for number in chunk_files.ahead(connection, folder):
        yield f"{chunk_files.name_of(number)} holds results that the ledger does not"
    for path in chunk_files.strays(connection, folder):
        if path.is_file():
            yield f"{path.name} holds a chunk that the ledger does not know"


def differences(connection: sqlite3.Connection, folder: Path, shot: Snapshot) -> list[str]:
    """Count everything anew and compare; reads no file, only their sizes.

    Returns:
        A line for each thing that does not agree; empty when all does.
    """
    with database.guard(folder / database.LEDGER_NAME):
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


def refuse_loss(connection: sqlite3.Connection, shot: Snapshot) -> None:
    """Stop before items are paid for a second time whose outcomes the ledger has lost.

    Raises:
        LedgerError: Files tell of more than the ledger.
    """
    found = list(lost(connection, shot.folder, shot))
    if found:
        more = f" (and {len(found) - 1:,} more)" if len(found) > 1 else ""
        raise LedgerError(
            f"{shot.folder / database.LEDGER_NAME} has lost its newest entries: {found[0]}{more}",
            way_out="Put a copy of it back with its -wal file, or start afresh with --new; move "
            "such files away to have what is missing asked and paid for again.",
        )
