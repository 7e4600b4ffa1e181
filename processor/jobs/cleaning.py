"""Deleting files at the provider that nobody needs any more."""

from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass

from msgspec.structs import replace

from processor.batch.remote import Remote
from processor.batch.remote_values import RemoteError, Trouble
from processor.jobs.job import Job, jobs_of
from processor.jobs.looking import stopped
from processor.ledger import database, shards
from processor.ledger.ledger import Ledger


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteFileOf:
    """A file at the provider.

    Attributes:
        what: `input`, `output` or `errors`.
    """

    id: str
    shard: int
    what: str


def leftovers(jobs: Iterable[Job]) -> list[RemoteFileOf]:
    """Files of shards that are settled or given up."""
    return [file for job in jobs if not job.is_live for file in _files(job)]


async def clean(ledger: Ledger, remote: Remote) -> AsyncIterator[tuple[RemoteFileOf, bool]]:
    """Delete them; yields each with whether it was still there.

    Raises:
        StoppedError: The provider cannot be asked, or does not answer this key.
    """
    with ledger.guard():
        files = leftovers(jobs_of(ledger.connection))
    for file in files:
        yield file, await _delete(ledger, remote, file)


async def _delete(ledger: Ledger, remote: Remote, file: RemoteFileOf) -> bool:
    try:
        await remote.delete_file(file.id)
    except RemoteError as error:
        if error.trouble is not Trouble.GONE:
            raise stopped(error) from error
        there = False
    else:
        there = True
    _forget(ledger, file)
    return there


def _files(job: Job) -> Iterator[RemoteFileOf]:
    number = job.shard.number
    named = [(job.shard.file_id, "input")]
    for batch in job.batches:
        named += [(batch.output_file_id, "output"), (batch.error_file_id, "errors")]
    for file_id, what in named:
        if file_id:
            yield RemoteFileOf(id=file_id, shard=number, what=what)


def _forget(ledger: Ledger, file: RemoteFileOf) -> None:
    """The next cleaning does not ask for it."""
    with ledger.guard(), database.transaction(ledger.connection):
        (job,) = [each for each in jobs_of(ledger.connection) if each.shard.number == file.shard]
        if job.shard.file_id == file.id:
            shards.save(ledger.connection, replace(job.shard, file_id=None))
        shards.see(
            ledger.connection,
            [
                replace(
                    batch,
                    output_file_id=_unless(batch.output_file_id, file.id),
                    error_file_id=_unless(batch.error_file_id, file.id),
                )
                for batch in job.batches
            ],
        )


def _unless(file_id: str | None, gone: str) -> str | None:
    return None if file_id == gone else file_id
