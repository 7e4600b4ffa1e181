"""The steps of a check of a set-up: what `processor doctor` looks at, then a batch from end to end.

Every step is a finding of the doctor's with the seconds that it took.
"""

import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from processor import (
    BatchStatus,
    Task,
    check_batch_status,
    download_batch_results,
    recipe,
)
from processor.api.knobs import served
from processor.batch.remote_values import COMPLETED
from processor.batch.steps import Step
from processor.batch.until import Until
from processor.clock import SystemClock
from processor.codes import cause_of
from processor.configuration import decided, in_force, needs_key, unasked, validated
from processor.console.words import counted, duration, money, share
from processor.data.memory import Items
from processor.doctor import checks, network
from processor.doctor.finding import Finding, note, ok, wrong
from processor.errors import (
    LedgerError,
    NotDoneError,
    ProcessorError,
    StoppedError,
    UsageError,
)
from processor.folders import RUNS
from processor.items import Usage
from processor.jobs.job import Job, jobs_of
from processor.layers import ADDRESS, Layer
from processor.ledger import database
from processor.ledger.database import LEDGER_NAME
from processor.loop import run_in_loop
from processor.recipe import Recipe
from processor.run import Run
from processor.sandbox_process import sandbox
from processor.sending.terms import BatchTerms
from processor.settings import Settings
from processor.spending import prices_of
from processor.tasks.toml import load_task
from processor.watch import snapshot

PLACE = RUNS / "setup-check"  # a level deeper than runs are: none of these is ever the newest
WAITS = "poll"
LINES = "lines"
_ROWS = ("사과", "배", "감")
_PROMPT_TOKENS, _OUTPUT_TOKENS, _CALL_TOKENS = 60, 500, 16
_LEFT_OUT = frozenset({"database", "ledger"})  # neither is needed here
_LOOK_EVERY_S, _LOOK_SANDBOX_EVERY_S = 3.0, 0.3
_REMOTE_EXIT = 3
_GOES_ON = "It goes on at the provider; the same command goes on with it."
_SENT_AGAIN = "What it did not answer goes into another batch; the same command goes on with that."


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What is checked.

    Attributes:
        found: The settings as they were found.
        contact: Of these, the keywords for the functions that ask for a batch.
        by_sandbox: Whether a local server of its own is asked.
        most_s: How long a batch is waited for.
    """

    found: Layer
    contact: Mapping[str, Any]
    by_sandbox: bool
    most_s: float

    @property
    def model(self) -> str:
        """The model that is asked."""
        return validated(self.found).model or load_task("persona").model


Timed = tuple[Finding, float]


async def around(setup: Setup) -> AsyncIterator[Timed]:
    """Environment, key, address, model and a direct call, as the doctor finds them."""
    with sandbox() if setup.by_sandbox else nullcontext(None) as url:
        located = decided(setup.found, sandbox_url=url, demands_key=False)
        settings = validated(located)
        plan = network.Plan(
            access=settings.access,
            trust_env=not settings.local,
            model=setup.model,
            call=True,
            timeout_s=settings.timeout_s,
        )
        begun_s = time.monotonic()
        async for finding in checks.examine(
            settings,
            located,
            plan,
            folder=None,
            place=RUNS,
            key_needed=needs_key(settings, located),
            database_uri=None,
            clock=SystemClock(),
        ):
            if finding.name not in _LEFT_OUT:
                yield finding, time.monotonic() - begun_s
            begun_s = time.monotonic()


def batch(setup: Setup, folder: Path) -> Iterator[Timed]:
    """File, batch, poll, fetch, lines and costs; ends behind the first step that fails."""
    clock = _Stopwatch()
    try:
        if not (folder / LEDGER_NAME).exists():
            yield from _submitted(setup, folder)
        clock.lap()
        status = _waited(setup, folder)
        if not status.ended:
            yield note(WAITS, f"{_told(status)} after {setup.most_s:g} s", _GOES_ON), clock.lap()
            return
        is_whole = status.status == COMPLETED
        yield (ok if is_whole else note)(WAITS, _told(status)), clock.lap()
        path = folder / "answers.csv"
        results = download_batch_results(status.id, path, run=folder, **setup.contact)
        yield ok("fetch", f"{counted(results.rows, 'row')} in {path}"), clock.lap()
    except NotDoneError as error:  # what a batch did not answer was sent again
        yield note(WAITS, error.message, _SENT_AGAIN), clock.lap()
        return
    except ProcessorError as error:
        remote = error.exit_code == _REMOTE_EXIT
        yield wrong("batch", error.message, _way_out(error), remote=remote), clock.lap()
        return
    yield _accounted(folder), clock.lap()
    yield ok("spent", _spent(setup, folder)), clock.lap()


def open_check(setup: Setup) -> Path | None:
    """The folder of an earlier check of this provider whose batch was left there; the newest."""
    address = validated(setup.found).base_url
    for path in sorted(PLACE.glob(f"*/{LEDGER_NAME}"), reverse=True):
        with suppress(LedgerError):  # of a check that broke off, or of an older program
            is_left = any(job.is_live and job.batches for job in _jobs(path.parent))
            if is_left and _provider_of(path.parent) == (setup.by_sandbox or address):
                return path.parent
    return None


def _jobs(folder: Path) -> list[Job]:
    with database.reading(folder / LEDGER_NAME) as connection:
        return jobs_of(connection)


def _provider_of(folder: Path) -> object:
    """Whom an earlier check asked: its address; True for a sandbox of its own."""
    begun = recipe.begun(folder)
    return begun.by_sandbox or begun.settings[ADDRESS].value


def new_folder() -> Path:
    """Where a check puts its ledger."""
    return PLACE / f"{datetime.now().astimezone():%Y%m%d-%H%M%S}"


class _Stopwatch:
    def __init__(self) -> None:
        self._begun_s = time.monotonic()

    def lap(self) -> float:
        """Seconds since the last one."""
        begun_s, self._begun_s = self._begun_s, time.monotonic()
        return self._begun_s - begun_s


def _task(setup: Setup) -> Task:
    return Task(
        name="setup_check",
        model=setup.model,
        prompt="Answer with one word, which is this: {{ word }}",
        max_output_tokens=_OUTPUT_TOKENS,
    )


def _submitted(setup: Setup, folder: Path) -> Iterator[Timed]:
    """A file at the provider, and a batch of it."""
    task, at_s = _task(setup), {}

    def note_step(step: Step) -> None:
        at_s[step] = time.monotonic()

    with served(setup.found, folder) if setup.by_sandbox else _in_force(setup) as settings:
        run = Run(
            folder=folder,
            task=task,
            source=Items.of([{"id": n, "word": word} for n, word in enumerate(_ROWS, 1)]),
            settings=settings,
            batch=BatchTerms(until=Until.SUBMITTED, adopts=False, at=note_step),
            recipe=Recipe.made(task.keys),
        )
        report = run_in_loop(run.execute())
    if report.stop is not None:
        stop = report.stop
        raise StoppedError(stop.message, code=stop.code, exit_code=report.exit_code)
    (job,) = _jobs(folder)
    if not job.batches:
        raise UsageError(
            "no batch could be made yet: the provider's queue is full",
            way_out="Wait until other batches of this account have ended.",
        )
    sent = f"{job.shard.file_id}, {counted(job.shard.items, 'request')}, {job.shard.bytes:,} bytes"
    yield ok("file", sent), at_s[Step.FILE_KEPT] - at_s[Step.UPLOAD_INTENDED]
    made_s = at_s[Step.BATCH_KEPT] - at_s[Step.FILE_KEPT]
    yield ok("batch", f"{job.batches[-1].id}, {job.batches[-1].status}"), made_s


def _in_force(setup: Setup) -> "nullcontext[Settings]":
    return nullcontext(in_force(setup.found, sandbox_url=None))


def _waited(setup: Setup, folder: Path) -> BatchStatus:
    """How the batch is when it has ended, or when nobody waits for it any longer."""
    batch_id = [batch.id for job in _jobs(folder) for batch in job.batches][-1]
    until_s = time.monotonic() + setup.most_s
    every_s = _LOOK_SANDBOX_EVERY_S if setup.by_sandbox else _LOOK_EVERY_S
    while True:
        status = check_batch_status(batch_id, run=folder, **setup.contact)
        left_s = until_s - time.monotonic()
        if status.ended or left_s <= 0:
            return status
        time.sleep(min(every_s, left_s))


def _way_out(error: ProcessorError) -> str:
    if isinstance(error, StoppedError) and not error.way_out:
        return cause_of(error.code).remedy
    return error.way_out


def _told(status: BatchStatus) -> str:
    done = "" if status.share is None else f", {share(status.share)} of its requests"
    why = "" if status.problem is None else f": {status.problem.rstrip('.')}"
    return f"{status.id} is {status.status}{done}{why}"


def _accounted(folder: Path) -> Finding:
    shot = snapshot.take(folder)
    said = (
        f"{shot.finished} of {shot.total} accounted for: {shot.succeeded} succeeded, "
        f"{shot.failed} failed"
    )
    if shot.total == shot.succeeded:
        return ok(LINES, said)
    codes = ", ".join(shot.errors)
    remedy = cause_of(next(iter(shot.errors), "unknown")).remedy
    return wrong(LINES, f"{said} ({codes})", remedy, remote=True)


def expected(setup: Setup) -> str:
    """What a check may cost at most, by the list of prices."""
    if setup.by_sandbox:
        return "nothing: the sandbox charges nothing"
    settings = unasked(setup.found, sandbox=False)
    prices, count = prices_of(settings), len(_ROWS)
    by_batch = Usage(prompt_tokens=count * _PROMPT_TOKENS, completion_tokens=count * _OUTPUT_TOKENS)
    call = Usage(prompt_tokens=_CALL_TOKENS, completion_tokens=_CALL_TOKENS)
    usd = [
        prices.cost_usd(setup.model, None, lane, usage)
        for lane, usage in (("batch", by_batch), ("direct", call))
    ]
    if None in usd:
        return f"unknown: nobody lists a price of {setup.model} at {settings.host}"
    most = money(sum(filter(None, usd)))
    return f"at most {most}: a call, and {counted(count, 'request')} by batch"


def _spent(setup: Setup, folder: Path) -> str:
    shot = snapshot.take(folder)
    tokens = f"{shot.overall.prompt_tokens} + {shot.overall.completion_tokens} tokens"
    told = f"{tokens}, {money(shot.overall.cost_usd)} in {duration(shot.elapsed_s)} of work"
    return f"{told}; the sandbox charges nothing" if setup.by_sandbox else told
