"""`processor control`."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:  # importing it takes longer than --help may
    from processor.ledger.control import Asked

_EPILOG = """\b
Orders:
  pause               start no new call and no new batch; what is in flight finishes
  resume              go on
  drain               finish what is in flight, then end; the same command resumes
  concurrency N       ceiling of calls in flight (none: adaptive again)
  rpm N, tpm N        requests, tokens a minute at most (none: what the provider allows)
  requeue [CODE...]   send failed items again: those of these error codes, or all that asking
                      again may mend

\b
Examples:
  processor control pause                     the run in runs/ that works
  processor control concurrency 50
  processor control requeue rate_limited timeout
  processor control --run runs/mathml-questions-1a2b3c rpm none

\b
The run takes an order within a second or two and writes down who asked what. Ceilings hold until
the run ends; the next start begins with those of its own command.
Exit codes: 0 it was done · 1 nothing works on the folder, or it is no order · 2 the run refused,
or ended before · 6 the run has not taken it yet.
"""
_REFUSED = 2
_NOT_YET = 6
_LOOK_S = 0.1


@click.command(epilog=_EPILOG)
@click.argument("order", nargs=-1, required=True)
@click.option(
    "--run",
    "folder",
    type=click.Path(path_type=Path),
    help="Run folder [the one in runs/ that works].",
)
@click.option(
    "--patience",
    "patience_s",
    type=float,
    default=10.0,
    show_default=True,
    help="Seconds to wait for the run's answer.",
)
def command(order: tuple[str, ...], folder: Path | None, patience_s: float) -> int:
    """Change what a run does while it works: ORDER is one of those below."""
    from processor import folders  # noqa: PLC0415 - see processor.cli.main
    from processor.console import streams  # noqa: PLC0415
    from processor.ledger import control  # noqa: PLC0415

    wanted = control.Order.parse(order)
    folder = folders.chosen(folder or _at_work())
    number = control.ask(folder, wanted)
    asked, works = _answered(folder, number, patience_s)
    if not works and (asked is None or asked.answer is None):
        streams.tell(f"{folder}: it ended before it took the order.")
        return _REFUSED
    if asked is None or asked.answer is None:
        streams.tell(f"{folder}: it has not taken the order yet, and will when it sends.")
        return _NOT_YET
    streams.say(f"{folder}: {asked.answer}")
    return 0 if asked.accepted else _REFUSED


def _at_work() -> Path | None:
    """The only run in the usual place that a process works on; None when there is none.

    Raises:
        UsageError: There are several.
    """
    from processor import folders  # noqa: PLC0415
    from processor.errors import UsageError  # noqa: PLC0415
    from processor.ledger import lock  # noqa: PLC0415

    found = list(filter(lock.is_held, folders.all_of()))
    if len(found) > 1:
        raise UsageError(
            f"several runs work: {', '.join(map(str, found))}", way_out="Name one with --run."
        )
    return found[0] if found else None


def _answered(folder: Path, number: int, patience_s: float) -> "tuple[Asked | None, bool]":
    """The order, when the run has answered it or the patience is over; whether it still works."""
    from processor.ledger import control, lock  # noqa: PLC0415

    until_s = time.monotonic() + patience_s
    while True:
        works = lock.is_held(folder)  # first: what ends meanwhile has answered
        asked = control.answer_of(folder, number)
        is_answered = asked is not None and asked.answer is not None
        if is_answered or not works or time.monotonic() >= until_s:
            return asked, works
        time.sleep(_LOOK_S)
