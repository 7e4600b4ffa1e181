"""The monitor in lines: for pipes, files, CI, and terminals that cannot draw."""

import sys
import time
from collections.abc import Callable, Sequence

from processor.console import streams
from processor.console.display import figures, progress
from processor.console.monitor.watched import Watched, exit_code_of, look_first
from processor.console.terminal import in_json, shown
from processor.errors import DeliveryError
from processor.watch.look import Look


def watch(
    runs: Sequence[Watched],
    tell: Callable[[Watched, Look | None], None],
    *,
    every_s: float,
    stays: bool,
) -> int:
    """Tell how the runs stand again and again; returns the exit code when they are over.

    Args:
        runs: Which.
        tell: Is given each with its new look; None where it could not be read.
        every_s: Seconds between looks.
        stays: Whether it goes on when they are over.

    Raises:
        LedgerError: The only run cannot be read.
    """
    for run, look in zip(runs, look_first(runs), strict=True):
        tell(run, look)
    while stays or not all(run.is_over for run in runs):
        time.sleep(every_s)
        for run in runs:
            was_over, look = run.is_over, run.refresh()
            if not (was_over and run.is_over):  # that was told
                tell(run, look)
    return exit_code_of(runs)


def tell_line(run: Watched, look: Look | None) -> None:
    """A line of figures, with the time of day; raises what `tell_json` does."""
    _write(shown(f"{time.strftime('%H:%M:%S')} {run.name} · {_told(run, look)}"))


def tell_json(line: bytes) -> None:
    """A line of JSON, as orjson writes it.

    Raises:
        BrokenPipeError: Nobody reads any more.
        DeliveryError: It cannot be written.
    """
    _write(in_json(line).decode())


def _told(run: Watched, look: Look | None) -> str:
    if look is None:
        return str(run.problem)
    return f"{look.state} · {progress(look.shot)} · {figures(look.shot, look.speed)}"


def _write(line: str) -> None:
    """At once: who reads it may act on it."""
    try:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        streams.silence(sys.stdout)
        raise DeliveryError(
            f"standard output: {error.strerror or error}",
            passing=False,
            way_out="Make room, or write it elsewhere; the run goes on.",
        ) from error
