"""Decisions under a deadline, kept with what was known when they were made."""

import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from processor import jsontext

Told = Mapping[str, Any]
"""A view or a decision as JSON values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A decision as it is kept: reading it costs nothing until somebody asks what it says.

    Attributes:
        at: Seconds since 1970.
        view: What was known, as JSON.
        decision: As JSON.
    """

    at: float
    view: str
    decision: str


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


def latest(connection: sqlite3.Connection) -> Kept | None:
    """The last one; None before the first."""
    return _first_of(connection, "SELECT at, view, decision FROM decisions ORDER BY number DESC")


def latest_that_acts(connection: sqlite3.Connection) -> Kept | None:
    """The last one by which anything was sent or taken back; None before the first."""
    return _first_of(
        connection,
        "SELECT at, view, decision FROM decisions WHERE json_extract(decision, '$.direct') "
        "OR json_extract(decision, '$.batch') OR json_array_length(decision, '$.cancel') "
        "ORDER BY number DESC",
    )


def _first_of(connection: sqlite3.Connection, query: str) -> Kept | None:
    row = connection.execute(f"{query} LIMIT 1").fetchone()
    return None if row is None else Kept(at=row[0], view=row[1], decision=row[2])
