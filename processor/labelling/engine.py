"""Starts of a run, as the script makes them: logged, guarded against signals, without a screen."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from processor.batch.until import Until
from processor.labelling.task import FILE_NAME
from processor.ledger.ledger import open_ledger
from processor.logs import open_logs
from processor.loop import run_in_loop
from processor.observer import Observer
from processor.opened import Opened, opened
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


@contextmanager
def opened_run(folder: Path, settings: Mapping[str, Any]) -> Iterator[Opened]:
    """A labelling run; a task file of its own goes with its folder, wherever that was moved.

    Args:
        folder: The run's.
        settings: That go before those it was begun with.

    Raises:
        UsageError: A setting cannot be.
        LedgerError: Its ledger cannot be read.
    """
    path = folder / FILE_NAME
    with opened(folder, settings) as it:
        recipe = it.begun.recipe
        if recipe is None or not path.exists():
            yield it
        else:
            there = replace(recipe, task=str(path.absolute()))
            yield replace(it, begun=replace(it.begun, recipe=there))


def fetch(it: Opened, *, new_account: bool) -> Report:
    """Settle what has ended, and send what waits; what was cancelled is left alone.

    Args:
        it: The run.
        new_account: Batches of another key are believed to be this one's, too.

    Raises:
        ProcessorError: As the run.
    """
    give_up_s = min(it.settings.give_up_s, _GIVE_UP_MOST_S)
    it = replace(it, settings=it.settings.model_copy(update={"give_up_s": give_up_s}))
    terms = BatchTerms(until=Until.FETCHED, heeds_cancel=True, new_account=new_account)
    return execute(lambda observers: it.start(terms, observers), it.settings)


def look(it: Opened) -> list[str]:
    """Ask how the open batches are; returns ids of those that the provider does not know.

    Raises:
        StoppedError: The provider does not answer.
    """
    with open_ledger(it.folder) as ledger:
        return run_in_loop(it.look(ledger))
