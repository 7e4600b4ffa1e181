"""The ledger of a run, opened for work."""

import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from processor import jsontext
from processor.data.source import Source
from processor.errors import LedgerError, RunLockedError, UsageError
from processor.ledger import calls, control, counters, database, lock, pending, shards
from processor.ledger.commit import Commit
from processor.ledger.intake import Intake, IntakeRules, take_in
from processor.ledger.pending import Pending
from processor.ledger.requeue import requeue
from processor.ledger.shards import Shard
from processor.ledger.tally import Pricer
from processor.ledger.vitals import Vitals
from processor.ledger.writer import Writer

_NO_ITEM = "SELECT 1 FROM items LIMIT 1"
# An earlier start may have sent what nothing is known of but that it may have cost something.
_UNSENT = "SELECT 1 FROM shards UNION ALL SELECT 1 FROM sessions WHERE number > 1"


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
        with self.guard():
            self._asked_before = control.last(connection)

    def meta(self) -> dict[str, str]:
        """What the run is: `run_id`, `task`, `identity` and the like."""
        with self.guard():
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
        with self.guard():
            found = counters.read(self._connection)
        lanes = [values for lane, values in found.items() if lane]
        return Counts(
            total=int(found.get("", {}).get(counters.ITEMS, 0)),
            succeeded=int(sum(values.get("succeeded", 0) for values in lanes)),
            failed=int(sum(values.get("failed", 0) for values in lanes)),
        )

    def live_shards(self) -> list[Shard]:
        """Shards of the batch lane that are neither settled nor given up."""
        with self.guard():
            return shards.live(self._connection)

    def knows(self, source: Source, rules: IntakeRules | None = None) -> bool:
        """Whether all rows of the source were imported as the rules say, and are as they were."""
        stamp = source.stamp() if rules is None else rules.stamp_of(source)
        with self.guard():
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
        """Items without an outcome, in order; `most` of them at most.

        What becomes pending behind the reader is not seen.
        """
        return pending.read(self.path, most)

    def succeeded(self) -> Pending | None:
        """Some item that has succeeded; None when none has."""
        with self.guard():
            return pending.succeeded(self._connection)

    def requeue(self, codes: Sequence[str] | None = None) -> int:
        """Make failed items pending again; their last call joins their attempts.

        Args:
            codes: Error codes to take; None for every failure that asking again may mend.

        Returns:
            How many items it were.
        """
        with self.guard(), database.transaction(self._connection):
            return requeue(self._connection, codes)

    def start_session(self, settings: Mapping[str, Any]) -> int:
        """Note that the run was started; returns the session's number."""
        now = time.time()
        with self.guard(), database.transaction(self._connection):
            # What a start that was killed left; orders to this one may have come already.
            control.close(self._connection, through=self._asked_before)
            cursor = self._connection.execute(
                "INSERT INTO sessions (started_at, seen_at, pid, settings) VALUES (?, ?, ?, ?)",
                (now, now, os.getpid(), jsontext.dumps(dict(settings))),
            )
        number = cursor.lastrowid
        assert number is not None
        return number

    def end_session(
        self, number: int, exit_code: int, *, stop: tuple[str, str] | None = None
    ) -> None:
        """Note how a session ended; `stop` is the code and the words of what ended it early."""
        now = time.time()
        with self.guard(), database.transaction(self._connection):
            control.close(self._connection)
            self._connection.execute(
                "UPDATE sessions SET seen_at = ?, exit_code = ?, stop_code = ?, "
                "stop_message = ? WHERE number = ?",
                (now, exit_code, *(stop or (None, None)), number),
            )

    def settle_calls(self) -> int:
        """Count calls that were begun and of which nothing was recorded; returns how many.

        A start that was killed leaves some; the provider may charge for them.
        """
        path = self.folder / calls.CALLS_NAME
        try:
            with self.guard():
                with database.transaction(self._connection):
                    lost = calls.settle(self._connection, path)
                path.unlink(missing_ok=True)
        except OSError as error:
            raise calls.refused(path, error) from error
        return lost

    def add_seconds(self, stage: str, seconds: float) -> None:
        """Count time spent in a stage of the run (`import`, `send`, `export`)."""
        with self.guard(), database.transaction(self._connection):
            counters.add(self._connection, [("", f"stage.{stage}_s", seconds)])

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
    except (FileExistsError, NotADirectoryError) as error:
        raise UsageError(f"{folder}: is no folder", way_out="Name another with --out.") from error
    except OSError as error:
        raise LedgerError(
            f"{folder}: {error.strerror or error}",
            way_out="Mend the permissions of the folder, or name another with --out.",
        ) from error
    with lock.hold(folder), closing(database.prepare(path)) as connection:
        yield Ledger(folder, connection)


def discard_if_empty(folder: Path) -> None:
    """Remove a run folder whose ledger holds no item: the run was refused before it began."""
    _discard(folder, _NO_ITEM)


def discard_if_unsent(folder: Path) -> None:
    """Remove a run folder whose first start sent nothing: the next one reads its rows again."""
    _discard(folder, _UNSENT)


def _discard(folder: Path, unless: str) -> None:
    """Remove a run folder, unless a query finds something in its ledger."""
    path = folder / database.LEDGER_NAME
    try:
        if not path.exists() or lock.is_held(folder):
            return
        with lock.hold(folder):
            with database.reading(path) as connection:
                if connection.execute(unless).fetchone():
                    return
            wal, shm = f"{path.name}-wal", f"{path.name}-shm"
            for name in (path.name, wal, shm, calls.CALLS_NAME, lock.LOCK_NAME):
                (folder / name).unlink(missing_ok=True)
    except (LedgerError, RunLockedError, OSError):
        return  # not one that we made, or another's by now
    if not any(folder.iterdir()):
        folder.rmdir()
