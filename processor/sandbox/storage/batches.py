"""The batches that were created."""

import sqlite3
from collections.abc import Iterator

import msgspec

from processor.sandbox.batches.batch import Batch
from processor.sandbox.paging import Page


class Batches:
    """The batches of a storage folder.

    Args:
        connection: To its database.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def add(self, batch: Batch) -> None:
        """Keep a new one."""
        self._connection.execute(
            "INSERT INTO batches (id, record) VALUES (?, ?)", (batch.id, msgspec.json.encode(batch))
        )

    def put(self, batch: Batch) -> None:
        """Keep what has become of one."""
        self._connection.execute(
            "UPDATE batches SET record = ? WHERE id = ?", (msgspec.json.encode(batch), batch.id)
        )

    def get(self, name: str) -> Batch | None:
        """The batch of an id."""
        return next(self._select("WHERE id = ?", (name,)), None)

    def all(self) -> Iterator[Batch]:
        """Oldest first."""
        return self._select("ORDER BY number")

    def live(self) -> list[Batch]:
        """Those that have not ended, oldest first."""
        return [batch for batch in self.all() if not batch.ended]

    def page(self, page: Page) -> list[Batch]:
        """Up to one batch more than the page holds, newest first.

        An unknown `after` begins at the beginning.
        """
        return list(
            self._select(
                "WHERE coalesce(number < (SELECT number FROM batches WHERE id = ?), 1) "
                "ORDER BY number DESC LIMIT ?",
                (page.after, page.limit + 1),
            )
        )

    def _select(self, rest: str, values: tuple[object, ...] = ()) -> Iterator[Batch]:
        rows = self._connection.execute(f"SELECT record FROM batches {rest}", values)
        return (msgspec.json.decode(record, type=Batch) for (record,) in rows)
