"""`--mode submit`: requests are made of the rows, and batches of the requests."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean

import click
import orjson

from processor import jsontext
from processor.batch.remote_values import FAILED
from processor.batch.until import Until
from processor.configuration import gathered, in_force
from processor.console.streams import say, tell
from processor.data.source import Source
from processor.errors import RunLockedError, UsageError
from processor.folders import default_folder, set_aside
from processor.items import Item
from processor.jobs.job import Job
from processor.labelling import again, cost, engine, info, ledgers, messages, outcomes
from processor.labelling.answers import content_id
from processor.labelling.articles import Articles, articles, good_rows
from processor.labelling.deciding import Start, decide
from processor.labelling.info import Info
from processor.labelling.ledgers import KEY, Origin
from processor.labelling.matching import Without, by_question
from processor.labelling.progress import Progress
from processor.labelling.task import FILE_NAME, SHIPPED, label_task
from processor.labelling.typed import Typed
from processor.ledger import database, lock, shards
from processor.ledger.database import LEDGER_NAME
from processor.ledger.ledger import open_ledger
from processor.opened import opened
from processor.plan.prices import OPENAI
from processor.recipe import Recipe
from processor.report import EXIT_AT_PROVIDER, EXIT_OK, Report
from processor.run import Run
from processor.sandbox_process import sandbox_of
from processor.sending.terms import BatchTerms
from processor.settings import Settings
from processor.spending import prices_of
from processor.tasks.prompt import PromptTask

_SPLIT_FROM_ROWS = 10_000
_SPLIT_ROWS = 1_000
_SAMPLE_ROWS = 200
_BYTES_PER_TOKEN = 4  # a guess; Korean takes 3 bytes a character
_SANDBOX = f"{SHIPPED}-sandbox"  # a rehearsal is no submission


@dataclass(frozen=True, slots=True, kw_only=True)
class _Errand:
    """A submission that is about to be made.

    Attributes:
        folder: Of its run.
        table: Its rows.
        source: The same as the run reads them.
        task: What is asked.
        settings: What is in force.
        recipe: What it takes to go on.
        adopts: Whether batches of the very same requests are taken over.
        seqs: Rows that failed and are asked again.
    """

    folder: Path
    table: Articles
    source: Source
    task: PromptTask
    settings: Settings
    recipe: Recipe | None
    adopts: bool = True
    seqs: tuple[int, ...] = ()


def submit(typed: Typed) -> int:
    """Make batches of a table's rows; returns the exit code.

    Raises:
        ProcessorError: The table, a file or an option is wrong, or the table was submitted before.
    """
    if typed.input is None:
        raise UsageError(
            "--input 이 없습니다", way_out="라벨링할 CSV 파일을 지정하세요: --input data/news.csv."
        )
    table = articles(typed.input, encoding=typed.encoding, sample=_SAMPLE_ROWS)
    parent = again.run_of(table)
    if parent is not None and _asks_the_same(typed, table, parent):
        return _submit_again(typed, table, parent)
    return _submit(typed, table)


def _submit(typed: Typed, table: Articles) -> int:
    made = label_task(typed.wishes, table.columns)
    source = table.source if table.run is None else again.restored(table)
    found = gathered(_known(typed, table), sandbox=typed.sandbox)
    asked = None if typed.sandbox else in_force(found, sandbox_url=None)
    folder = default_folder(_SANDBOX if typed.sandbox else SHIPPED, table.source)
    start = _start(folder, made.task, table)
    if start is Start.ASK or (typed.force and start is Start.GO_ON):
        _agree(typed, folder)
    afresh = start in {Start.AFRESH, Start.ASK} or (typed.force and start is Start.GO_ON)
    if afresh:
        set_aside(folder)
    elif start is Start.GO_ON:
        source = _unpaid(folder, made.task, source)
    with ExitStack() as stack:
        if asked is None:
            own = sandbox_of(folder, typed.sandbox_words(), keeps=True)
            asked = in_force(found, sandbox_url=stack.enter_context(own))
        stack.callback(_discard_unless_begun, folder)
        name = made.place(folder)
        return _send(
            _Errand(
                folder=folder,
                table=table,
                source=source,
                task=made.task,
                settings=asked,
                recipe=Recipe.of(name, typed.sandbox_words()),
                adopts=not afresh,
            ),
            typed,
        )


def _submit_again(typed: Typed, table: Articles, folder: Path) -> int:
    """Send rows that failed once more, in the run that they belong to."""
    _refuse_if_held(folder)
    with opened(folder, typed.settings) as it:
        task = it.task()
        meant = again.rows_of(table, folder, task)
        origin = ledgers.origin_of(folder)
        is_left = ledgers.standing(folder).waiting or not (origin is not None and origin.is_told)
        if not (meant.failed or meant.new or is_left):
            raise UsageError(
                f"{table.path}: 다시 보낼 행이 없습니다 (진행 중 {meant.waiting}개, 라벨 있음 "
                f"{meant.labelled}개)",
                way_out="--mode check 로 상태를 확인하세요.",
            )
        return _send(
            _Errand(
                folder=folder,
                table=table,
                source=Without(again.restored(table), meant.known_otherwise),
                task=task,
                settings=it.settings.model_copy(update={"route": "batch"}),
                recipe=it.begun.recipe,
                seqs=tuple(meant.failed),
            ),
            typed,
        )


def _unpaid(folder: Path, task: PromptTask, source: Source) -> Source:
    """A table without rows whose question the run has asked already, of another row."""
    known = outcomes.known(folder)
    lost = [
        place for place, row in enumerate(good_rows(source)) if not known.of(content_id(row.fields))
    ]
    if not lost:
        return source
    find = by_question(folder, task, known, lambda: good_rows(source))
    return Without(source, find(lost))


def _send(errand: _Errand, typed: Typed) -> int:
    """Start the run, tell it, and note what it made."""
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
            batch=BatchTerms(until=Until.SUBMITTED, adopts=errand.adopts),
            recipe=errand.recipe,
        ),
        errand.settings,
    )
    made = [each for each in ledgers.batch_ids(folder) if each not in earlier]
    waiting = ledgers.standing(folder).waiting
    if made:
        progress.finish()
        _write_info(errand, made)
        for line in _outline(made, waiting, errand):
            say(line)
    if made or not waiting:
        _close(errand, typed)
    return _conclude(report, made, waiting, errand.table.path)


def _reopen(errand: _Errand, progress: Progress) -> frozenset[str]:
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


def _conclude(report: Report, made: list[str], waiting: int, path: str) -> int:
    """The exit code, and why it is not 0."""
    if report.stop is not None:
        tell(f"❌ {report.stop.code}: {report.stop.message}")
        return report.exit_code
    if made:
        return EXIT_OK
    if waiting:
        tell(
            "⚠️ 지금은 제공자의 대기열에 자리가 없어 배치를 만들지 못했습니다. 나중에 같은 "
            "명령을 다시 실행하세요."
        )
        return EXIT_AT_PROVIDER
    if report.exit_code in {EXIT_OK, EXIT_AT_PROVIDER}:
        raise UsageError(
            f"{path}: 새로 보낼 기사가 없습니다. 모두 이미 제출되었습니다",
            way_out="다시 제출하려면 --force 를 붙이세요(비용이 다시 듭니다).",
        )
    return report.exit_code


def _outline(made: list[str], waiting: int, errand: _Errand) -> Iterator[str]:
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


def _write_info(errand: _Errand, made: list[str]) -> None:
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


def _close(errand: _Errand, typed: Typed) -> None:
    """Put down in the ledger that the submission was told to its end."""
    table = errand.table
    origin = ledgers.origin_of(errand.folder)
    if origin is None or table.run is None:
        origin = Origin(
            input=str(Path(table.path).absolute()),
            encoding=typed.encoding,
            sha256=table.sha256,
            is_told=True,
        )
    closed = replace(origin, is_told=True)
    with suppress(RunLockedError), open_ledger(errand.folder) as ledger:  # somebody checks already
        ledger.set_meta(**{KEY: closed.as_text()})


def _start(folder: Path, task: PromptTask, table: Articles) -> Start:
    """How the submission begins."""
    if not ledgers.holds(folder):
        return Start.BEGIN
    _refuse_if_held(folder)
    with database.reading(folder / LEDGER_NAME) as connection:
        row = connection.execute("SELECT value FROM meta WHERE key = 'identity'").fetchone()
        (answered,) = connection.execute("SELECT EXISTS (SELECT 1 FROM outcomes)").fetchone()
    jobs = ledgers.jobs_in(folder)
    origin = ledgers.origin_of(folder)
    return decide(
        exists=True,
        same_task=row is None or jsontext.loads(row[0]) == dict(task.identity),
        changed=origin is not None and origin.sha256 != table.sha256,
        unsent=bool(ledgers.standing(folder).waiting),
        told=origin is not None and origin.is_told,
        sent=bool(answered) or any(map(_may_cost, jobs)),
    )


def _may_cost(job: Job) -> bool:
    """Whether a shard was, or may have been, taken by the provider; a failed batch is free."""
    paid = any(batch.status != FAILED for batch in job.batches)
    return paid or (job.shard.state in shards.AT_PROVIDER and job.failure is None)


def _agree(typed: Typed, folder: Path) -> None:
    """See that somebody wants to pay again.

    Raises:
        UsageError: Nobody says so.
    """
    if typed.force:
        return
    ids = ledgers.batch_ids(folder)
    standing = ledgers.standing(folder)
    told = (
        f"{typed.input}: 이미 제출된 파일입니다 (배치 ID {ids[0] if ids else '-'}, "
        f"{standing.done}/{standing.total}개 완료). 다시 제출하면 비용이 다시 듭니다"
    )
    if sys.stdin is not None and sys.stdin.isatty():
        if click.confirm(f"⚠️ {told}. 계속할까요?", err=True):
            return
        raise UsageError("제출하지 않았습니다")
    raise UsageError(told, way_out="그래도 다시 제출하려면 --force 를 붙이세요.")


def _asks_the_same(typed: Typed, table: Articles, folder: Path) -> bool:
    """Whether failed rows are to be asked what they were asked before."""
    if typed.sandbox and typed.settings.get("base_url"):
        return False
    if not typed.wishes.own_file and typed.wishes.model is None:
        return True
    with database.reading(folder / LEDGER_NAME) as connection:
        row = connection.execute("SELECT value FROM meta WHERE key = 'identity'").fetchone()
    task = label_task(typed.wishes, table.columns).task
    return row is not None and jsontext.loads(row[0]) == dict(task.identity)


def _refuse_if_held(folder: Path) -> None:
    if lock.is_held(folder):
        raise RunLockedError(
            f"{folder}: 다른 프로세스가 이 작업을 처리하고 있습니다",
            way_out="그 작업이 끝난 뒤 다시 실행하세요.",
        )


def split_rows(rows: int) -> int | None:
    """Rows of a batch at most, of a table of so many; None for as many as a batch may hold.

    Smaller batches fit into what is left of a quota, and come back one after the other.
    """
    return _SPLIT_ROWS if rows >= _SPLIT_FROM_ROWS else None


def _known(typed: Typed, table: Articles) -> dict[str, object]:
    """Settings that the options mean."""
    given = {name: value for name, value in typed.settings.items() if value is not None}
    return {
        "route": "batch",
        "shard_size": split_rows(table.rows),
        "model": typed.wishes.model,
        **given,
    }


def _foretell(errand: _Errand) -> Callable[[int], Iterator[str]]:
    """What is said of cost and time before anything is sent."""
    task = errand.task
    bodies = (
        task.render(Item(seq=0, chunk=0, id=0, fields=row.fields)).body
        for row in errand.table.sample
        if task.problem_with(row.fields) is None and str(row.fields.get("text") or "").strip()
    )
    sizes = [len(orjson.dumps(body)) / _BYTES_PER_TOKEN for body in bodies]
    mean = fmean(sizes) if sizes else 0.0

    def lines(rows: int) -> Iterator[str]:
        prices = prices_of(errand.settings)
        expected = cost.expected(rows, mean, task.model, prices)
        return messages.estimate(expected, cost.hours(rows))

    return lines


def _discard_unless_begun(folder: Path) -> None:
    """A submission that was refused leaves no file of its task behind."""
    if ledgers.holds(folder) or not folder.exists():
        return
    (folder / FILE_NAME).unlink(missing_ok=True)
    with suppress(OSError):
        folder.rmdir()
