"""A look at open batches, which changes nothing but what is known of them."""

from collections.abc import Sequence

from processor.batch.remote import Remote
from processor.batch.remote_values import RemoteBatch, RemoteError, Trouble
from processor.batch.shipping import seen
from processor.clock import Clock
from processor.errors import StoppedError
from processor.jobs.job import jobs_of
from processor.ledger import database, shards
from processor.ledger.ledger import Ledger
from processor.ledger.shards import Batch

_SKEW_S = 3600.0
_LIST_FROM = 3  # fewer batches are asked for one by one
_EXIT_STOPPED = 3


async def look(ledger: Ledger, remote: Remote, clock: Clock, *, grace_s: float) -> list[str]:
    """Ask how the open batches of a run are, and keep that in its ledger.

    Args:
        ledger: Of the run.
        remote: The provider.
        clock: Time.
        grace_s: For how long a new batch may be unknown to the provider.

    Returns:
        Ids of those that the provider does not know any more.

    Raises:
        StoppedError: The provider cannot be asked, or does not answer this key.
    """
    with ledger.guard():
        jobs = jobs_of(ledger.connection)
    waiting = {batch.id: batch for job in jobs for batch in job.open_batches}
    try:
        found = await _listed(remote, list(waiting.values()))
        lost = []
        for batch_id in waiting.keys() - found.keys():
            told = await _one(remote, batch_id)
            if told is not None:
                found[batch_id] = told
            elif clock.time() - waiting[batch_id].seen_at >= grace_s:
                lost.append(batch_id)
    except RemoteError as error:
        raise stopped(error) from error
    now_s = clock.time()
    keep(ledger, [seen(told, waiting[told.id].shard, now_s) for told in found.values()])
    return lost


def keep(ledger: Ledger, batches: Sequence[Batch]) -> None:
    """Put down batches as they are now."""
    with ledger.guard(), database.transaction(ledger.connection):
        shards.see(ledger.connection, batches)


def stopped(error: RemoteError) -> StoppedError:
    """What the command ends with when the provider says no."""
    return StoppedError(str(error), code=error.code, exit_code=_EXIT_STOPPED)


async def _listed(remote: Remote, waiting: Sequence[Batch]) -> dict[str, RemoteBatch]:
    """What one list shows of them; nothing when there are few, or there is no list."""
    if len(waiting) < _LIST_FROM:
        return {}
    ids = {batch.id for batch in waiting}
    since_s = min(batch.created_at or batch.seen_at for batch in waiting) - _SKEW_S
    try:
        found = await remote.batches(since_s, None)
    except RemoteError as error:
        if error.trouble is not Trouble.GONE:
            raise
        return {}
    return {batch.id: batch for batch in found if batch.id in ids}


async def _one(remote: Remote, batch_id: str) -> RemoteBatch | None:
    """A batch; None when the provider does not know it."""
    try:
        return await remote.retrieve(batch_id)
    except RemoteError as error:
        if error.trouble is Trouble.GONE:
            return None
        raise
