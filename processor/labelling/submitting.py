"""`--mode submit`: requests are made of the rows, and batches of the requests."""

import sys
from contextlib import ExitStack, suppress
from pathlib import Path

import click

from processor import jsontext, recipe
from processor.batch.remote_values import FAILED
from processor.configuration import gathered, in_force
from processor.data.source import Source
from processor.errors import RunLockedError, UsageError
from processor.folders import default_folder, set_aside
from processor.jobs.job import Job
from processor.labelling import again, engine, ledgers, outcomes, submission
from processor.labelling.answers import content_id
from processor.labelling.articles import Articles, articles, good_rows
from processor.labelling.deciding import Start, decide
from processor.labelling.matching import Without, by_question
from processor.labelling.submission import Submission
from processor.labelling.task import FILE_NAME, SHIPPED, label_task
from processor.labelling.typed import Typed
from processor.ledger import database, lock, shards
from processor.ledger.database import LEDGER_NAME
from processor.recipe import Recipe
from processor.sandbox_process import sandbox_of
from processor.tasks.prompt import PromptTask

_SPLIT_FROM_ROWS = 10_000
_SPLIT_ROWS = 1_000
_SAMPLE_ROWS = 200
_SANDBOX = f"{SHIPPED}-sandbox"  # a rehearsal is no submission


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
    if start is Start.ASK and not typed.force:
        _agree(table.path, folder)
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
        return submission.make(
            Submission(
                folder=folder,
                table=table,
                encoding=typed.encoding,
                source=source,
                task=made.task,
                settings=asked,
                recipe=Recipe.of(name, typed.sandbox_words()),
                adopts=not afresh,
                new_account=typed.new_account,
            )
        )


def _submit_again(typed: Typed, table: Articles, folder: Path) -> int:
    """Send rows that failed once more, in the run that they belong to."""
    _refuse_if_held(folder)
    with engine.opened_run(folder, typed.settings) as it:
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
        return submission.make(
            Submission(
                folder=folder,
                table=table,
                encoding=typed.encoding,
                source=Without(again.restored(table), meant.known_otherwise),
                task=task,
                settings=it.settings.by_batch(),
                recipe=it.begun.recipe,
                new_account=typed.new_account,
                seqs=tuple(meant.failed),
            )
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


def _start(folder: Path, task: PromptTask, table: Articles) -> Start:
    """How the submission begins."""
    if not ledgers.holds(folder):
        return Start.BEGIN
    _refuse_if_held(folder)
    ledgers.refresh(folder)
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


def _agree(path: str, folder: Path) -> None:
    """See that somebody wants to pay again.

    Raises:
        UsageError: Nobody says so.
    """
    ids = ledgers.batch_ids(folder)
    standing = ledgers.standing(folder)
    told = (
        f"{path}: 이미 제출된 파일입니다 (배치 ID {ids[0] if ids else '-'}, "
        f"{standing.done}/{standing.total}개 완료). 다시 제출하면 비용이 다시 듭니다"
    )
    if sys.stdin is not None and sys.stdin.isatty():
        if click.confirm(f"⚠️ {told}. 계속할까요?", err=True):
            return
        raise UsageError("제출하지 않았습니다")
    raise UsageError(told, way_out="그래도 다시 제출하려면 --force 를 붙이세요.")


def _asks_the_same(typed: Typed, table: Articles, folder: Path) -> bool:
    """Whether failed rows are to be asked what they were asked before."""
    if typed.sandbox and not recipe.begun(folder).by_sandbox:
        return False  # a rehearsal sends nothing to the provider
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


def _discard_unless_begun(folder: Path) -> None:
    """A submission that was refused leaves no file of its task behind."""
    if ledgers.holds(folder) or not folder.exists():
        return
    (folder / FILE_NAME).unlink(missing_ok=True)
    with suppress(OSError):
        folder.rmdir()
