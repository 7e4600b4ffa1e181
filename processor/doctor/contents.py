"""What rows and answers say, so that messages about them can be shown without their words."""

import sqlite3
from collections.abc import Iterable, Iterator

from processor import jsontext
from processor.doctor.redaction import texts_in, without_content


class Contents:
    """What rows and answers of a ledger say, to be found in messages about them.

    Args:
        connection: To the ledger.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def hidden(self, message: str, item_id: str) -> str:
        """A message about an item, without its words."""
        found = self._connection.execute("SELECT seq FROM items WHERE id = ?", (item_id,))
        return without_content(message, [item_id, *self._texts(row[0] for row in found.fetchall())])

    def hidden_in_stop(self, message: str) -> str:
        """Why a run stopped, without the words of the items that it happened to."""
        found = self._connection.execute(
            "SELECT seq FROM attempts WHERE message = ?1 UNION "
            "SELECT seq FROM outcomes WHERE message = ?1 LIMIT 100",
            (message,),
        )
        return without_content(message, self._texts(row[0] for row in found.fetchall()))

    def _texts(self, seqs: Iterable[int]) -> Iterator[str]:
        for seq in seqs:
            (fields,) = self._connection.execute(
                "SELECT fields FROM items WHERE seq = ?", (seq,)
            ).fetchone()
            yield from texts_in(jsontext.loads(fields))
            # Not the bodies: those of failures are the provider's words, which support needs.
            said = self._connection.execute(
                "SELECT result FROM outcomes WHERE seq = ?1 UNION ALL "
                "SELECT answer FROM attempts WHERE seq = ?1",
                (seq,),
            )
            yield from (text for (text,) in said if text)
