"""`--mode check`: how the job is; what has ended is fetched, what waits is sent."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from processor.batch.remote_values import CANCELLED, FAILED, TERMINAL
from processor.codes import BUDGET_CODE
from processor.console.streams import say
from processor.errors import UsageError
from processor.jobs.job import Job
from processor.labelling import engine, info, ledgers, messages
from processor.labelling.info import Info
from processor.labelling.standing import BATCH_FAILED, Standing
from processor.labelling.trouble import trouble_of
from processor.labelling.typed import Typed
from processor.ledger import lock, shards
from processor.ledger.shards import State
from processor.opened import Opened
from processor.report import EXIT_OK
from processor.stop import Stop

# Why shards are left as they are until somebody decides about them.
_LEFT = frozenset({"batch_lost", "results_gone", "in_doubt"})
# Why a start ends early although the provider has told how its batches are.
_TOLD = _LEFT | {BATCH_FAILED, BUDGET_CODE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """How a job was found.

    Attributes:
        lost: Batches that the provider does not know.
        stop: Why the last start ended early, if it did.
        exit_code: Of that start; 0 when the status was read.
        left: Shards whose answers do not come until somebody decides about them.
    """

    standing: Standing
    lost: list[str]
    stop: Stop | None = None
    exit_code: int = EXIT_OK
    left: Sequence[int] = ()


def check(typed: Typed) -> int:
    """Say how a job is; returns 0 whenever its status was read.

    Raises:
        ProcessorError: There is no such job, or the provider cannot be asked.
    """
    folder, batch_id = ledgers.find(typed.batch_id, last(typed))
    if lock.is_held(folder):  # who works on it looks by itself
        checked = Checked(standing=ledgers.standing(folder), lost=[])
    else:
        with engine.opened_run(folder, typed.settings) as it:
            checked = advance(it, new_account=typed.new_account)
    for line in lines(batch_id, folder, checked):
        say(line)
    return checked.exit_code


def last(typed: Typed) -> Info | None:
    """What was submitted last; a damaged file does not matter to who names a batch.

    Raises:
        UsageError: It cannot be read.
    """
    if typed.batch_id is None:
        return info.read()
    with suppress(UsageError):
        return info.read()
    return None


def advance(it: Opened, *, new_account: bool = False) -> Checked:
    """Look at the open batches; settle what has ended, and send what waits.

    A job that the provider has refused waits for whoever mends it.

    Args:
        it: The run.
        new_account: Batches of another key are believed to be this one's, too.

    Raises:
        ProcessorError: The provider cannot be asked.
    """
    lost = engine.look(it) if any(job.open_batches for job in ledgers.jobs_in(it.folder)) else []
    standing = ledgers.standing(it.folder)
    if not _is_stale(ledgers.jobs_in(it.folder), standing):
        return _checked(ledgers.jobs_in(it.folder), standing, lost, None)
    report = engine.fetch(it, new_account=new_account)
    now = ledgers.standing(it.folder)
    found = _checked(ledgers.jobs_in(it.folder), now, lost, report.stop)
    told = report.stop is None or report.stop.code in _TOLD
    return replace(found, exit_code=EXIT_OK if told else report.exit_code)


def _checked(
    jobs: Sequence[Job], standing: Standing, lost: list[str], stop: Stop | None
) -> Checked:
    code = stop.code if stop is not None else None
    left = left_of(jobs, lost) if lost or code in _LEFT else []
    live = sum(job.is_live for job in jobs)
    if is_stuck(live=live, left=len(left), waiting=standing.waiting, stop_code=code):
        standing = replace(standing, status=FAILED)
    return Checked(standing=standing, lost=lost, stop=stop, left=left)


def left_of(jobs: Sequence[Job], lost: Collection[str]) -> list[int]:
    """Shards that are at the provider in no batch that is at work.

    Args:
        jobs: Of a run, after a start that has fetched what it could.
        lost: Batches that the provider does not know.
    """
    return [
        job.shard.number
        for job in jobs
        if job.shard.state in shards.AT_PROVIDER
        and all(batch.id in lost for batch in job.open_batches)
    ]


def is_stuck(*, live: int, left: int, waiting: int, stop_code: str | None) -> bool:
    """Whether no look brings a job further, so that who polls must not go on.

    Args:
        live: Shards that are not done.
        left: Of these, how many wait for somebody's decision.
        waiting: Rows that are in no batch yet.
        stop_code: What ended the last start early.
    """
    if stop_code == BUDGET_CODE:
        return live == left  # what waits is not sent before there is more money
    return left > 0 and live == left and not waiting


def _is_stale(jobs: list[Job], standing: Standing) -> bool:
    """Whether there is something to be done."""
    if standing.is_complete or standing.status == CANCELLED:
        return False
    live = [job for job in jobs if job.is_live]
    has_ended = any(all(batch.status in TERMINAL for batch in job.batches) for job in live)
    if standing.status == FAILED:
        return has_ended  # of the others; what was refused is not sent again unasked
    return (
        has_ended or standing.waiting > 0 or any(job.shard.state is not State.OPEN for job in live)
    )


def lines(batch_id: str, folder: Path, checked: Checked) -> Iterator[str]:
    """How the job of a folder is, in words."""
    standing = checked.standing
    yield from messages.status(batch_id or "-", standing.status, standing.done, standing.total)
    if standing.failure is not None:
        yield from _failure(standing.failure)
    elif checked.stop is not None:
        yield f"   ❌ {checked.stop.code}: {checked.stop.message}"
    for each in checked.lost:
        yield f"   ⚠️ {each}: 제공자가 더 이상 알지 못하는 배치입니다 (키와 프로젝트를 확인하세요)"
    yield from messages.left(checked.left, str(folder))
    if standing.is_complete:
        yield messages.finished()
    elif standing.status == CANCELLED:
        yield "   🛑 취소됨: 남은 행은 --mode submit 으로 다시 보낼 수 있습니다"
    elif standing.status != FAILED:
        yield messages.working()
        if standing.cut_short:
            yield messages.cut_short(tuple(standing.cut_short))
        if standing.deferred is not None:
            yield f"   ⚠️ {trouble_of(standing.deferred).cause}: {standing.deferred}"
        if standing.waiting:
            yield f"   대기 중: {standing.waiting}개 기사 (다음 check 때 보냅니다)"


def _failure(problem: str) -> Iterator[str]:
    found = trouble_of(problem)
    where = f" ({found.line}번째 줄)" if found.line is not None else ""
    yield f"   ❌ Batch status: failed - {found.cause}{where}"
    yield f"      {found.told}"
    yield f"      해결 방법: {found.remedy}"
