"""Counters, kept in the transaction of what they count, so that readers never scan.

A counter belongs to a lane (`requests`, `error.timeout`, …), or to the run itself: lane ''.
"""

import sqlite3
from collections.abc import Iterable

ITEMS = "items"
CHUNKS = "chunks"
CHUNKS_COMPLETE = "chunks_complete"
SKIPPED = "skipped"
HTTP_CALLS = "http_calls"


def add(connection: sqlite3.Connection, rows: Iterable[tuple[str, str, float]]) -> None:
    """Add (lane, name, value) to the counters, within the caller's transaction."""
    connection.executemany(
        "INSERT INTO counters VALUES (?, ?, ?) "
        "ON CONFLICT DO UPDATE SET value = value + excluded.value",
        rows,
    )


def read(connection: sqlite3.Connection) -> dict[str, dict[str, float]]:
    """All counters: lane to name to value. One that never counted is not there."""
    counters: dict[str, dict[str, float]] = {}
    for lane, name, value in connection.execute("SELECT lane, name, value FROM counters"):
        counters.setdefault(lane, {})[name] = value
    return counters
