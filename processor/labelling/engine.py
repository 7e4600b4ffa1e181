"""Starts of a run, as the script makes them: logged, guarded against signals, without a screen."""

from collections.abc import Callable, Sequence

from processor.batch.until import Until
from processor.clock import SystemClock
from processor.jobs import looking
from processor.ledger.ledger import open_ledger
from processor.logs import open_logs
from processor.loop import run_in_loop
from processor.observer import Observer
from processor.opened import Opened
from processor.report import Report
from processor.run import Run
from processor.sending.provider import remote_of
from processor.sending.terms import BatchTerms
from processor.settings import Settings
from processor.signals import guarded

_GIVE_UP_MOST_S = 60.0  # a look that fails is made again by whoever polls


def execute(make: Callable[[Sequence[Observer]], Run], settings: Settings) -> Report:
    """Execute a start of a run.

    Args:
        make: Makes it with who watches it.
        settings: What is in force.

    Raises:
        ProcessorError: As the run.
    """
    with open_logs(settings.logs, content=settings.log_content) as (log, _):
        return run_in_loop(guarded(make([log])))


def fetch(it: Opened) -> Report:
    """Settle what has ended, and send what waits; what was cancelled is left alone.

    Raises:
        ProcessorError: As the run.
    """
    give_up_s = min(it.settings.give_up_s, _GIVE_UP_MOST_S)
    settings = it.settings.model_copy(update={"route": "batch", "give_up_s": give_up_s})
    task = it.task()
    return execute(
        lambda observers: Run(
            folder=it.folder,
            task=task,
            source=None,
            settings=settings,
            observers=observers,
            batch=BatchTerms(until=Until.FETCHED, heeds_cancel=True),
            recipe=it.begun.recipe,
        ),
        settings,
    )


def look(it: Opened) -> list[str]:
    """Ask how the open batches are; returns ids of those that the provider does not know.

    Raises:
        StoppedError: The provider does not answer.
    """

    async def act() -> list[str]:
        async with remote_of(it.settings) as remote:
            return await looking.look(ledger, remote, SystemClock(), grace_s=it.settings.grace_s)

    with open_ledger(it.folder) as ledger:
        return run_in_loop(act())
