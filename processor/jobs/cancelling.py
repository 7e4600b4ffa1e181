"""Stopping batches. What they answered until then is charged, and stays to be fetched."""

from collections.abc import Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from processor.batch.remote import Remote
from processor.batch.remote_values import CANCELLED, RemoteBatch, RemoteError, Trouble
from processor.batch.sight import seen
from processor.clock import Clock
from processor.errors import UsageError
from processor.jobs.job import Job, jobs_of
from processor.jobs.looking import keep, stopped
from processor.ledger import cancellation, database, shards
from processor.ledger.ledger import Ledger
from processor.ledger.shards import UNSENT, Batch, State

_SKEW_S = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancelled:
    """What a cancellation did.

    Attributes:
        batches: As they are since.
        ended: Those that had ended before.
        lost: Those that the provider does not know.
        unsent_items: Of shards that had not become batches; they are pending again.
        doubtful: Shards that may have become a batch which the provider does not show yet.
    """

    batches: Sequence[Batch]
    ended: Sequence[str]
    lost: Sequence[str]
    unsent_items: int
    doubtful: Sequence[int]


def cancellable(ledger: Ledger, only: str | None) -> list[Job]:
    """The jobs that a cancellation concerns.

    Args:
        ledger: Of the run.
        only: The id of one batch; None for the whole run.

    Raises:
        UsageError: The run has no such batch, or it has ended.
    """
    with ledger.guard():
        jobs = jobs_of(ledger.connection)
    if only is None:
        return [job for job in jobs if job.is_live]
    found = [job for job in jobs if only in {batch.id for batch in job.batches}]
    if not found:
        raise UsageError(
            f"{ledger.folder} has no batch {only}", way_out="processor batch list names its own."
        )
    if not any(batch.id == only for batch in found[0].open_batches):
        raise UsageError(f"batch {only} has ended; there is nothing to cancel")
    return found


async def cancel(
    ledger: Ledger, remote: Remote, clock: Clock, jobs: Sequence[Job], only: str | None
) -> Cancelled:
    """Stop the batches of jobs, and let those go that are no batches yet.

    Raises:
        StoppedError: The provider cannot be asked, or does not answer this key.
    """
    unsent = [job.shard for job in jobs if job.shard.state in UNSENT] if only is None else []
    if only is None:
        with ledger.guard(), database.transaction(ledger.connection):
            shards.let_go_unsent(ledger.connection, CANCELLED, clock.time())
        cancellation.note(ledger)
    try:
        made, doubtful = await _made_in_doubt(remote, jobs) if only is None else ([], [])
        keep(ledger, made)
        now, ended, lost = [], [], []
        for batch in (*(each for job in jobs for each in job.open_batches), *made):
            if only not in {None, batch.id}:
                continue
            told, had_ended = await _cancel(remote, batch.id)
            if told is None:
                lost.append(batch.id)
                continue
            now.append(seen(replace(told, id=batch.id), batch.shard, clock.time()))
            keep(ledger, now[-1:])
            if had_ended:
                ended.append(batch.id)
    except RemoteError as error:
        raise stopped(error) from error
    return Cancelled(
        batches=now,
        ended=ended,
        lost=lost,
        unsent_items=sum(shard.items for shard in unsent),
        doubtful=doubtful,
    )


async def _made_in_doubt(remote: Remote, jobs: Sequence[Job]) -> tuple[list[Batch], list[int]]:
    """The batches of intents of which nobody knows what came; and shards without any."""
    intents = [job.shard for job in jobs if job.shard.state is State.CREATING]
    if not intents:
        return [], []
    found = await remote.batches(min(shard.at for shard in intents) - _SKEW_S, None)
    made, doubtful = [], []
    for shard in intents:
        own = [batch for batch in found if batch.input_file_id == shard.file_id]
        made += [seen(batch, shard.number, shard.at) for batch in own]
        if not own:
            doubtful.append(shard.number)
    return made, doubtful


async def _cancel(remote: Remote, batch_id: str) -> tuple[RemoteBatch | None, bool]:
    """The batch since, None when nobody knows it; and whether it had ended before."""
    try:
        return await remote.cancel(batch_id), False
    except RemoteError as error:
        if error.trouble is Trouble.GONE:
            return None, False
        if error.trouble is not Trouble.REFUSED:
            raise
        return await remote.retrieve(batch_id), True
