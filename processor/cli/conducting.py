"""A start of a run on the command line: its logs, its screen, its signals, and what it says last.

Loads the engine: commands import it when they are used.
"""

import shlex
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from processor.cli import summary, typed
from processor.cli.telling import notify, notify_of_error
from processor.console import streams
from processor.console.screen import watching
from processor.errors import LedgerError
from processor.logs import open_logs
from processor.loop import run_in_loop
from processor.notice import Notice
from processor.notifying.notifier import Notifier
from processor.observer import Observer
from processor.plan.lack import Lack
from processor.report import Report
from processor.run import Run
from processor.settings import Settings
from processor.signals import guarded
from processor.watch.steps import next_steps


def conduct(
    make: Callable[[Sequence[Observer]], Run], *, folder: Path, settings: Settings, quiet: bool
) -> int:
    """Execute a run and sum it up; returns the exit code.

    Args:
        make: Makes the run with who watches it.
        folder: The run's.
        settings: What is in force.
        quiet: No progress is shown.

    Raises:
        ProcessorError: As the run.
    """
    notifier = Notifier(settings, folder)
    with open_logs(settings.logs, content=settings.log_content) as (log, log_path):
        try:
            report = _executed(make, log, notifier, folder=folder, quiet=quiet)
        except BaseException as error:
            notify_of_error(notifier, error, log, quiet=quiet)
            raise
        steps = _sum_up(report, log_path)
        word = notifier.at_end(report.snapshot, report.exit_code, steps)
        notify(notifier, word, log, quiet=quiet)
    return report.exit_code


def _executed(
    make: Callable[[Sequence[Observer]], Run],
    log: Observer,
    notifier: Notifier,
    *,
    folder: Path,
    quiet: bool,
) -> Report:
    with watching(folder, quiet=quiet) as screens:
        watchers = [log, *screens]

        def tell(notice: Notice) -> None:
            for observer in watchers:
                with suppress(LedgerError):  # a log that cannot be written ends the run by itself
                    observer.notice(notice)

        try:
            return run_in_loop(guarded(make([*watchers, *notifier.observers(tell)])))
        finally:
            notifier.close()


def _again(shown: Sequence[str], shortfall: Lack | None) -> list[str]:
    """The words that go on with this run: those typed, with enough of what it lacks."""
    if shortfall is None:
        return list(shown)
    words = iter(shown)
    kept = []
    for word in words:
        if word == shortfall.option:
            next(words, None)
        elif not word.startswith(f"{shortfall.option}="):
            kept.append(word)
    return [*kept, shortfall.option, shortfall.enough]


def _sum_up(report: Report, log_path: Path) -> list[str]:
    """Say how it ended; returns what to do now."""
    for line in summary.lines(report.snapshot):
        streams.say(line)
    for line in summary.changes(report.intake) if report.intake else ():
        streams.say(line)
    for difference in report.differences:
        streams.say(f"  {'differs':<9} {difference}")
    for line in summary.handovers(report.handovers):
        streams.say(line)
    for file in (*report.files, log_path):
        streams.say(f"  {'file':<9} {file}")
    command = shlex.join(["processor", *_again(typed.words(), report.shortfall)])
    steps = list(next_steps(report.snapshot, command=command))
    for step in steps:
        streams.say(f"  {'next':<9} {step}")
    for line in summary.undelivered(report.snapshot, report.handovers, command=command):
        streams.tell(line)
    stopped = summary.stop(report.snapshot)
    if stopped is not None:
        streams.tell(f"Stopped: {stopped}")
    return steps
