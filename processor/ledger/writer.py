"""The thread that writes: outcomes and attempts become durable in groups.

One fsync serves all that came while the last one ran. Nothing is acknowledged before its commit:
`on_commit` is called after it, in this thread, and only then may anyone show, log or export it.
"""

import sqlite3
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path

from msgspec.structs import replace

from processor.errors import LedgerError
from processor.ledger import account, calls, database
from processor.ledger.calls import CALLS_NAME, CallCount
from processor.ledger.commit import ChunkTotals, Commit, Record, write
from processor.ledger.gauges import Gauges, written
from processor.ledger.samples import Sampler
from processor.ledger.tally import Pricer
from processor.ledger.vitals import Vitals

GATHER_S = 0.05
Change = Callable[[sqlite3.Connection], None]


class Writer:
    """Takes records from the event loop, never makes it wait.

    Args:
        connection: The ledger, open for writing; this thread's alone until `close`.
        session: Number of the session that outcomes name and whose row carries the vitals.
        price: What an answer costs.
        vitals: Called at every commit.
        on_commit: Called after every commit, in this thread.
        on_failure: Called once if the ledger or `on_commit` fails; nothing is written after.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        path: Path,
        *,
        session: int,
        price: Pricer,
        vitals: Callable[[], Vitals],
        on_commit: Callable[[Commit], None],
        on_failure: Callable[[BaseException], None],
    ) -> None:
        self._connection = connection
        self._path = path
        self._session = session
        self._price = price
        self._vitals = vitals
        self._on_commit = on_commit
        self._on_failure = on_failure
        self._records: list[Record] = []
        self._flushes: list[Future[None]] = []
        self._changes: list[Change] = []
        self._notes: list[Change] = []
        self._lock = threading.Lock()
        self._work = threading.Event()
        self._hurry = threading.Event()
        self._closing = False
        self._failure: BaseException | None = None
        self._gauges: Gauges | None = None
        self._sampler = Sampler(connection, session)
        self._sampling = False
        self._calls = CallCount(path.with_name(CALLS_NAME), calls.begun(connection))
        self._thread = threading.Thread(target=self._run, name="ledger-writer", daemon=True)
        self._thread.start()

    def begin(self) -> None:
        """A call is about to be sent: what a kill leaves of it is this count."""
        self._calls.begin()

    def record(self, record: Record) -> None:
        """Hand over an outcome or an attempt; it is durable when `on_commit` names it."""
        assert not self._closing
        with self._lock:
            self._records.append(record)
        if not self._work.is_set():
            self._work.set()

    def flush(self) -> "Future[None]":
        """A future that is done when all that was recorded before is durable and acknowledged.

        It raises what stopped the writer.
        """
        assert not self._closing
        flush: Future[None] = Future()
        flush.set_running_or_notify_cancel()  # whoever stops waiting for it must not break it
        with self._lock:
            failure = self._failure
            if failure is None:
                self._flushes.append(flush)
        if failure is not None:
            flush.set_exception(failure)
        self._hurry.set()
        self._work.set()
        return flush

    def change(self, change: Change, records: Sequence[Record] = ()) -> "Future[None]":
        """Change the ledger in the transaction that makes the records durable, too.

        Args:
            change: Called in the writer's thread, within the transaction.
            records: Outcomes and attempts that belong to it.

        Returns:
            A future as that of `flush`.
        """
        with self._lock:
            self._changes.append(change)
            self._records.extend(records)
        return self.flush()

    def keep(self, figures: Mapping[str, float]) -> "Future[None]":
        """Keep figures of the account (see `account.keep`); the future is that of `flush`."""
        return self.change(lambda connection: account.keep(connection, figures))

    def gauge(self, gauges: Gauges) -> None:
        """Keep how this start sends; when it is time for it, with a sample."""
        before, self._gauges = self._gauges, gauges
        if self._sampler.is_due(time.monotonic()):
            if not self._sampling:  # a disk may stall for long
                self.sample()
        elif before is None or replace(before, at=gauges.at) != gauges:
            self._note(_nothing)  # the row of the session tells it

    def sample(self) -> None:
        """Take a sample now."""
        gauges = self._gauges
        if gauges is None:
            return

        def take(connection: sqlite3.Connection) -> None:
            self._sampling = False
            self._sampler.take(connection, gauges, self._vitals())

        self._sampler.wait(time.monotonic())
        self._sampling = True
        self._note(take)

    def _note(self, note: Change) -> None:
        """Keep what is of no consequence: nobody is told of it."""
        with self._lock:
            self._notes.append(note)
        self._work.set()

    def close(self) -> None:
        """Write what is left and end the thread; the connection is the caller's again."""
        self._closing = True
        self._hurry.set()
        self._work.set()
        self._thread.join()
        self._calls.close()

    def _run(self) -> None:
        while not (self._closing and not (self._records or self._flushes or self._notes)):
            self._work.wait()
            self._hurry.wait(GATHER_S)
            self._work.clear()
            if not self._closing:
                self._hurry.clear()
            with self._lock:
                records, self._records = self._records, []
                flushes, self._flushes = self._flushes, []
                changes, self._changes = self._changes, []
                notes, self._notes = self._notes, []
            try:
                if records or changes or notes:
                    chunks = self._commit(records, changes, notes)
                    if records or changes:
                        self._on_commit(Commit(records=records, chunks=chunks))
            except BaseException as error:  # noqa: BLE001 - a thread's failure is the run's
                self._fail(error, flushes)
                return
            for flush in flushes:
                flush.set_result(None)

    def _fail(self, error: BaseException, flushes: list["Future[None]"]) -> None:
        error = self._told(error)
        with self._lock:
            self._failure = error
            flushes += self._flushes
        for flush in flushes:
            flush.set_exception(error)
        self._on_failure(error)

    def _told(self, error: BaseException) -> BaseException:
        """What the world did as a LedgerError; a bug as it is."""
        if isinstance(error, sqlite3.Error):
            return database.told(self._path, error)
        if isinstance(error, OSError):
            return LedgerError(
                f"{self._path.parent}: {error.strerror or error}",
                way_out="Free the disk or mend its permissions, then give the same command again.",
            )
        return error

    def _commit(
        self, records: Sequence[Record], changes: Sequence[Change], notes: Sequence[Change]
    ) -> Sequence[ChunkTotals]:
        """Make it durable; returns the chunks that the records touched."""
        connection = self._connection
        with database.transaction(connection):
            for change in (*changes, *notes):  # a first sample is of what was before
                change(connection)
            chunks = write(connection, records, self._price, self._session)
            vitals = self._vitals()
            connection.execute(
                "UPDATE sessions SET seen_at = ?, cpu_s = ?, peak_rss_mb = ?, bytes_sent = ?, "
                "bytes_received = ?, gauges = IFNULL(?, gauges) WHERE number = ?",
                (
                    time.time(),
                    vitals.cpu_s,
                    vitals.peak_rss_mb,
                    vitals.bytes_sent,
                    vitals.bytes_received,
                    written(self._gauges) if self._gauges else None,
                    self._session,
                ),
            )
        return chunks


def _nothing(_: sqlite3.Connection) -> None:
    """What is kept with every commit is all there is."""
