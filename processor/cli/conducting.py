"""A start of a run on the command line: its logs, its screen, its signals, and what it says last.

Loads the engine: commands import it when they are used.
"""

import shlex
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from processor.cli import summary
from processor.cli.provider import unsecret
from processor.console import streams
from processor.console.screen import watching
from processor.logs import open_logs
from processor.loop import run_in_loop
from processor.observer import Observer
from processor.plan.lack import Lack
from processor.postgres import without_password
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
    with ExitStack() as stack:
        log, log_path = stack.enter_context(open_logs(settings.logs, content=settings.log_content))
        screens = stack.enter_context(watching(folder, quiet=quiet))
        report = run_in_loop(guarded(make([log, *screens])))
    _sum_up(report, log_path)
    return report.exit_code


def _again(typed: Sequence[str], shortfall: Lack | None) -> list[str]:
    """The words that go on with this run: those typed, with enough of what it lacks."""
    if shortfall is None:
        return list(typed)
    words = iter(typed)
    kept = []
    for word in words:
        if word == shortfall.option:
            next(words, None)
        elif not word.startswith(f"{shortfall.option}="):
            kept.append(word)
    return [*kept, shortfall.option, shortfall.enough]


def _sum_up(report: Report, log_path: Path) -> None:
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
    shown = map(without_password, unsecret(sys.argv[1:]))
    typed = shlex.join(["processor", *_again(list(shown), report.shortfall)])
    for step in next_steps(report.snapshot, command=typed):
        streams.say(f"  {'next':<9} {step}")
    for line in summary.undelivered(report.snapshot, report.handovers, command=typed):
        streams.tell(line)
    stopped = summary.stop(report.snapshot)
    if stopped is not None:
        streams.tell(f"Stopped: {stopped}")
