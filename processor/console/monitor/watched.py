"""A run that is looked at again and again."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from processor.console.monitor.picture import Scene
from processor.errors import LedgerError
from processor.ledger.samples import MOST
from processor.watch import look
from processor.watch.course import timing_of
from processor.watch.look import Look
from processor.watch.trend import Point

_ENDED_WELL, _UNREADABLE, _INTERRUPTED = 0, 5, 130
_PATIENCE_LOOKS = 5


class Watched:
    """A run, as it was seen last.

    Args:
        folder: The run's.
        name: What it is called among several; its folder's name unless told otherwise.

    Attributes:
        scene: None before it could be read.
        problem: Why it could not be read just now; None when it could.
    """

    def __init__(self, folder: Path, name: str | None = None) -> None:
        self.folder = folder
        self.name = name or folder.name
        self.scene: Scene | None = None
        self.problem: LedgerError | None = None
        self._points: Sequence[Point] = ()
        self._failed_looks = 0

    @property
    def look(self) -> Look | None:
        """As it was seen last."""
        return None if self.scene is None else self.scene.look

    @property
    def is_over(self) -> bool:
        """Whether there is nothing more to be seen: it ended, was killed, or is not there."""
        if self.problem is not None:
            return self.scene is None or self._failed_looks >= _PATIENCE_LOOKS
        return self.scene is not None and not self.scene.look.is_running

    @property
    def exit_code(self) -> int:
        """Of a run that is over: its own; of one that was killed that of an interruption."""
        if self.problem is not None:
            return _UNREADABLE
        session = None if self.look is None else self.look.shot.session
        if session is None or session.exit_code is None:
            return _INTERRUPTED
        return session.exit_code

    def refresh(self) -> Look | None:
        """Look again; the new look, with new points only; None when it cannot be read."""
        try:
            fresh = self._taken()
        except LedgerError as error:
            self.problem = error
            self._failed_looks += 1
            return None
        self.problem, self._failed_looks = None, 0
        self._keep(fresh.points)
        self.scene = Scene(
            look=replace(fresh, points=self._points),
            timing=timing_of(fresh.shot),
            now_s=time.time(),
        )
        return fresh

    def _taken(self) -> Look:
        fresh = look.take(self.folder, after=self._points[-1].number if self._points else 0)
        if self.look is None or fresh.shot.run_id == self.look.shot.run_id:
            return fresh
        self._points = ()  # --new has put another run in its place
        return look.take(self.folder)

    def _keep(self, fresh: Sequence[Point]) -> None:
        points = [*self._points, *fresh]
        # The run thins its own; beyond that many every second of ours says as much.
        self._points = points[(len(points) - 1) % 2 :: 2] if len(points) > MOST else points


def watched(folders: Sequence[Path]) -> list[Watched]:
    """Runs by their folders; those of one name are called by their whole paths."""
    counts = Counter(folder.name for folder in folders)
    return [
        Watched(folder, folder.name if counts[folder.name] == 1 else str(folder))
        for folder in folders
    ]


def look_first(runs: Sequence[Watched]) -> list[Look | None]:
    """Look at each; what a single one cannot be read for is raised, of several it is told.

    Raises:
        LedgerError: The only run cannot be read.
    """
    looks = [run.refresh() for run in runs]
    if len(runs) == 1 and runs[0].problem is not None:
        raise runs[0].problem
    return looks


def exit_code_of(runs: Sequence[Watched]) -> int:
    """Of all: the worst."""
    return max((run.exit_code for run in runs), default=_ENDED_WELL)
