"""What follows a commit: lines in the logs, files of chunks, statistics."""

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path

from processor.clock import Clock
from processor.errors import LedgerError
from processor.exports import chunk_files, stats
from processor.ledger.commit import Commit
from processor.notice import Notice
from processor.observer import Observer
from processor.watch import snapshot

_STATS_EVERY_S = 2.0


class FollowUp:
    """Tells what happened to observers and files, which may fail while the ledger does not.

    Args:
        folder: The run's.
        observers: Who watches.
        clock: Time.
        failed: Takes what a disk refused; called in any thread, more than once if need be.
    """

    def __init__(
        self,
        folder: Path,
        observers: Sequence[Observer],
        *,
        clock: Clock,
        failed: Callable[[LedgerError], None],
    ) -> None:
        self._folder = folder
        self._observers = observers
        self._clock = clock
        self._failed = failed
        self._stats_at_s = 0.0

    def notice(self, notice: Notice) -> None:
        """Tell what concerns the lane, whose answers must not be lost for a log."""
        try:
            for observer in self._observers:
                observer.notice(notice)
        except LedgerError as error:
            self._failed(error)

    def committed(self, commit: Commit, connection: sqlite3.Connection) -> None:
        """What became durable; called in the writer's thread.

        What is refused once is tried again with the next commit's: the disk may have recovered.
        """
        try:
            self._write(commit, connection)
        except LedgerError as error:
            self._failed(error)

    def _write(self, commit: Commit, connection: sqlite3.Connection) -> None:
        for observer in self._observers:
            observer.committed(commit)
        complete = [chunk for chunk in commit.chunks if chunk.complete]
        chunk_files.write(connection, self._folder, [chunk.number for chunk in complete])
        for chunk in complete:
            for observer in self._observers:
                observer.chunk_written(chunk)
        now_s = self._clock.monotonic()
        if now_s - self._stats_at_s >= _STATS_EVERY_S:
            self._stats_at_s = now_s
            stats.write(snapshot.take(self._folder), reconciled=None)
