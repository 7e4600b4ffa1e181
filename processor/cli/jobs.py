"""What `processor batch` does at the provider by hand, and says of it.

Loads the engine: commands import it when they are used.
"""

import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from processor import folders
from processor.batch.remote_values import RemoteBatch, RemoteError
from processor.cli.job_lines import job_lines, jobs_as_json, remote_as_json, remote_line, standing
from processor.clock import SystemClock
from processor.codes import cause_of
from processor.console.streams import say, say_json, tell
from processor.console.words import counted
from processor.errors import UsageError
from processor.jobs import cancelling, cleaning, looking
from processor.jobs.cancelling import Cancelled
from processor.jobs.job import Job, jobs_of
from processor.ledger import database, lock, shards
from processor.ledger.database import LEDGER_NAME
from processor.ledger.ledger import open_ledger
from processor.loop import run_in_loop
from processor.opened import opened
from processor.report import EXIT_AT_PROVIDER, EXIT_OK, EXIT_STOPPED
from processor.sending.provider import remote_of

_REMOTE_S = 30 * 86_400.0  # batches are listed back that far; their results are gone then
_NO_BATCH = "–"


def chosen(run: Path | None) -> Path:
    """The folder of a run that has batches; the newest run when none is named.

    Raises:
        UsageError: It has none.
    """
    folder = folders.chosen(run)
    if not _jobs(folder):
        raise UsageError(
            f"{folder} has no batches", way_out="processor batch submit makes them of its rows."
        )
    return folder


def check(run: Path | None, options: Mapping[str, Any], *, as_json: bool) -> int:
    """Look at the open batches, and say how each is; returns the exit code.

    A run that works meanwhile looks by itself: then its ledger tells what it has seen.
    """
    folder = chosen(run)
    lost = [] if lock.is_held(folder) else _look(folder, options)
    jobs = _jobs(folder)
    unsent = _unsent(folder)
    failures = {
        job.shard.number: job.failure
        for job in jobs
        if job.failure is not None and (job.is_live or unsent)
    }
    code = _exit_code(jobs, failed=bool(failures or lost))
    if as_json:
        say_json({"exit_code": code, "lost": lost, "unsent": unsent, **jobs_as_json(jobs)})
        return code
    now_s = time.time()
    for job in jobs:
        if job.is_live or job.shard.number in failures:
            for line in job_lines(job, now_s):
                say(line)
    say(standing(jobs, unsent, folder))
    for number, problem in failures.items():
        tell(f"Shard {number} failed: {problem} {cause_of('batch_failed').remedy}")
    for batch_id in lost:
        _tell_lost(batch_id)
    return code


def cancel(run: Path | None, options: Mapping[str, Any], *, batch_id: str | None, yes: bool) -> int:
    """Stop batches; returns the exit code."""

    async def act(jobs: Sequence[Job]) -> Cancelled:
        async with remote_of(it.settings) as remote:
            return await cancelling.cancel(ledger, remote, SystemClock(), jobs, batch_id)

    with opened(chosen(run), options) as it, open_ledger(it.folder) as ledger:
        jobs = cancelling.cancellable(ledger, batch_id)
        if not jobs:
            say(f"{it.folder}: nothing is at the provider")
            return EXIT_OK
        if not (yes or _agreed(jobs)):
            return EXIT_OK
        done = run_in_loop(act(jobs))
    return _sum_up(done, it.folder)


def listed(run: Path | None, options: Mapping[str, Any], *, remote: bool, as_json: bool) -> int:
    """Name shards and batches of a run, or all batches of its account; returns the exit code."""
    if remote:
        return _list_remote(run, options, as_json=as_json)
    folder = chosen(run)
    jobs = _jobs(folder)
    if as_json:
        say_json(jobs_as_json(jobs))
        return EXIT_OK
    now_s = time.time()
    for job in jobs:
        for line in job_lines(job, now_s):
            say(line)
    say(standing(jobs, _unsent(folder), folder))
    return EXIT_OK


def clean(run: Path | None, options: Mapping[str, Any], *, dry_run: bool) -> int:
    """Delete files that nobody needs any more; returns the exit code."""

    async def act() -> int:
        deleted = 0
        async with remote_of(it.settings) as remote:
            async for file, was_there in cleaning.clean(ledger, remote):
                done = "deleted" if was_there else "was gone already"
                say(f"{file.id}  {file.what:<6}  shard {file.shard}  {done}")
                deleted += was_there
        return deleted

    if dry_run:
        files = cleaning.leftovers(_jobs(chosen(run)))
        for file in files:
            say(f"{file.id}  {file.what:<6}  shard {file.shard}")
        say(f"{counted(len(files), 'file')} would be deleted")
        return EXIT_OK
    with opened(chosen(run), options) as it, open_ledger(it.folder) as ledger:
        say(f"{counted(run_in_loop(act()), 'file')} deleted")
    return EXIT_OK


def _sum_up(done: Cancelled, folder: Path) -> int:
    """Say what a cancellation did; returns the exit code."""
    for batch in done.batches:
        ended = " before it could be stopped" if batch.id in done.ended else ""
        say(f"{batch.id}  {batch.status}{ended}  shard {batch.shard}")
    if not (done.batches or done.unsent_items or done.doubtful):
        say(f"{folder}: every batch has ended; processor batch download fetches the results")
        return EXIT_OK
    if done.unsent_items:
        say(f"{counted(done.unsent_items, 'item')} had not been sent yet: pending again")
    for batch_id in done.lost:
        _tell_lost(batch_id)
    for number in done.doubtful:
        tell(
            f"Shard {number} may have become a batch that the provider does not show yet: give "
            "this command again in some minutes."
        )
    say("What they answered is charged: processor batch download fetches it.")
    return EXIT_AT_PROVIDER if done.batches or done.doubtful else EXIT_OK


def _look(folder: Path, options: Mapping[str, Any]) -> list[str]:
    """Ids of batches that the provider does not know any more."""
    if not any(job.open_batches for job in _jobs(folder)):
        return []
    with opened(folder, options) as it, open_ledger(folder) as ledger:
        return run_in_loop(it.look(ledger))


def _list_remote(run: Path | None, options: Mapping[str, Any], *, as_json: bool) -> int:
    async def act() -> list[RemoteBatch]:
        async with remote_of(it.settings) as remote:
            try:
                return await remote.batches(time.time() - _REMOTE_S, None)
            except RemoteError as error:
                raise looking.stopped(error) from error

    with opened(run, options) as it:
        found = run_in_loop(act())
        own = {batch.id: job.shard.number for job in _jobs(it.folder) for batch in job.batches}
    if as_json:
        say_json([remote_as_json(batch, own.get(batch.id)) for batch in found])
        return EXIT_OK
    now_s = time.time()
    for batch in found:
        say(remote_line(batch, own.get(batch.id), now_s))
    say(counted(len(found), "batch", "batches") + " of the last 30 days")
    return EXIT_OK


def _jobs(folder: Path) -> list[Job]:
    with database.reading(folder / LEDGER_NAME) as connection:
        return jobs_of(connection)


def _unsent(folder: Path) -> int:
    """Items that are pending and in no shard."""
    items, held = shards.pending(folder / LEDGER_NAME)
    return items - held


def _exit_code(jobs: Sequence[Job], *, failed: bool) -> int:
    if failed:
        return EXIT_STOPPED
    return EXIT_AT_PROVIDER if any(job.open_batches for job in jobs) else EXIT_OK


def _agreed(jobs: Sequence[Job]) -> bool:
    """Whether somebody at a terminal says yes; a script has said so by asking for it."""
    if sys.stdin is None or not sys.stdin.isatty():
        return True
    items = counted(sum(job.shard.items for job in jobs), "item")
    batches = counted(sum(len(job.open_batches) for job in jobs), "batch", "batches")
    return click.confirm(f"Stop {batches} with {items}? What is answered is charged", err=True)


def _tell_lost(batch_id: str) -> None:
    cause = cause_of("batch_lost")
    tell(f"{batch_id}: {cause.means} {cause.remedy}")
