"""Starts of a run, as the script makes them: logged, guarded against signals, without a screen."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from processor.batch.until import Until
from processor.ledger.ledger import open_ledger
from processor.logs import open_logs
from processor.loop import run_in_loop
from processor.observer import Observer
from processor.opened import Opened
from processor.report import Report
from processor.run import Run
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
    it = replace(it, settings=it.settings.model_copy(update={"give_up_s": give_up_s}))
    terms = BatchTerms(until=Until.FETCHED, heeds_cancel=True)
    return execute(lambda observers: it.start(terms, observers), it.settings)


def look(it: Opened) -> list[str]:
    """Ask how the open batches are; returns ids of those that the provider does not know.

    Raises:
        StoppedError: The provider does not answer.
    """
    with open_ledger(it.folder) as ledger:
        return run_in_loop(it.look(ledger))
