"""The ledger of a run, opened for work: what is pending, what the run is, who started it."""

import os
import sqlite3
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from processor import jsontext
from processor.data.source import Source
from processor.errors import LedgerError
from processor.items import Item
from processor.ledger import database, lock
from processor.ledger.commit import Commit, Pricer
from processor.ledger.intake import Intake, IntakeRules, take_in
from processor.ledger.writer import Vitals, Writer


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """An item without an outcome, and what was tried for it in earlier sessions.

    Attributes:
        attempts: Requests sent for it so far.
        invalid: (answer, problem) pairs that its next request shows, oldest first.
    """

    item: Item
    attempts: int = 0
    invalid: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Items of a run; succeeded + failed + pending = total."""

    total: int
    succeeded: int
    failed: int

    @property
    def pending(self) -> int:
        """Items without an outcome."""
        return self.total - self.succeeded - self.failed


class Ledger:
    """A run folder, held alone. Make one with `open_ledger`."""

    def __init__(self, folder: Path, connection: sqlite3.Connection) -> None:
        self.folder = folder
        self.path = folder / database.LEDGER_NAME
        self._connection = connection

    def meta(self) -> dict[str, str]:
        """What the run is: `run_id`, `task`, `identity` and the like."""
        return dict(self._connection.execute("SELECT key, value FROM meta"))

    def set_meta(self, **values: str) -> None:
        """Keep values; equal keys are replaced."""
        with self.guard(), database.transaction(self._connection):
            self._connection.executemany(
                "INSERT OR REPLACE INTO meta VALUES (?, ?)", list(values.items())
            )

    def guard(self) -> AbstractContextManager[None]:
        """Turn SQLite's errors into a LedgerError."""
        return database.guard(self.path)

    def counts(self) -> Counts:
        """How many items there are in each state."""
        row = self._connection.execute(
            "SELECT IFNULL(SUM(items), 0), IFNULL(SUM(succeeded), 0), IFNULL(SUM(failed), 0) "
            "FROM chunks"
        ).fetchone()
        return Counts(total=row[0], succeeded=row[1], failed=row[2])

    def knows(self, source: Source) -> bool:
        """Whether all rows of the source were imported and it did not change since."""
        stamp = source.stamp()
        row = self._connection.execute(
            "SELECT stamp FROM sources WHERE uri = ? AND whole = 1", (source.uri,)
        ).fetchone()
        return row is not None and stamp is not None and row[0] == stamp

    def take_in(self, source: Source, rules: IntakeRules) -> Intake:
        """Import the rows of a source that are new.

        Raises:
            InputError: A row cannot be an item; nothing is imported.
        """
        with self.guard():
            return take_in(self._connection, source, rules)

    def pending(self, most: int | None = None) -> Iterator[Pending]:
        """Items without an outcome, in order, read a chunk at a time.

        Each chunk is read once: what becomes pending behind the reader is not seen.
        """
        with self.guard(), closing(database.connect(self.path)) as connection:
            left = -1 if most is None else most
            number = 0
            while left:
                chunk = connection.execute(
                    "SELECT number, first_seq, items FROM chunks "
                    "WHERE number > ? AND succeeded + failed < items ORDER BY number LIMIT 1",
                    (number,),
                ).fetchone()
                if chunk is None:
                    return
                number = chunk[0]
                for pending in _pending_of_chunk(connection, *chunk):
                    yield pending
                    left -= 1
                    if not left:
                        return

    def requeue(self, codes: Sequence[str] | None = None) -> int:
        """Make failed items pending again; their last answer joins their attempts.

        Args:
            codes: Error codes to take; None for every failure that asking again may mend.

        Returns:
            How many items it were.
        """
        chosen = "retryable = 1" if codes is None else f"code IN ({', '.join('?' * len(codes))})"
        which = f"succeeded = 0 AND ({chosen})"
        with self.guard(), database.transaction(self._connection):
            return _requeue(self._connection, which, tuple(codes or ()))

    def start_session(self, settings: Mapping[str, Any]) -> int:
        """Note that the run was started; returns the session's number."""
        now = time.time()
        with self.guard(), database.transaction(self._connection):
            cursor = self._connection.execute(
                "INSERT INTO sessions (started_at, seen_at, pid, settings) VALUES (?, ?, ?, ?)",
                (now, now, os.getpid(), jsontext.dumps(dict(settings))),
            )
        number = cursor.lastrowid
        assert number is not None
        return number

    def end_session(self, number: int, exit_code: int) -> None:
        """Note how a session ended."""
        now = time.time()
        with self.guard(), database.transaction(self._connection):
            self._connection.execute(
                "UPDATE sessions SET ended_at = ?, seen_at = ?, exit_code = ? WHERE number = ?",
                (now, now, exit_code, number),
            )

    def add_seconds(self, stage: str, seconds: float) -> None:
        """Count time spent in a stage of the run (`import`, `send`, `export`)."""
        with self.guard(), database.transaction(self._connection):
            self._connection.execute(
                "INSERT INTO counters VALUES ('', ?, ?) "
                "ON CONFLICT DO UPDATE SET value = value + excluded.value",
                (f"stage.{stage}_s", seconds),
            )

    @contextmanager
    def writing(
        self,
        *,
        session: int,
        price: Pricer,
        vitals: Callable[[], Vitals],
        on_commit: Callable[[Commit, sqlite3.Connection], None],
        on_failure: Callable[[BaseException], None],
    ) -> Iterator[Writer]:
        """The writer thread, which alone uses this ledger's connection until the end."""
        connection = self._connection
        writer = Writer(
            connection,
            self.path,
            session=session,
            price=price,
            vitals=vitals,
            on_commit=lambda commit: on_commit(commit, connection),
            on_failure=on_failure,
        )
        try:
            yield writer
        finally:
            writer.close()

    @property
    def connection(self) -> sqlite3.Connection:
        """For the exports, which read and keep note of the files they wrote."""
        return self._connection


@contextmanager
def open_ledger(folder: Path) -> Iterator[Ledger]:
    """Hold a run folder and open its ledger; both are made when they are not there.

    Raises:
        RunLockedError: Another process holds the folder.
        LedgerError: The folder cannot be made, or the ledger not be read.
    """
    path = folder / database.LEDGER_NAME
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LedgerError(
            f"{folder}: {error.strerror or error}",
            way_out="Mend the permissions of the folder, or name another with --out.",
        ) from error
    with lock.hold(folder), closing(database.prepare(path)) as connection:
        yield Ledger(folder, connection)


def discard_if_empty(folder: Path) -> None:
    """Remove a run folder whose ledger holds no item: the run was refused before it began."""
    path = folder / database.LEDGER_NAME
    if not path.exists() or lock.is_held(folder):
        return
    try:
        with database.reading(path) as connection:
            if connection.execute("SELECT COUNT(*) FROM items").fetchone()[0]:
                return
    except LedgerError:
        return  # not one that we made
    for leftover in (*folder.glob(f"{path.name}*"), folder / lock.LOCK_NAME):
        leftover.unlink(missing_ok=True)
    if not any(folder.iterdir()):
        folder.rmdir()


def _pending_of_chunk(
    connection: sqlite3.Connection, number: int, first_seq: int, items: int
) -> list[Pending]:
    span = (first_seq, first_seq + items - 1)
    tried = _tried(connection, span)
    rows = connection.execute(
        "SELECT seq, id, id_is_integer, fields FROM items WHERE seq BETWEEN ? AND ? "
        "AND NOT EXISTS (SELECT 1 FROM outcomes WHERE outcomes.seq = items.seq)",
        span,
    ).fetchall()
    return [
        _pending(
            Item(
                seq=seq,
                chunk=number,
                id=int(key) if is_integer else key,
                fields=jsontext.loads(fields),
            ),
            tried.get(seq),
        )
        for seq, key, is_integer, fields in rows
    ]


def _tried(
    connection: sqlite3.Connection, span: tuple[int, int]
) -> dict[int, list[tuple[Any, ...]]]:
    tried: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    for seq, *attempt in connection.execute(
        "SELECT seq, number, answer, problem, reask FROM attempts "
        "WHERE seq BETWEEN ? AND ? ORDER BY seq, number",
        span,
    ):
        tried[seq].append(tuple(attempt))
    return tried


def _pending(item: Item, tried: Sequence[tuple[Any, ...]] | None) -> Pending:
    if not tried:
        return Pending(item=item)
    return Pending(
        item=item,
        attempts=tried[-1][0],
        invalid=tuple((answer, problem) for _, answer, problem, reask in tried if reask),
    )


def _requeue(connection: sqlite3.Connection, which: str, values: tuple[str, ...]) -> int:
    execute = connection.execute
    execute("CREATE TEMP TABLE again AS SELECT * FROM outcomes WHERE " + which, values)
    execute("UPDATE attempts SET reask = 0 WHERE reask = 1 AND seq IN (SELECT seq FROM again)")
    # The attempts hold what was paid before; the last answer's share is the rest.
    execute(
        "INSERT INTO attempts SELECT seq, attempts, lane, code, message, NULL, latency_ms, 0, "
        "model, prompt_tokens - (SELECT IFNULL(SUM(prompt_tokens), 0) FROM attempts a "
        "WHERE a.seq = again.seq), completion_tokens - (SELECT IFNULL(SUM(completion_tokens), 0) "
        "FROM attempts a WHERE a.seq = again.seq), cached_tokens - (SELECT "
        "IFNULL(SUM(cached_tokens), 0) FROM attempts a WHERE a.seq = again.seq), cost_usd - "
        "(SELECT IFNULL(SUM(cost_usd), 0) FROM attempts a WHERE a.seq = again.seq), body, NULL, "
        "0, at FROM again WHERE attempts > 0"
    )
    execute(
        "UPDATE chunks SET failed = failed - gone.items, file_bytes = NULL FROM "
        "(SELECT chunks.number AS number, COUNT(*) AS items FROM again JOIN chunks ON again.seq "
        "BETWEEN chunks.first_seq AND chunks.first_seq + chunks.items - 1 GROUP BY 1) AS gone "
        "WHERE gone.number = chunks.number"
    )
    execute(
        "UPDATE counters SET value = value - (SELECT COUNT(*) FROM again WHERE "
        "again.lane = counters.lane AND 'error.' || again.code = counters.name) "
        "WHERE name LIKE 'error.%'"
    )
    execute(
        "UPDATE counters SET value = value - (SELECT COUNT(*) FROM again WHERE "
        "again.lane = counters.lane) WHERE name = 'failed'"
    )
    execute("DELETE FROM outcomes WHERE seq IN (SELECT seq FROM again)")
    (count,) = execute("SELECT COUNT(*) FROM again").fetchone()
    execute("DROP TABLE again")
    return int(count)
