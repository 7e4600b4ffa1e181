"""Messages of a command to somebody who does not look at it.

Loads the engine: commands import it when they are used.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from processor.console import notify_lines, streams
from processor.console.screen import is_watched
from processor.errors import LedgerError, ProcessorError
from processor.loop import run_in_loop
from processor.notice import Notice
from processor.notifying.message import Message
from processor.notifying.notifier import Notifier
from processor.observer import Observer
from processor.settings import Settings
from processor.signals import guarded


def notify(
    notifier: Notifier, word: Message | None, log: Observer | None = None, *, quiet: bool
) -> None:
    """Send a message; Ctrl-C ends that, and whatever comes of it changes nothing.

    Args:
        notifier: Of the run.
        word: None for none.
        log: Told what became of it.
        quiet: Only what went wrong is said.
    """
    if word is None:
        return

    def tell(notice: Notice) -> None:
        if log is not None:
            with suppress(LedgerError):  # a full disk
                log.notice(notice)
        line = notify_lines.line(notice)
        if line is not None and (notice.serious or not quiet):
            streams.tell(line)

    deliveries = run_in_loop(guarded(notifier.post(word)), fast=False)
    notifier.tell_of(word, deliveries, tell)


def notify_of_error(
    notifier: Notifier, error: BaseException, log: Observer | None = None, *, quiet: bool
) -> None:
    """Tell what ended a start; what refuses one on a terminal is seen there."""
    word = notifier.at_error(error, is_seen=is_watched())
    notify(notifier, word, log, quiet=quiet)


@contextmanager
def refusals(settings: Settings, folder: Path, *, quiet: bool) -> Iterator[None]:
    """Around what comes before a run: what refuses it there is told as what does so later.

    Args:
        settings: What is in force.
        folder: The run's; where it would be made while that is not known.
        quiet: Only what went wrong is said.
    """
    try:
        yield
    except ProcessorError as error:
        notify_of_error(Notifier(settings, folder), error, quiet=quiet)
        raise
