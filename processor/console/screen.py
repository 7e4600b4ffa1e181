"""What a person sees while a run works, on a terminal, below a notebook's cell and elsewhere."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from processor.console import run_lines
from processor.console.display import Display, Plain
from processor.console.notebook import Cell, in_notebook
from processor.errors import LedgerError
from processor.ledger.commit import ChunkTotals, Commit
from processor.notice import Notice
from processor.watch import snapshot
from processor.watch.snapshot import Snapshot
from processor.watch.speed import Speed, speed_of


class Screen:
    """Shows a run as it works; an observer that reads the ledger from a thread of its own."""

    def __init__(self, folder: Path, display: Display) -> None:
        self._folder = folder
        self._display = display
        self._sending = threading.Event()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="screen", daemon=True)
        self._thread.start()

    def notice(self, notice: Notice) -> None:
        """Say what a person should know."""
        line = run_lines.line(notice)
        if line:
            self._display.say(line)
        if notice.event == "sending":
            self._sending.set()

    def committed(self, commit: Commit) -> None:
        """The figures tell it."""

    def chunk_written(self, chunk: ChunkTotals) -> None:
        """The figures tell it."""

    def close(self) -> None:
        """Stop watching."""
        self._ended.set()
        self._sending.set()
        self._thread.join()
        seen = None
        try:
            seen = self._look()
        finally:  # a terminal gets its cursor back
            self._display.end(seen and seen[0])

    def _watch(self) -> None:
        self._sending.wait()
        while not self._ended.wait(self._display.every_s):
            seen = self._look()
            if seen is not None:
                self._display.show(*seen)

    def _look(self) -> tuple[Snapshot, Speed] | None:
        """How the run stands; None when that cannot be read at the moment."""
        try:
            shot = snapshot.take(self._folder)
        except LedgerError:
            return None  # the run itself tells if it is worse than busy
        return shot, speed_of(shot)


@contextmanager
def watching(folder: Path, *, quiet: bool) -> Iterator[list[Screen]]:
    """The screen for a run, as a list of observers; empty when nobody wants to see it."""
    if quiet:
        yield []
        return
    screen = Screen(folder, _display())
    try:
        yield [screen]
    finally:
        screen.close()


def is_watched() -> bool:
    """Whether anybody sees what goes to standard error: on a terminal, or below a cell."""
    return in_notebook() or (sys.stderr is not None and sys.stderr.isatty())


def _display() -> Display:
    if in_notebook():
        return Cell()
    if not is_watched():
        return Plain()
    from processor.console.bar import Bar  # noqa: PLC0415 - only for terminals, and heavy

    return Bar()
