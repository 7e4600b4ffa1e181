"""What happened to files and batches, in order."""

import sqlite3
from typing import Any

import orjson


class Events:
    """The events of a storage folder.

    Args:
        connection: To its database.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def add(self, at_s: float, what: str, subject: str, **detail: Any) -> None:
        """Note one.

        Args:
            at_s: Seconds since 1970.
            what: Such as `batch completed`.
            subject: The id of the file or batch.
            detail: More to tell of it.
        """
        self._connection.execute(
            "INSERT INTO events (at_s, what, subject, detail) VALUES (?, ?, ?, ?)",
            (at_s, what, subject, orjson.dumps(detail).decode()),
        )

    def latest_s(self) -> float | None:
        """When the last one was; None without any."""
        (latest_s,) = self._connection.execute("SELECT max(at_s) FROM events").fetchone()
        return None if latest_s is None else float(latest_s)

    def after(self, number: int) -> list[dict[str, Any]]:
        """Those behind one, oldest first."""
        rows = self._connection.execute(
            "SELECT number, at_s, what, subject, detail FROM events WHERE number > ? "
            "ORDER BY number",
            (number,),
        )
        return [
            {"number": place, "at_s": at_s, "what": what, "id": subject, **orjson.loads(detail)}
            for place, at_s, what, subject, detail in rows
        ]
