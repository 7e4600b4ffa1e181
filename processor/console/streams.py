"""Standard output and error as they come: closed, full, gone, or of an encoding without Korean.

What is said about a run must not change how the run goes on and ends.
"""

import os
import sys
from typing import Any, TextIO

from processor.console.terminal import in_json, shown


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
    _write(line, sys.stdout)


def say_drawn(text: str) -> None:
    """Print lines that command the terminal, of which nothing came from elsewhere unescaped."""
    try:
        sys.stdout.write(text)
    except OSError:
        silence(sys.stdout)


def say_json(value: Any) -> None:
    """Print a value as JSON on several lines."""
    import orjson  # noqa: PLC0415 - --help needs none

    for line in orjson.dumps(value, option=orjson.OPT_INDENT_2).split(b"\n"):
        say(in_json(line).decode())


def tell(line: str) -> None:
    """Print a line on standard error; without a place for it, drop it."""
    _write(line, sys.stderr)


def finish() -> None:
    """Write out what is buffered; without a place for it, drop it."""
    try:
        sys.stdout.flush()
    except OSError:
        silence(sys.stdout)


def silence(stream: TextIO) -> None:
    """Send everything further to nowhere, so that the interpreter does not complain at exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def _write(line: str, stream: TextIO) -> None:
    try:
        stream.write(f"{shown(line)}\n")  # at once: several threads say things
        if stream is sys.stderr:
            stream.flush()
    except OSError:
        silence(stream)
