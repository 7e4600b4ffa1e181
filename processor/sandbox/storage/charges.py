"""Which lines of which batch were worked on, and what was charged for them."""

import sqlite3
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

_SHOWN = 100


class Charge(NamedTuple):
    """One line of one batch.

    Attributes:
        item: Names what was asked, as for single calls; None when the line could not be read.
        charged: Whether the model answered.
    """

    batch: str
    custom_id: str
    item: str | None
    charged: bool
    prompt_tokens: int
    completion_tokens: int


class Charges:
    """The charges of a storage folder. The database itself holds that a line counts once a batch.

    Args:
        connection: To its database.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def add(self, charges: Iterable[Charge]) -> None:
        """Count lines.

        Raises:
            sqlite3.IntegrityError: One was counted before.
        """
        self._connection.executemany("INSERT INTO lines VALUES (?, ?, ?, ?, ?, ?)", charges)

    def items(self) -> Iterator[tuple[str, int, int]]:
        """Each item, in how many lines it came, and how many of them were charged."""
        return self._connection.execute(
            "SELECT item, count(*), sum(charged) FROM lines WHERE item IS NOT NULL GROUP BY item"
        )

    def of(self, batch: str) -> dict[str, int]:
        """The sums of one batch."""
        lines, charged, prompt, completion = self._sums("WHERE batch = ?", (batch,))
        return {
            "lines": lines,
            "charged": charged,
            "prompt_tokens": prompt,
            "completion_tokens": completion,
        }

    def tokens(self) -> tuple[int, int, int]:
        """Charged lines of all batches, with their tokens of prompt and completion."""
        _, charged, prompt, completion = self._sums()
        return charged, prompt, completion

    def report(self, batches: Iterable[str]) -> dict[str, Any]:
        """What `/sandbox/charges` tells."""
        told = {batch: self.of(batch) for batch in batches}
        twice = self._twice("item"), self._twice("custom_id")
        return {
            "charged": sum(sums["charged"] for sums in told.values()),
            "items_charged_twice": {"count": twice[0][0], "first": twice[0][1]},
            "custom_ids_charged_twice": {"count": twice[1][0], "first": twice[1][1]},
            "batches": told,
        }

    def _sums(self, where: str = "", values: tuple[object, ...] = ()) -> tuple[int, int, int, int]:
        row = self._connection.execute(
            "SELECT count(*), total(charged), total(prompt_tokens), total(completion_tokens) "
            f"FROM lines {where}",
            values,
        ).fetchone()
        lines, charged, prompt, completion = map(int, row)
        return lines, charged, prompt, completion

    def _twice(self, column: str) -> tuple[int, list[str]]:
        query = f"SELECT {column} FROM lines WHERE charged GROUP BY {column} HAVING count(*) > 1"
        (count,) = self._connection.execute(f"SELECT count(*) FROM ({query})").fetchone()
        first = self._connection.execute(f"{query} LIMIT ?", (_SHOWN,))
        return count, [name for (name,) in first]
