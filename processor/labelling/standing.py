"""How a job is as a whole, whatever number of batches it is in. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from processor.batch.remote_values import (
    CANCELLED,
    COMPLETED,
    EXPIRED,
    FAILED,
    FINALIZING,
    TERMINAL,
    VALIDATING,
)
from processor.jobs.job import Job
from processor.ledger.shards import UNSENT, State

BATCH_FAILED = "batch_failed"
IN_PROGRESS = "in_progress"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a job is.

    Attributes:
        status: In the provider's words.
        done: Rows that have an answer, here or at the provider.
        total: All rows.
        waiting: Rows that are in no batch yet.
        failure: Why its latest batch failed, if rows wait for that; None otherwise.
        deferred: Why a batch failed that is made again by itself, when there is room for it.
        cut_short: Batches that expired, or that somebody has stopped at the provider.
    """

    status: str
    done: int
    total: int
    waiting: int
    failure: str | None
    deferred: str | None = None
    cut_short: Sequence[str] = ()

    @property
    def is_complete(self) -> bool:
        """Whether every row has an outcome that is here."""
        return self.status == COMPLETED


def standing_of(
    jobs: Sequence[Job],
    *,
    total: int,
    finished: int,
    unsent: int,
    stop_code: str | None = None,
    cancelled: bool = False,
) -> Standing:
    """How a job is.

    Args:
        jobs: Its shards with their batches.
        total: Rows.
        finished: Rows with an outcome.
        unsent: Rows without one that are in no shard.
        stop_code: What ended its latest start early.
        cancelled: Whether somebody has stopped it.
    """
    live = [job for job in jobs if job.is_live]
    not_yet = sum(job.shard.items for job in live if job.shard.state in UNSENT)
    answered = sum(_answered(job) for job in live)
    # A later start has sent the rows again, or will: only the latest tells.
    failure = _failure(jobs) if unsent and stop_code == BATCH_FAILED else None
    return Standing(
        status=_status(
            [_seen(job) for job in live],
            is_done=finished == total,
            unsent=bool(unsent),
            failed=failure is not None,
            cancelled=cancelled,
        ),
        done=min(total, finished + answered),
        total=total,
        waiting=unsent + not_yet,
        failure=failure,
        deferred=_deferred(live),
        cut_short=[
            batch.id
            for job in jobs
            for batch in job.batches
            if batch.status in {CANCELLED, EXPIRED}
        ],
    )


def _status(
    seen: Sequence[str], *, is_done: bool, unsent: bool, failed: bool, cancelled: bool
) -> str:
    if is_done:
        return COMPLETED
    if failed:
        return FAILED
    if not seen:
        return CANCELLED if cancelled else VALIDATING
    kinds = set(seen)
    if len(kinds) == 1 and not unsent:
        return seen[0]
    return VALIDATING if kinds == {VALIDATING} else IN_PROGRESS


def _seen(job: Job) -> str:
    """The status of a shard; what the provider has done and is not here yet is being finished."""
    if job.shard.state in UNSENT or not job.batches:
        return VALIDATING
    status = job.batches[-1].status
    return FINALIZING if status in TERMINAL or job.shard.state is not State.OPEN else status


def _answered(job: Job) -> int:
    """Rows that the provider has answered, as it counts."""
    counts = [(batch.completed or 0) + (batch.failed or 0) for batch in job.batches]
    return min(job.shard.items, max(counts, default=0))


def _failure(jobs: Sequence[Job]) -> str | None:
    """Why the latest shard that came to an end without an answer did."""
    ended = [job for job in jobs if job.shard.state is State.DROPPED]
    return next((job.failure for job in reversed(ended) if job.failure is not None), None)


def _deferred(live: Sequence[Job]) -> str | None:
    """Why a shard waits that was a batch already."""
    waiting = [job for job in live if job.shard.state in UNSENT and job.batches]
    return waiting[-1].batches[-1].problem if waiting else None
