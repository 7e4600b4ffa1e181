"""Decisions under a deadline, kept with what was known when they were made."""

import sqlite3
from collections.abc import Iterator, Mapping
from typing import Any

from processor import jsontext

Told = Mapping[str, Any]
"""A view or a decision as JSON values."""


def add(connection: sqlite3.Connection, at: float, view: Told, decision: Told) -> None:
    """Keep one, within the caller's transaction; `at` is in seconds since 1970."""
    connection.execute(
        "INSERT INTO decisions (at, view, decision) VALUES (?, ?, ?)",
        (at, jsontext.dumps(dict(view)), jsontext.dumps(dict(decision))),
    )


def all_of(connection: sqlite3.Connection) -> Iterator[tuple[float, Told, Told]]:
    """All of them, the oldest first: when, what was known, what was decided."""
    rows = connection.execute("SELECT at, view, decision FROM decisions ORDER BY number")
    return ((at, jsontext.loads(view), jsontext.loads(decision)) for at, view, decision in rows)


def latest(connection: sqlite3.Connection) -> Told | None:
    """The last one with its time as `at`; None before the first."""
    row = connection.execute(
        "SELECT at, decision FROM decisions ORDER BY number DESC LIMIT 1"
    ).fetchone()
    return None if row is None else {"at": row[0], **jsontext.loads(row[1])}
