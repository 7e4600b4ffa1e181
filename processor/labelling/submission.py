"""A submission: batches are made of what a run has to ask, told, and noted."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean

import orjson

from processor.batch.until import Until
from processor.console.streams import say, tell
from processor.data.source import Source
from processor.errors import RunLockedError, UsageError
from processor.items import Item
from processor.labelling import cost, engine, info, ledgers, messages, outcomes
from processor.labelling.articles import Articles, problem_of
from processor.labelling.info import Info
from processor.labelling.ledgers import KEY, Origin
from processor.labelling.progress import Progress
from processor.labelling.standing import Standing
from processor.ledger.ledger import open_ledger
from processor.plan.prices import OPENAI
from processor.recipe import Recipe
from processor.report import EXIT_AT_PROVIDER, EXIT_INTERRUPTED, EXIT_OK, Report
from processor.run import Run
from processor.sending.terms import BatchTerms
from processor.settings import Settings
from processor.spending import prices_of
from processor.tasks.prompt import PromptTask

_BYTES_PER_TOKEN = 4  # a guess; Korean takes 3 bytes a character


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A submission that is about to be made.

    Attributes:
        folder: Of its run.
        table: Its rows.
        encoding: Of the table, as it was named.
        source: The same as the run reads them.
        task: What is asked.
        settings: What is in force.
        recipe: What it takes to go on.
        adopts: Whether batches of the very same requests are taken over.
        new_account: Batches of another key are believed to be this one's, too.
        seqs: Rows that failed and are asked again.
    """

    folder: Path
    table: Articles
    encoding: str | None
    source: Source
    task: PromptTask
    settings: Settings
    recipe: Recipe | None
    adopts: bool = True
    new_account: bool = False
    seqs: tuple[int, ...] = ()


def make(errand: Submission) -> int:
    """Start the run, tell it, and note what it made; returns the exit code.

    Raises:
        ProcessorError: As the run; or there is nothing to be sent.
    """
    folder = errand.folder
    progress = Progress(folder, _foretell(errand))
    earlier = _reopen(errand, progress) if ledgers.holds(folder) else frozenset[str]()
    report = engine.execute(
        lambda observers: Run(
            folder=folder,
            task=errand.task,
            source=errand.source,
            settings=errand.settings,
            observers=[*observers, progress],
            batch=BatchTerms(
                until=Until.SUBMITTED, adopts=errand.adopts, new_account=errand.new_account
            ),
            recipe=errand.recipe,
        ),
        errand.settings,
    )
    made = [each for each in ledgers.batch_ids(folder) if each not in earlier]
    standing = ledgers.standing(folder)
    waiting = standing.waiting
    if made:
        progress.finish()
        _write_info(errand, made)
        for line in _outline(made, waiting, errand):
            say(line)
    if report.exit_code != EXIT_INTERRUPTED and (made or not waiting):
        _close(errand)
    return _conclude(report, made, standing, errand.table.path)


def _reopen(errand: Submission, progress: Progress) -> frozenset[str]:
    """Begin a submission in a run that is there; returns ids of batches that are none of it.

    Until it is closed, a kill leaves a submission that the next one finishes.
    """
    folder = errand.folder
    origin = ledgers.origin_of(folder)
    with open_ledger(folder) as ledger:
        if errand.seqs:
            outcomes.ask_again(ledger, errand.seqs)
        if origin is not None:
            ledger.set_meta(**{KEY: replace(origin, is_told=False).as_text()})
    jobs = ledgers.jobs_in(folder)
    if origin is None or not origin.is_told:  # what a killed one had made is told as this one's
        jobs = [job for job in jobs if not job.is_live]
    held = sum(job.shard.items for job in jobs if job.is_live)
    progress.begin(jobs, held)
    return frozenset(batch.id for job in jobs for batch in job.batches)


def _conclude(report: Report, made: list[str], standing: Standing, path: str) -> int:
    """The exit code, and why it is not 0."""
    if report.stop is not None:
        tell(f"❌ {report.stop.code}: {report.stop.message}")
        return report.exit_code
    if report.exit_code == EXIT_INTERRUPTED:
        return EXIT_INTERRUPTED
    if made:
        return EXIT_OK
    if standing.waiting:
        tell(
            "⚠️ 지금은 제공자의 대기열에 자리가 없어 배치를 만들지 못했습니다. 나중에 같은 "
            "명령을 다시 실행하세요."
        )
        return EXIT_AT_PROVIDER
    if not standing.total:
        raise UsageError(
            f"{path}: 보낼 수 있는 기사가 없습니다", way_out="text 열에 본문이 있는지 확인하세요."
        )
    if report.exit_code in {EXIT_OK, EXIT_AT_PROVIDER}:
        raise UsageError(
            f"{path}: 새로 보낼 기사가 없습니다. 모두 이미 제출되었습니다",
            way_out="다시 제출하려면 --force 를 붙이세요(비용이 다시 듭니다).",
        )
    return report.exit_code


def _outline(made: list[str], waiting: int, errand: Submission) -> Iterator[str]:
    by_id = {
        batch.id: (batch.status, job.shard.items)
        for job in ledgers.jobs_in(errand.folder)
        for batch in job.batches
    }
    yield from messages.created(made[0], by_id[made[0]][0])
    yield from messages.several(len(made), sum(by_id[each][1] for each in made), waiting)
    yield messages.saved_info()
    if errand.settings.provider == OPENAI:
        yield from messages.links()


def _write_info(errand: Submission, made: list[str]) -> None:
    table = errand.table
    info.write(
        Info(
            batch_id=made[0],
            submitted_at=info.now(),
            input_file=table.path,
            num_articles=table.rows,
            batch_ids=made,
            run=str(errand.folder),
            input_sha256=table.sha256,
            model=errand.task.model,
        )
    )


def _close(errand: Submission) -> None:
    """Put down in the ledger that the submission was told to its end."""
    table = errand.table
    origin = ledgers.origin_of(errand.folder)
    if origin is None or table.run is None:
        origin = Origin(
            input=str(Path(table.path).absolute()),
            encoding=errand.encoding,
            sha256=table.sha256,
            is_told=True,
        )
    closed = replace(origin, is_told=True)
    with suppress(RunLockedError), open_ledger(errand.folder) as ledger:  # somebody checks already
        ledger.set_meta(**{KEY: closed.as_text()})


def _foretell(errand: Submission) -> Callable[[int], Iterator[str]]:
    """What is said of cost and time before anything is sent."""
    task = errand.task
    bodies = (
        task.render(Item(seq=0, chunk=0, id=0, fields=row.fields)).body
        for row in errand.table.sample
        if problem_of(task, row.fields) is None
    )
    sizes = [len(orjson.dumps(body)) / _BYTES_PER_TOKEN for body in bodies]
    mean = fmean(sizes) if sizes else 0.0

    def lines(rows: int) -> Iterator[str]:
        prices = prices_of(errand.settings)
        expected = cost.expected(rows, mean, task.model, prices)
        return messages.estimate(expected, cost.hours(rows))

    return lines
