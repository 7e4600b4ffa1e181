"""What a trial took, read from its ledger."""

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from processor.compare.arm import Trial
from processor.compare.away import SPAN_KEY
from processor.ledger import database
from processor.ledger.database import LEDGER_NAME
from processor.report import EXIT_ITEMS_FAILED, EXIT_OK
from processor.watch import snapshot
from processor.watch.snapshot import Snapshot

_WHOLE = (EXIT_OK, EXIT_ITEMS_FAILED)


class Status(StrEnum):
    """How far a trial is."""

    DONE = "done"
    AWAY = "at the provider"
    STOPPED = "stopped"
    FAILED = "failed"  # refused before anything was sent
    WAITING = "not run yet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What a trial took.

    Attributes:
        wall_s: In the provider's time: sending, and the machine's own time for reading rows and
            writing results.
        is_bound: Whether it took `wall_s` at most: it was interrupted, or left and looked at later.
        calls: Over HTTP: requests, or uploads, creations, looks and downloads.
        cost_usd: At list price; None when unknown.
        cpu_s: Of its process, from the start of the run.
        peak_mb: The most memory of its process, in millions of bytes; 0 where nobody can tell.
        p50_ms: Of calls; None by batch.
    """

    succeeded: int
    failed: int
    pending: int
    wall_s: float
    is_bound: bool
    calls: int
    retries: int
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float | None
    cpu_s: float
    peak_mb: float
    p50_ms: float | None
    p95_ms: float | None
    errors: dict[str, int] = field(default_factory=dict)

    @property
    def per_s(self) -> float | None:
        """Items a second."""
        return (self.succeeded + self.failed) / self.wall_s if self.wall_s else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A trial, and what is known of it.

    Attributes:
        folder: Of its run.
        exit_code: Of its latest start; None without one, or if it was killed.
        problem: What ended it early or kept it from beginning, in words.
        figures: None where no item was read.
    """

    trial: Trial
    folder: Path
    status: Status
    exit_code: int | None = None
    problem: str = ""
    figures: Figures | None = None


def measured(trial: Trial, folder: Path, *, scale: float) -> Measured:
    """Read how a trial stands.

    Args:
        trial: Which.
        folder: Of its run.
        scale: Seconds of the provider in one of the machine's.

    Raises:
        LedgerError: The ledger cannot be read.
    """
    if not (folder / LEDGER_NAME).exists():
        return Measured(trial=trial, folder=folder, status=Status.WAITING)
    shot = snapshot.take(folder)
    session = shot.session
    if session is None or not shot.total:
        return Measured(trial=trial, folder=folder, status=Status.WAITING)
    return Measured(
        trial=trial,
        folder=folder,
        status=_status(trial, shot),
        exit_code=session.exit_code,
        problem=f"{session.stop_code}: {session.stop_message}" if session.stop_code else "",
        figures=_figures(trial, shot, scale),
    )


def held_usd(folder: Path) -> float:
    """What a run has spent of a budget, or may spend before its ledger tells again.

    Raises:
        LedgerError: The ledger cannot be read: nobody knows what is left of the budget.
    """
    shot = snapshot.take(folder)
    return max(shot.spent_usd, shot.reserved_usd) + shot.jobs.reserved_usd


def _status(trial: Trial, shot: Snapshot) -> Status:
    if shot.finished >= trial.items:  # those of jobs that wait for each other come one by one
        return Status.DONE
    if shot.jobs.at_provider:
        return Status.AWAY
    return Status.STOPPED


def _figures(trial: Trial, shot: Snapshot, scale: float) -> Figures:
    wall_s, is_bound = _wall(trial, shot, scale)
    overall, latency = shot.overall, shot.latency_ms
    return Figures(
        succeeded=shot.succeeded,
        failed=shot.failed,
        pending=shot.pending,
        wall_s=wall_s,
        is_bound=is_bound,
        calls=sum(
            totals.http_calls if lane == "batch" else totals.requests_sent
            for lane, totals in shot.lanes.items()
        ),
        retries=overall.retries + overall.reasks,
        prompt_tokens=overall.prompt_tokens,
        completion_tokens=overall.completion_tokens,
        cost_usd=overall.cost_usd,
        cpu_s=shot.cpu_s,
        peak_mb=shot.peak_rss_mb,
        p50_ms=latency.p50,
        p95_ms=latency.p95,
        errors=dict(shot.errors),
    )


def _wall(trial: Trial, shot: Snapshot, scale: float) -> tuple[float, bool]:
    """Seconds in the provider's time, and whether they are only a bound."""
    with database.reading(shot.folder / LEDGER_NAME) as connection:
        ends = [code for (code,) in connection.execute("SELECT exit_code FROM sessions")]
        (answered_at,) = connection.execute("SELECT MAX(at) FROM outcomes").fetchone()
        span = connection.execute("SELECT value FROM meta WHERE key = ?", (SPAN_KEY,)).fetchone()
    if all(end in _WHOLE for end in ends):
        own_s = sum(seconds for stage, seconds in shot.stages_s.items() if stage != "send")
        return shot.stages_s.get("send", 0.0) + own_s / scale, False
    if span is not None:
        return float(span[0]) + shot.elapsed_s, False
    if not trial.arm.by_batch or answered_at is None or shot.started_at is None:
        return shot.elapsed_s * scale, True
    return (answered_at - shot.started_at) * scale, True
