"""Standard output as it comes: closed, full, gone, or of an encoding without Korean.

What is said at the end of a run must not change how the run ended.
"""

import os
import sys


def make_safe() -> None:
    """Let no character and no missing stream end the program."""
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115 - lives as long as the process
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: PTH123, SIM115
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def say(line: str) -> None:
    """Print a line; without a place for it, drop it."""
    try:
        print(line)
    except OSError:
        silence()


def finish() -> None:
    """Write out what is buffered; without a place for it, drop it."""
    try:
        sys.stdout.flush()
    except OSError:
        silence()


def silence() -> None:
    """Send everything further to nowhere, so that the interpreter does not complain at exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
