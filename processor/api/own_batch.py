"""A batch that a run here made: its ledger knows it, and the engine settles it."""

from collections.abc import Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from processor import recipe
from processor.api.batch_values import BatchResults, BatchStatus
from processor.api.threads import run_anywhere
from processor.api.working import executed
from processor.batch.until import Until
from processor.codes import cause_of
from processor.console.screen import is_watched, watching
from processor.console.words import counted
from processor.errors import LedgerError, NotDoneError, RunLockedError, StoppedError
from processor.exports.output import Output, Terms, deliver_all
from processor.jobs.job import Job, jobs_of
from processor.ledger import database, lock
from processor.ledger.database import LEDGER_NAME
from processor.ledger.ledger import open_ledger
from processor.opened import Opened, opened
from processor.outputs import outputs_of
from processor.report import Report
from processor.sending.terms import BatchTerms
from processor.stop import Stop
from processor.watch import snapshot
from processor.watch.snapshot import Snapshot


def status(folder: Path, batch_id: str, contact: Mapping[str, Any]) -> BatchStatus:
    """How it is; arguments and errors as those of `check_batch_status`.

    A run that works meanwhile looks by itself: then its ledger tells what it has seen.
    """
    lost = [] if lock.is_held(folder) else _look(folder, batch_id, contact)
    cause = cause_of("batch_lost")
    return _status(folder, batch_id, f"{cause.means} {cause.remedy}" if batch_id in lost else None)


def download(
    folder: Path, batch_id: str, path: str, contact: Mapping[str, Any], *, partial: bool
) -> BatchResults:
    """Settle its run, and write that; arguments and errors as those of `download_batch_results`."""
    with closing(_output(folder, path)) as output:
        output.reach()
        with database.reading(folder / LEDGER_NAME) as connection:
            output.check(connection)
        report = None
        if _is_left(folder) and not (partial and lock.is_held(folder)):
            with opened(folder, contact) as it:
                report = _gone_on(it)
        shot, now = snapshot.take(folder), _status(folder, batch_id, None)
        if not partial:
            _refuse_unfinished(shot, now, report)
        delivered = deliver_all(output, folder / LEDGER_NAME)
    notes = [*delivered.notes, *delivered.refused]
    if report is not None and report.stop is not None:
        notes.append(_words_of(report.stop))
    return BatchResults(
        path=output.name,
        rows=delivered.inserted + delivered.updated + delivered.unchanged,
        succeeded=shot.succeeded,
        failed=shot.failed,
        unanswered=shot.pending,
        status=now,
        notes=notes,
    )


def _output(folder: Path, path: str) -> Output:
    settings = recipe.begun(folder).settings
    found = {name: settings[name].value for name in ("excel", "bom") if name in settings}
    (output,) = outputs_of(
        [path],
        Terms(**found),
        task=snapshot.take(folder).task,
        needed=(),
        address=None,
        table=None,
    )
    return output


def _gone_on(it: Opened) -> Report:
    """How the run ended for now, after it has settled what has ended and sent what waits.

    Raises:
        LedgerError: Ledger and files do not agree.
    """
    with watching(it.folder, quiet=not is_watched()) as screens:
        run = it.start(BatchTerms(until=Until.FETCHED, heeds_cancel=True), screens)
        report = run_anywhere(lambda: executed(run))
    if report.differences:
        raise LedgerError("; ".join(report.differences))
    return report


def _refuse_unfinished(shot: Snapshot, now: BatchStatus, report: Report | None) -> None:
    if report is not None and report.stop is not None:
        stop = report.stop
        raise StoppedError(
            stop.message.rstrip("."),
            code=stop.code,
            exit_code=report.exit_code,
            way_out=cause_of(stop.code).remedy,
        )
    if not shot.pending:
        return
    left = f"{shot.finished:,} of {counted(shot.total, 'row')} of {shot.folder} have an outcome"
    if shot.jobs.at_provider:
        left += f", {shot.jobs.at_provider:,} are at the provider"
    way_out = "Call it again when they have ended, or with partial=True for what there is so far."
    if shot.cancelled:
        way_out = (
            f"What was cancelled is not sent again: processor batch submit {shot.folder} does it, "
            "or take what there is with partial=True."
        )
    raise NotDoneError(f"{now.id} is {now.status}: {left}", pending=shot.pending, way_out=way_out)


def _words_of(stop: Stop) -> str:
    """Why a run stopped, and what to do about it."""
    return f"{stop.message} {cause_of(stop.code).remedy}"


def _look(folder: Path, batch_id: str, contact: Mapping[str, Any]) -> list[str]:
    """Ask how the open batches of its run are; ids of those that the provider does not know."""
    if all(each.id != batch_id for each in _job(folder, batch_id).open_batches):
        return []
    with opened(folder, contact) as it, suppress(RunLockedError), open_ledger(folder) as ledger:
        return run_anywhere(lambda: it.look(ledger))
    return []  # another has begun to work on it since


def _is_left(folder: Path) -> bool:
    """Whether anything of a run is still to be done."""
    with database.reading(folder / LEDGER_NAME) as connection:
        is_live = any(job.is_live for job in jobs_of(connection))
    return is_live or bool(snapshot.take(folder).pending)


def _status(folder: Path, batch_id: str, problem: str | None) -> BatchStatus:
    (batch,) = (each for each in _job(folder, batch_id).batches if each.id == batch_id)
    return BatchStatus.of(batch, problem or batch.problem, snapshot.take(folder))


def _job(folder: Path, batch_id: str) -> Job:
    with database.reading(folder / LEDGER_NAME) as connection:
        jobs = jobs_of(connection)
    return next(job for job in jobs if batch_id in {batch.id for batch in job.batches})
