"""The files that were uploaded, and those that batches wrote."""

import sqlite3
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from pathlib import Path

from processor.sandbox.paging import Page

_COLUMNS = "id, purpose, name, bytes, created_s, expires_s"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """A file, without its content.

    Attributes:
        name: As it was uploaded.
        created_s: Seconds since 1970.
        expires_s: When it is deleted by itself; None for never.
    """

    id: str
    purpose: str
    name: str
    bytes: int
    created_s: float
    expires_s: float | None


class Files:
    """The files of a storage folder.

    Args:
        connection: To its database.
        folder: Holds the contents, each under its file's id.
    """

    def __init__(self, connection: sqlite3.Connection, folder: Path) -> None:
        self._connection = connection
        self._folder = folder

    def path(self, name: str) -> Path:
        """Where the content of a file is, or shall be."""
        return self._folder / name

    def add(self, file: StoredFile) -> None:
        """Let the file be found; its content is in its place already."""
        self._connection.execute(
            f"INSERT INTO files ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)", astuple(file)
        )

    def get(self, name: str, now_s: float) -> StoredFile | None:
        """The file of an id; None when it was deleted, expired or never there."""
        rows = self._select("id = ? AND coalesce(expires_s > ?, 1)", (name, now_s))
        return next(rows, None)

    def delete(self, name: str) -> None:
        """Forget a file and its content."""
        self._connection.execute("DELETE FROM files WHERE id = ?", (name,))
        self.path(name).unlink(missing_ok=True)

    def page(self, page: Page, purpose: str | None, now_s: float) -> list[StoredFile]:
        """Up to one file more than the page holds, in its order.

        An unknown `after` begins at the beginning.
        """
        side, order = ("<", "DESC") if page.descending else (">", "ASC")
        return list(
            self._select(
                "coalesce(expires_s > ?, 1) AND purpose = coalesce(?, purpose) AND coalesce("
                f"number {side} (SELECT number FROM files WHERE id = ?), 1) "
                f"ORDER BY number {order} LIMIT ?",
                (now_s, purpose, page.after, page.limit + 1),
            )
        )

    def sweep(self, now_s: float) -> None:
        """Delete what has expired."""
        gone = self._connection.execute("SELECT id FROM files WHERE expires_s <= ?", (now_s,))
        for (name,) in gone.fetchall():
            self.delete(name)

    def _select(self, where: str, values: tuple[object, ...]) -> Iterator[StoredFile]:
        rows = self._connection.execute(f"SELECT {_COLUMNS} FROM files WHERE {where}", values)
        names = [name for name, *_ in rows.description]
        return (StoredFile(**dict(zip(names, row, strict=True))) for row in rows)
