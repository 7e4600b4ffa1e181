"""How a batch is, and what was fetched of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from processor.batch.remote_values import TERMINAL, RemoteBatch
from processor.console.words import counted, share
from processor.ledger.shards import Batch
from processor.watch.snapshot import Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchStatus:
    """How a batch is; `print` tells it in a line.

    Attributes:
        status: In the provider's word: `validating`, `in_progress`, `finalizing`, `completed`,
            `failed`, `expired`, `cancelling`, `cancelled`, or one that is new.
        completed: Requests with an answer, as the provider counts; None when it does not say.
        failed: The same of those that failed.
        total: The same of all.
        created_at: None when the provider does not say.
        problem: Why it failed, or what is wrong with it; None when nothing is known to be.
        run: Folder of the run that made it; None when none here did.
        run_total: Rows of that run.
        run_finished: Of these, the ones whose outcome is here.
    """

    id: str
    status: str
    completed: int | None
    failed: int | None
    total: int | None
    created_at: datetime | None
    problem: str | None = None
    run: Path | None = None
    run_total: int | None = None
    run_finished: int | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing of it will change; then its results can be fetched."""
        return self.status in TERMINAL

    @property
    def share(self) -> float | None:
        """How much of it is done, 0–1; None when the provider does not say."""
        if not self.total:
            return None
        return ((self.completed or 0) + (self.failed or 0)) / self.total

    def __str__(self) -> str:
        parts = [self.status or "in no known state"]
        if self.share is not None:
            done = (self.completed or 0) + (self.failed or 0)
            parts.append(f"{done:,} of {counted(self.total or 0, 'request')} ({share(self.share)})")
        if self.failed:
            parts.append(f"{self.failed:,} failed")
        if self.created_at is not None:
            parts.append(f"made {self.created_at.astimezone():%Y-%m-%d %H:%M:%S}")
        told = f"{self.id}: {', '.join(parts)}"
        if self.run_total is not None:
            here = f"{self.run_finished:,} of {counted(self.run_total, 'row')}"
            told += f"; {here} of {self.run} are here"
        return told if self.problem is None else f"{told}. {self.problem}"

    @classmethod
    def of(
        cls, batch: Batch | RemoteBatch, problem: str | None, shot: Snapshot | None = None
    ) -> "BatchStatus":
        """How a batch was seen last.

        Args:
            batch: As the provider told of it.
            problem: What is wrong with it, if anything is.
            shot: Of the run that made it; None when none here did.
        """
        at_s = batch.created_at
        return cls(
            id=batch.id,
            status=batch.status,
            completed=batch.completed,
            failed=batch.failed,
            total=batch.total,
            created_at=None if at_s is None else datetime.fromtimestamp(at_s, UTC),
            problem=problem,
            run=None if shot is None else shot.folder,
            run_total=None if shot is None else shot.total,
            run_finished=None if shot is None else shot.finished,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchResults:
    """What was fetched of a batch, or of the whole run that it belongs to.

    Attributes:
        path: Where it was written.
        rows: How many were written: rows of a table, or lines.
        succeeded: Requests with an answer.
        failed: Requests that failed for good, with the reason.
        unanswered: Requests of which nothing is here; None when the provider does not say.
        status: How the batch is since.
        notes: What one should know of the file, a line each.
    """

    path: str
    rows: int
    succeeded: int
    failed: int
    unanswered: int | None
    status: BatchStatus
    notes: Sequence[str] = ()

    def __str__(self) -> str:
        left = "" if not self.unanswered else f", {self.unanswered:,} without an answer"
        counts = f"{self.succeeded:,} succeeded, {self.failed:,} failed{left}"
        notes = "".join(f"; {note}" for note in self.notes)
        return f"{self.path}: {counted(self.rows, 'row')} ({counts}){notes}"
