"""What a person decides about a shard that the program cannot help: send it again, or take a batch.

Nobody but a person can say what became of a batch that the provider does not show. Both decisions
are refused where the provider does show it: then nothing needs to be decided.
"""

from msgspec.structs import replace

from processor.batch.remote import Remote
from processor.batch.remote_values import TERMINAL, RemoteBatch, RemoteError, Trouble
from processor.batch.sight import seen
from processor.batch.watching import OVERDUE_S
from processor.clock import Clock
from processor.errors import UsageError
from processor.jobs.job import Job, jobs_of
from processor.jobs.looking import stopped
from processor.ledger import account, database, shards
from processor.ledger.ledger import Ledger
from processor.ledger.shards import AT_PROVIDER, State

_ADOPTING = frozenset({State.UPLOADED, State.CREATING, State.OPEN})


async def send_again(ledger: Ledger, remote: Remote, clock: Clock, number: int) -> int:
    """Let the rows of a shard be pending again; what its batch may have done is not taken.

    That may be a batch which is at work for longer than the day that it has: servers forget theirs
    when they are restarted, and then it never ends.

    Returns:
        How many rows they are.

    Raises:
        UsageError: There is no such shard, it is done, or the provider has what it needs.
        StoppedError: The provider cannot be asked, or does not answer this key.
    """
    job = _live(ledger, number)
    try:
        await _refuse_needless(job, remote, clock)
    except RemoteError as error:
        raise stopped(error) from error
    shard = replace(
        job.shard,
        state=State.DROPPED,
        problem="its rows are sent again, as somebody decided",
        at=clock.time(),
    )
    with ledger.guard(), database.transaction(ledger.connection):
        rows = len(shards.waiting(ledger.connection, number))
        shards.save(ledger.connection, shard)
        shards.release(ledger.connection, number)
        if job.shard.state in AT_PROVIDER:  # it may be charged
            account.put_aside(ledger.connection, job.shard.reserved_usd)
    return rows


async def adopt(ledger: Ledger, remote: Remote, clock: Clock, batch_id: str) -> int:
    """Take a batch for that of the shard whose requests it holds; returns the shard's number.

    Raises:
        UsageError: The provider has no such batch, or it holds the requests of no shard of the run.
        StoppedError: The provider cannot be asked, or does not answer this key.
    """
    try:
        batch = await remote.retrieve(batch_id)
    except RemoteError as error:
        if error.trouble is Trouble.GONE:
            raise UsageError(
                f"the provider has no batch {batch_id}",
                way_out="Look at its dashboard, or at processor batch list --remote.",
            ) from error
        raise stopped(error) from error
    with ledger.guard():
        jobs = jobs_of(ledger.connection)
    job = _owner(ledger, jobs, batch)
    now_s = clock.time()
    with ledger.guard(), database.transaction(ledger.connection):
        shards.save(ledger.connection, replace(job.shard, state=State.OPEN, at=now_s))
        shards.forget(ledger.connection, job.shard.number)
        shards.see(ledger.connection, [seen(batch, job.shard.number, now_s)])
    return job.shard.number


def _live(ledger: Ledger, number: int) -> Job:
    with ledger.guard():
        found = [job for job in jobs_of(ledger.connection) if job.shard.number == number]
    if not found:
        raise UsageError(
            f"{ledger.folder} has no shard {number}", way_out="processor batch list names its own."
        )
    if not found[0].is_live:
        raise UsageError(
            f"shard {number} is {found[0].shard.state}; nothing of it waits",
            way_out="processor batch submit sends what is pending.",
        )
    return found[0]


async def _refuse_needless(job: Job, remote: Remote, clock: Clock) -> None:
    number = job.shard.number
    if job.shard.state is State.FETCHED:
        raise UsageError(f"the results of shard {number} are here: processor batch download")
    for batch in job.batches:
        try:
            now = await remote.retrieve(batch.id)
        except RemoteError as error:
            if error.trouble is Trouble.GONE:
                continue
            raise
        age_s = clock.time() - (now.created_at or job.shard.at)
        if now.status not in TERMINAL and age_s < OVERDUE_S:
            raise UsageError(
                f"batch {now.id} of shard {number} is {now.status}: its rows would be paid twice",
                way_out=f"Wait for it, or stop it: processor batch cancel --batch {now.id}.",
            )
        if await _has_results(now, remote):
            raise UsageError(
                f"the results of shard {number} are at the provider",
                way_out="processor batch download fetches them, and sends what they lack.",
            )


async def _has_results(batch: RemoteBatch, remote: Remote) -> bool:
    """Whether a file of an ended batch is still there."""
    for file_id in (batch.output_file_id, batch.error_file_id):
        if file_id is None:
            continue
        try:
            await remote.file(file_id)
        except RemoteError as error:
            if error.trouble is not Trouble.GONE:
                raise
        else:
            return True
    return False


def _owner(ledger: Ledger, jobs: list[Job], batch: RemoteBatch) -> Job:
    """The job whose requests a batch holds: by its file, or by what it says of itself."""
    for job in jobs:
        if batch.id in {each.id for each in job.batches}:
            raise UsageError(f"batch {batch.id} is that of shard {job.shard.number} already")
    open_to_it = [job for job in jobs if job.shard.state in _ADOPTING]
    for job in open_to_it:
        same_file = job.shard.file_id is not None and batch.input_file_id == job.shard.file_id
        if same_file or batch.metadata.get("sha256") == job.shard.sha256:
            return job
    raise UsageError(
        f"batch {batch.id} holds the requests of no shard of {ledger.folder} that waits for one",
        way_out="Compare its input file with processor batch list, or send the rows once more "
        "with --again SHARD.",
    )
