"""A look at open batches, which changes nothing but what is known of them."""

from collections.abc import Sequence

from msgspec.structs import replace

from processor.batch import sight
from processor.batch.listing import listed
from processor.batch.remote import Remote
from processor.batch.remote_values import RemoteBatch, RemoteError, Trouble
from processor.clock import Clock
from processor.codes import cause_of
from processor.errors import StoppedError
from processor.jobs.job import jobs_of
from processor.ledger import database, shards
from processor.ledger.ledger import Ledger
from processor.ledger.shards import Batch

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
    changed, lost, now_s = [], [], clock.time()
    try:
        found = await listed(remote, {id_: _made_s(batch) for id_, batch in waiting.items()}) or {}
        for batch in waiting.values():
            told = await _told(remote, batch.id, found.get(batch.id))
            if told is not None:
                now = sight.look(batch, told, now_s, grace_s=grace_s)
                if now != replace(batch, seen_at=now_s):
                    changed.append(now)
            elif now_s - batch.seen_at >= grace_s:
                lost.append(batch.id)
    except RemoteError as error:
        raise stopped(error) from error
    keep(ledger, changed)
    return lost


def keep(ledger: Ledger, batches: Sequence[Batch]) -> None:
    """Put down batches as they are now."""
    with ledger.guard(), database.transaction(ledger.connection):
        shards.see(ledger.connection, batches)


def stopped(error: RemoteError) -> StoppedError:
    """What the command ends with when the provider says no."""
    return StoppedError(
        str(error).rstrip("."),
        code=error.code,
        exit_code=_EXIT_STOPPED,
        way_out=cause_of(error.code).remedy,
    )


def _made_s(batch: Batch) -> float:
    return batch.created_at or batch.seen_at


async def _told(remote: Remote, batch_id: str, listed_as: RemoteBatch | None) -> RemoteBatch | None:
    """A batch; None when the provider does not know it."""
    try:
        if listed_as is None or (listed_as.ended and not listed_as.names_files):
            listed_as = await remote.retrieve(batch_id)  # lists may tell less
    except RemoteError as error:
        if error.trouble is Trouble.GONE:
            return None
        raise
    return replace(listed_as, id=batch_id)  # some servers have a second name for it
