"""Figures below a notebook's cell, as Jupyter, Colab and editors show it."""

import sys
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from processor.console.display import figures, part_done, progress
from processor.console.terminal import shown
from processor.watch.snapshot import Snapshot
from processor.watch.speed import Speed

_EVERY_S = 1.0
_SAID_LINES = 20
_BAR_MARKS = 30


def in_notebook() -> bool:
    """Whether this process is a notebook's kernel; loads nothing."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return getattr(shell, "kernel", None) is not None


class Cell:
    """One block of text that changes in place: what was said, and the figures below it.

    Text, which no browser takes for anything else. It stays when the run is over.
    """

    every_s = _EVERY_S

    def __init__(self) -> None:
        from IPython import display  # noqa: PLC0415 - of the kernel we are in

        # Its package ships types for some of its functions only.
        make: Callable[[], Any] = display.DisplayHandle
        self._handle = make()
        self._draw_first = True
        self._said = deque[str](maxlen=_SAID_LINES)
        self._figures = ""
        self._lock = threading.Lock()

    def show(self, shot: Snapshot, now: Speed) -> None:
        """Draw anew."""
        self._draw(_line(shot, now))

    def say(self, line: str) -> None:
        """The line, above the figures; the oldest goes when there are many."""
        self._draw(None, shown(line))

    def end(self, shot: Snapshot | None) -> None:
        """Leave the last figures there."""
        if shot is not None:
            self._draw(_line(shot, Speed(per_s=shot.throughput_per_s, eta_s=None)))

    def _draw(self, line: str | None, *said: str) -> None:
        with self._lock:
            self._said.extend(said)
            self._figures = line or self._figures
            text = "\n".join([*self._said, self._figures]).rstrip()
            draw = self._handle.display if self._draw_first else self._handle.update
            self._draw_first = False
            draw({"text/plain": text}, raw=True)


def _line(shot: Snapshot, now: Speed) -> str:
    marks = int(part_done(shot) * _BAR_MARKS)
    bar = "█" * marks + "░" * (_BAR_MARKS - marks)
    return f"{bar} {progress(shot)} · {figures(shot, now)}"
