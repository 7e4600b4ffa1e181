"""The runs that there are, in a line each; and one run."""

from collections.abc import Mapping
from pathlib import Path
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
    """

    def __init__(self, runs: Runs) -> None:
        self._runs = runs
        self._lines: dict[Path, tuple[Stamp, Mapping[str, Any]]] = {}

    def read(self) -> list[dict[str, Any]]:
        """A line for each run, the one that began last first."""
        lines = [self._line(name, folder) for name, folder in self._runs.all().items()]
        return sorted(lines, key=lambda line: line["started_at"] or "", reverse=True)

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
