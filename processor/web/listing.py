"""The runs that there are, in a line each; and one run."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import Any

from aiohttp import web

from processor.errors import LedgerError
from processor.web import looks
from processor.web.questions import number
from processor.web.replies import UNREADABLE, NoRunError, refused, told
from processor.web.runs import Runs, shown
from processor.web.shared import SHARED, watch_of
from processor.web.stamps import Stamp, stamp_of


class Listing:
    """The lines of all runs; one is read again only when it changed.

    Args:
        runs: Which there are.
        every_s: How often they are looked at, at most.
    """

    def __init__(self, runs: Runs, every_s: float) -> None:
        self._runs = runs
        self._every_s = every_s
        self._lines: dict[Path, tuple[Stamp, Mapping[str, Any]]] = {}
        self._listed: Sequence[Mapping[str, Any]] = ()
        self._listed_s = -every_s
        self._one_at_a_time = Lock()

    def read(self) -> Sequence[Mapping[str, Any]]:
        """A line for each run, the one that began last first."""
        with self._one_at_a_time:  # who comes meanwhile takes what the first one has read
            if time.monotonic() - self._listed_s >= self._every_s:
                lines = [self._line(name, folder) for name, folder in self._runs.all().items()]
                lines.sort(key=lambda line: line["started_at"] or "", reverse=True)
                self._listed, self._listed_s = lines, time.monotonic()
            return self._listed

    def _line(self, name: str, folder: Path) -> dict[str, Any]:
        stamp = stamp_of(folder)
        if (known := self._lines.get(folder)) is None or known[0] != stamp:
            self._lines[folder] = known = stamp, _line_of(folder)
        return {"name": name, "folder": shown(folder), **known[1]}


def _line_of(folder: Path) -> Mapping[str, Any]:
    try:
        return looks.line(folder)
    except LedgerError as error:
        return looks.unreadable(str(error))


LISTING = web.AppKey("listing", Listing)


async def runs(request: web.Request) -> web.Response:
    """Every run, in a line."""
    return told(await request.app[SHARED].look(request.app[LISTING].read))


async def run(request: web.Request) -> web.Response:
    """One run, with the points behind one."""
    after = number(request, "after", 0, least=0, most=2**53)
    frame = await watch_of(request).frame()
    if frame.is_gone:
        raise NoRunError(frame.problem)
    if frame.problem:
        return refused(UNREADABLE, frame.problem)
    return web.Response(body=frame.after(after), content_type="application/json")
