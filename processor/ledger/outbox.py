"""What outputs still have to be told: a log of items that changed, and how far each output read it.

The log is written by triggers, in the transaction of what it tells, whoever makes that: an outcome
that is durable is in the log, and nothing that writes outcomes needs to think of it. An output
reads the log, commits in its own store, and only then is its place in the log moved on. Killed
between the two, it is told the same again, so an output must bear that.

A ledger has no such triggers before its first output, and pays nothing for them.
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from processor import jsontext
from processor.ledger import database

_OUTCOME_MADE = """
CREATE TRIGGER IF NOT EXISTS outcome_made AFTER INSERT ON outcomes
BEGIN INSERT INTO outbox (seq) VALUES (NEW.seq); END
"""
_ROW_CHANGED = """
CREATE TRIGGER IF NOT EXISTS row_changed AFTER UPDATE OF fields ON items
BEGIN INSERT INTO outbox (seq) VALUES (NEW.seq); END
"""
_LATEST = "(SELECT IFNULL(MAX(number), 0) FROM outbox)"
_LOG_ALL = "INSERT INTO outbox (seq) SELECT seq FROM outcomes ORDER BY seq"
_LOG_REFUSED = "INSERT INTO outbox (seq) SELECT seq FROM refusals WHERE target = ? ORDER BY seq"


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Items that an output was not told of yet.

    Attributes:
        number: How far the log was read.
        seqs: The items, each once, in their order; some may be pending again.
        is_last: Whether nothing stood behind them when it was read.
    """

    number: int
    seqs: Sequence[int]
    is_last: bool


class Outbox:
    """The log, as one output reads it.

    Args:
        connection: Of this output alone, beside the run's; see `opened`.
        target: Which output it is, and what it wants of the results: another wish is another.
    """

    def __init__(self, connection: sqlite3.Connection, target: str) -> None:
        self._connection = connection
        self._target = target

    def begin(self, store: str, *, everything: bool, again: bool = True) -> None:
        """Know the output from now on.

        Args:
            store: What tells one store of that name from a later one. A new store, such as a
                table that was dropped and made again, is told everything.
            everything: Tell a known store everything, too.
            again: Offer to a known store what it refused before.
        """
        execute = self._connection.execute
        with database.transaction(self._connection):
            known = execute(
                "SELECT store FROM deliveries WHERE target = ?", (self._target,)
            ).fetchone()
            if known is None:
                execute(_OUTCOME_MADE)
                execute(_ROW_CHANGED)
                execute(f"INSERT INTO deliveries SELECT ?, {_LATEST}, ?", (self._target, store))
            elif known[0] != store:
                execute("UPDATE deliveries SET store = ? WHERE target = ?", (store, self._target))
            if everything or known is None or known[0] != store:
                self._tell_everything()
            elif again:
                execute(_LOG_REFUSED, (self._target,))
            else:
                return
            execute("DELETE FROM refusals WHERE target = ?", (self._target,))

    def _tell_everything(self) -> None:
        """To this output; those that had read the log to its end have nothing to read again."""
        execute = self._connection.execute
        (latest,) = execute(f"SELECT {_LATEST}").fetchone()
        execute(_LOG_ALL)
        execute(
            f"UPDATE deliveries SET number = {_LATEST} WHERE number = ? AND target <> ?",
            (latest, self._target),
        )

    def batch(self, most: int) -> Batch | None:
        """What comes next, `most` changes at most; None when the log is read."""
        found = self._connection.execute(
            "SELECT number, seq FROM outbox "
            "WHERE number > (SELECT number FROM deliveries WHERE target = ?) "
            "ORDER BY number LIMIT ?",
            (self._target, most),
        ).fetchall()
        if not found:
            return None
        return Batch(
            number=found[-1][0], seqs=sorted({seq for _, seq in found}), is_last=len(found) < most
        )

    def waiting(self) -> int:
        """How many items with an outcome the output was not told of yet."""
        found = self._connection.execute(
            "SELECT number FROM deliveries WHERE target = ?", (self._target,)
        ).fetchone()
        if found is None:
            (count,) = self._connection.execute("SELECT COUNT(*) FROM outcomes").fetchone()
        else:
            (count,) = self._connection.execute(
                "SELECT COUNT(DISTINCT seq) FROM outbox WHERE number > ?", found
            ).fetchone()
        return int(count)

    def settle(self, batch: Batch, refused: Mapping[int, str]) -> None:
        """The output has it, but for the items that it refused, each with the reason."""
        execute = self._connection.execute
        with database.transaction(self._connection):
            execute(
                "DELETE FROM refusals WHERE target = ? AND seq IN (SELECT value FROM json_each(?))",
                (self._target, jsontext.dumps(batch.seqs)),
            )
            self._connection.executemany(
                "INSERT INTO refusals VALUES (?, ?, ?)",
                [(self._target, seq, problem) for seq, problem in refused.items()],
            )
            execute(
                "UPDATE deliveries SET number = MAX(number, ?) WHERE target = ?",
                (batch.number, self._target),
            )
            # The last one stays, so that numbers go on from there.
            execute("DELETE FROM outbox WHERE number < (SELECT MIN(number) FROM deliveries)")


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that writes beside the run's own, and never holds it up for the disk.

    What it commits may be lost with the power, and then an output is told the same again.

    Raises:
        LedgerError: There is no ledger, or the disk refuses.
    """
    with database.reading(path), database.guard(path):
        connection = sqlite3.connect(
            path, isolation_level=None, check_same_thread=False, timeout=30
        )
        with closing(connection):
            # Moving the log into the ledger waits for the disk; that is left to the run.
            connection.executescript("PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0;")
            yield connection
