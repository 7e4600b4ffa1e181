"""Shards and batches as people and programs read them."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from processor.batch.remote_values import RemoteBatch
from processor.console.words import counted, duration, share
from processor.jobs.job import Job
from processor.ledger.shards import Batch, State

_UNKNOWN = "–"


def job_lines(job: Job, now_s: float) -> Iterator[str]:
    """A job as people read it: a line a batch; one for a shard without."""
    shard = job.shard
    where = f"shard {shard.number} {shard.state}"
    why = f"  {shard.problem}" if shard.problem else ""
    if not job.batches:
        yield f"{_UNKNOWN}  {counted(shard.items, 'item')}  {where}  {_age(now_s, shard.at)}{why}"
    for batch in job.batches:
        age = _age(now_s, batch.created_at or batch.seen_at)
        yield f"{batch.id}  {batch.status}  {_counts(batch)}  {where}  {age}{why}"


def _age(now_s: float, since_s: float) -> str:
    """How long ago; clocks differ, and none is from the future."""
    return duration(max(0.0, now_s - since_s))


def _counts(batch: Batch | RemoteBatch) -> str:
    """`150/300 (50.0%)`, as far as the provider counts."""
    if not batch.total:
        return _UNKNOWN
    done = (batch.completed or 0) + (batch.failed or 0)
    failed = f", {batch.failed:,} failed" if batch.failed else ""
    return f"{done:,}/{batch.total:,} ({share(done / batch.total)}{failed})"


def standing(jobs: Sequence[Job], unsent: int, folder: Path) -> str:
    """What is left to be done, in a line."""
    live = [job for job in jobs if job.is_live]
    settled = sum(job.shard.state is State.SETTLED for job in jobs)
    told = f"{folder}: {settled:,} of {counted(settled + len(live), 'shard')} settled"
    if live:
        told += f", {counted(sum(job.shard.items for job in live), 'item')} not yet"
        if not all(job.open_batches for job in live):
            told += "; processor batch download goes on with what has ended"
    if unsent:
        waits = "waits" if unsent == 1 else "wait"
        told += f"; {counted(unsent, 'item')} {waits} to be sent"
    return told


def jobs_as_json(jobs: Sequence[Job]) -> dict[str, Any]:
    """Jobs as JSON values."""
    return {
        "shards": [
            {
                "shard": job.shard.number,
                "state": str(job.shard.state),
                "items": job.shard.items,
                "model": job.shard.model,
                "bytes": job.shard.bytes,
                "file": job.shard.file_id,
                "problem": job.shard.problem,
                "batches": [_batch_as_json(batch) for batch in job.batches],
            }
            for job in jobs
        ]
    }


def _batch_as_json(batch: Batch) -> dict[str, Any]:
    names = [name for name in Batch.__struct_fields__ if name != "shard"]
    return {name: getattr(batch, name) for name in names}


def remote_as_json(batch: RemoteBatch, shard: int | None) -> dict[str, Any]:
    """A batch of the account as JSON values; `shard` as in `remote_line`."""
    return {
        "id": batch.id,
        "status": batch.status,
        "shard": shard,
        "input_file_id": batch.input_file_id,
        "created_at": batch.created_at,
        "total": batch.total,
        "completed": batch.completed,
        "failed": batch.failed,
        "metadata": dict(batch.metadata),
    }


def remote_line(batch: RemoteBatch, shard: int | None, now_s: float) -> str:
    """A batch of the account, whoever made it; `shard` is that of the run, if it is its own."""
    whose = "another's" if shard is None else f"shard {shard}"
    age = _UNKNOWN if batch.created_at is None else _age(now_s, batch.created_at)
    told = batch.metadata.get("description", "")
    parts = (batch.id, batch.status, _counts(batch), whose, age, told)
    return "  ".join(part for part in parts if part)
