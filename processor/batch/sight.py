"""A batch as the ledger keeps it, after the provider told of it. Pure."""

from msgspec.structs import replace

from processor.batch.remote_values import (
    COMPLETED,
    FAILED,
    FINALIZING,
    TERMINAL,
    VALIDATING,
    RemoteBatch,
)
from processor.ledger.shards import Batch


def seen(batch: RemoteBatch, shard: int, now_s: float) -> Batch:
    """A batch that was not known before; one that ended without files is looked at again."""
    now = _kept(batch, shard, now_s)
    return replace(now, status=FINALIZING) if _ends_without_files(now) else now


def _kept(batch: RemoteBatch, shard: int, now_s: float) -> Batch:
    return Batch(
        id=batch.id,
        shard=shard,
        status=batch.status,
        created_at=batch.created_at,
        seen_at=now_s,
        total=batch.total,
        completed=batch.completed,
        failed=batch.failed,
        output_file_id=batch.output_file_id,
        error_file_id=batch.error_file_id,
        problem=reason(batch),
    )


def reason(batch: RemoteBatch) -> str | None:
    """Why a batch failed, in a line."""
    if not batch.problems:
        return None
    first = batch.problems[0]
    place = "" if first.line is None else f" (line {first.line})"
    more = "" if len(batch.problems) == 1 else f", and {len(batch.problems) - 1} more"
    return f"{first.code}: {first.message}{place}{more}"


def look(before: Batch, told: RemoteBatch, now_s: float, *, grace_s: float) -> Batch:
    """A batch as far as it has come: when it says that it ended, its files may be late.

    Args:
        before: As it was kept last.
        told: As the provider tells of it now.
        now_s: Seconds since 1970.
        grace_s: How long files may be missing.
    """
    now = _kept(told, before.shard, now_s)
    if not _ends_without_files(now):
        return now
    unfinished = replace(now, status=FINALIZING)
    if unfinished != replace(before, seen_at=now.seen_at):
        return unfinished
    return unfinished if now.seen_at - before.seen_at < grace_s else now


def is_stuck(batch: Batch, since_s: float, most_s: float) -> bool:
    """Whether a batch is validated for too long: it may never begin.

    Args:
        batch: As it was seen last.
        since_s: When its shard came to be open, by our clock.
        most_s: How long that may take.
    """
    return batch.status == VALIDATING and batch.seen_at - since_s >= most_s


def _ends_without_files(batch: Batch) -> bool:
    """Whether a batch says that it has ended, and has no file that answers could be in."""
    if batch.status not in TERMINAL - {FAILED} or batch.output_file_id is not None:
        return False
    if batch.error_file_id is not None:
        return bool(batch.completed)
    is_told_empty = batch.completed == batch.failed == 0
    return batch.status == COMPLETED or not is_told_empty
