"""`--mode check`: how the job is; what has ended is fetched, what waits is sent."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from processor.batch.remote_values import FAILED, TERMINAL
from processor.console.streams import say
from processor.errors import UsageError
from processor.jobs.job import Job
from processor.labelling import engine, info, ledgers, messages
from processor.labelling.info import Info
from processor.labelling.standing import CANCELLED, Standing
from processor.labelling.trouble import trouble_of
from processor.labelling.typed import Typed
from processor.ledger import lock
from processor.ledger.shards import State
from processor.opened import Opened
from processor.report import EXIT_OK
from processor.stop import Stop

# Why a start ends early although the provider has told how its batches are.
_TOLD = frozenset({"batch_failed", "batch_lost", "results_gone", "in_doubt", "budget"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """How a job was found.

    Attributes:
        lost: Batches that the provider does not know.
        stop: Why the last start ended early, if it did.
        exit_code: Of that start; 0 when the status was read.
    """

    standing: Standing
    lost: list[str]
    stop: Stop | None = None
    exit_code: int = EXIT_OK


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
    for line in lines(batch_id, checked):
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
        return Checked(standing=standing, lost=lost)
    report = engine.fetch(it, new_account=new_account)
    told = report.stop is None or report.stop.code in _TOLD
    return Checked(
        standing=ledgers.standing(it.folder),
        lost=lost,
        stop=report.stop,
        exit_code=EXIT_OK if told else report.exit_code,
    )


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


def lines(batch_id: str, checked: Checked) -> Iterator[str]:
    """How a job is, in words."""
    standing = checked.standing
    yield from messages.status(batch_id or "-", standing.status, standing.done, standing.total)
    if standing.failure is not None:
        yield from _failure(standing.failure)
    elif checked.stop is not None:
        yield f"   ❌ {checked.stop.code}: {checked.stop.message}"
    for each in checked.lost:
        yield f"   ⚠️ {each}: 제공자가 더 이상 알지 못하는 배치입니다 (키와 프로젝트를 확인하세요)"
    if standing.is_complete:
        yield messages.finished()
    elif standing.status == CANCELLED:
        yield "   🛑 취소됨: 남은 행은 --mode submit 으로 다시 보낼 수 있습니다"
    elif standing.failure is None:
        yield messages.working()
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
