"""Signals of a run: the first drains, the second leaves at once."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol, TypeVar

from processor.console import streams

Result_co = TypeVar("Result_co", covariant=True)

_DRAIN_S = 25.0
# Reading a pipe and writing tables cannot be interrupted. The ledger bears the loss of the process
# at any moment, so that leaving without them loses nothing.
_LEAVE_S = 1.0
_SHOW_CURSOR = "\x1b[?25h"


class Guarded(Protocol[Result_co]):
    """Something that takes long, and can be ended early."""

    def drain(self) -> None:
        """Begin nothing new."""

    def abort(self) -> None:
        """Leave at once."""

    async def execute(self) -> Result_co:
        """Do it."""


async def guarded(run: Guarded[Result_co], *, drain_s: float = _DRAIN_S) -> Result_co:
    """Execute a run, and end it early when it is told to.

    Args:
        run: The run.
        drain_s: What calls in flight may take after SIGTERM, and after SIGHUP, which says that the
            terminal is gone; after Ctrl-C they may take what they take.
    """
    loop = asyncio.get_running_loop()
    signals = 0

    def leave() -> None:
        run.abort()
        loop.call_later(_LEAVE_S, _exit_now)

    def on_signal(most_s: float | None) -> None:
        nonlocal signals
        signals += 1
        if signals > 1:
            leave()
            return
        run.drain()
        if most_s is not None:
            loop.call_later(most_s, leave)
        streams.tell("Finishing what is in flight; once more to leave at once.")

    _on(loop, signal.SIGINT, lambda: on_signal(None))
    _on(loop, signal.SIGTERM, lambda: on_signal(drain_s))
    if sys.platform != "win32" and signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        _on(loop, signal.SIGHUP, lambda: on_signal(drain_s))  # otherwise nohup keeps it from us
    return await run.execute()


def _on(loop: asyncio.AbstractEventLoop, number: signal.Signals, act: Callable[[], None]) -> None:
    if sys.platform == "win32":
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(act))
    else:
        loop.add_signal_handler(number, act)


def _exit_now() -> None:
    if sys.stderr.isatty():
        with suppress(OSError):
            print(_SHOW_CURSOR, end="", file=sys.stderr, flush=True)
    from processor.report import EXIT_INTERRUPTED  # noqa: PLC0415 - loaded long since

    os._exit(EXIT_INTERRUPTED)
