"""How a run stands, told to all who look at it: one reader a run, however many they are.

The reader works only while somebody looks, and reads only when the ledger or the one who works on
it changed. A listener takes the latest of what there is when it is ready, so that nothing is kept
for those who are slow.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from processor.errors import LedgerError
from processor.ledger.database import LEDGER_NAME
from processor.web import looks
from processor.web.replies import encoded
from processor.web.stamps import Stamp, stamp_of

# What changes with time alone, or so soon after a read that no file shows it, is seen after this.
_AT_LEAST_EVERY_S = 10.0
# So many points are kept; beyond that the run has thinned its own, and all are read again.
_MOST_POINTS = 4_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What is told at one moment.

    Attributes:
        version: Counts from 1; another one tells something else.
        stamp: Of the files that it was read from.
        look: All but the points; empty when it cannot be read.
        points: All that are known, in the order of their numbers, which each begins with.
        problem: Why it cannot be read; empty when it can.
        is_gone: Whether there is no such run any more.
    """

    version: int
    stamp: Stamp
    look: dict[str, Any]
    points: Sequence[Sequence[Any]] = ()
    problem: str = ""
    is_gone: bool = False

    def after(self, number: int) -> bytes:
        """As JSON, with the points behind one."""
        newer = [point for point in self.points if point[0] > number]
        return encoded({**self.look, "points": newer})

    @property
    def last_point(self) -> int:
        """The number of the latest; 0 without any."""
        return int(self.points[-1][0]) if self.points else 0

    def content(self) -> tuple[object, ...]:
        """What tells it from another."""
        return (self.look, self.problem, self.is_gone, self.last_point, self.stamp.ledger)


class Watch:
    """The reader of one run.

    Args:
        name: The run's, in addresses.
        folder: The run's.
        in_thread: Calls a function in a thread.
        every_s: How often it reads at most.
    """

    def __init__(
        self, name: str, folder: Path, in_thread: Callable[..., Awaitable[Any]], every_s: float
    ) -> None:
        self._name = name
        self._folder = folder
        self._every_s = every_s
        self._in_thread = in_thread
        self._frame: Frame | None = None
        self._looked_s = self._read_s = -_AT_LEAST_EVERY_S
        self._one_at_a_time = asyncio.Lock()
        self._changed = asyncio.Event()
        self._listeners = 0
        self._ticking: asyncio.Task[None] | None = None

    async def frame(self) -> Frame:
        """How the run stands, or stood a moment ago."""
        async with self._one_at_a_time:  # who comes meanwhile takes what the first one has read
            before = self._frame
            if before is None or time.monotonic() - self._looked_s >= self._every_s:
                before = await self._in_thread(self._now, before)
                self._looked_s = time.monotonic()
                self._show(before)
            return before

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Let the run be read again and again as long as this lasts."""
        self._listeners += 1
        if self._ticking is None:
            self._ticking = asyncio.create_task(self._tick(), name=f"watch {self._name}")
        try:
            yield
        finally:
            self._listeners -= 1
            if not self._listeners and self._ticking is not None:
                self._ticking.cancel()
                self._ticking = self._frame = None  # whoever comes next is told what is then

    async def newer(self, version: int, most_s: float) -> Frame | None:
        """A frame of another version, for who is listening; None when there is none in time."""
        if self._frame is not None and self._frame.version != version:
            return self._frame
        ticking = self._ticking
        assert ticking is not None
        changed = asyncio.create_task(self._changed.wait())
        try:
            await asyncio.wait(
                {changed, ticking}, timeout=most_s, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            changed.cancel()
        if ticking.done():
            ticking.result()  # raises what ended it
        frame = self._frame
        return frame if frame is not None and frame.version != version else None

    def _show(self, frame: Frame) -> None:
        is_new = self._frame is None or self._frame.version != frame.version
        self._frame = frame
        if is_new:
            self._changed.set()
            self._changed = asyncio.Event()

    async def _tick(self) -> None:
        while True:
            await self.frame()
            await asyncio.sleep(self._every_s)

    def _now(self, before: Frame | None) -> Frame:
        """The frame of this moment: the one before when nothing changed."""
        stamp = stamp_of(self._folder)
        is_due = time.monotonic() - self._read_s >= _AT_LEAST_EVERY_S
        if before is not None and before.stamp == stamp and not is_due:
            return before
        found = self._read(before, stamp)
        self._read_s = time.monotonic()
        if before is not None and found.content() == before.content():
            return replace(before, stamp=stamp)
        return found

    def _read(self, before: Frame | None, stamp: Stamp) -> Frame:
        version, known = 1, list[Sequence[Any]]()
        if before is not None:
            version = before.version + 1
            if stamp.ledger == before.stamp.ledger and len(before.points) < _MOST_POINTS:
                known = list(before.points)
        try:
            look = looks.take(self._folder, known[-1][0] if known else 0)
        except LedgerError as error:
            is_gone = not (self._folder / LEDGER_NAME).exists()
            return Frame(version=version, stamp=stamp, look={}, problem=str(error), is_gone=is_gone)
        look["name"], newer = self._name, look.pop("points")
        return Frame(version=version, stamp=stamp, look=look, points=[*known, *newer])
