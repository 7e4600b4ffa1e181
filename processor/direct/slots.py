"""Where calls are in flight: a task for each slot, which makes one call after another."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from math import inf
from typing import Protocol

from processor.clock import Clock
from processor.direct.backlog import Work
from processor.direct.deadlines import Deadlines
from processor.direct.pace import Ticket

Turn = tuple[Work, Ticket]
"""Work that may be sent now, and its place in the order of calls."""


class CutOff(Protocol):
    """Told of work whose call was cancelled."""

    def __call__(self, work: Work, *, begun: bool, overdue: bool) -> None:
        """Whether the call had begun, and whether it was cancelled for being overdue."""


@dataclass(slots=True)
class _Slot:
    """One task and its call in flight; `begun` once the task has begun to run."""

    turn: Turn
    begun: bool = False


class Slots:
    """Calls in flight, each with the same total deadline.

    A slot that becomes free asks for the next turn by itself: waking up the dispatcher and making
    a new task would cost more than the choice.

    Args:
        timeout_s: A call's total deadline.
        clock: Time.
        call: Makes a call; a cancellation for which `is_overdue` is False must leave it.
        follow: The turn that may follow at once; None when there is none.
        cut_off: Told of work whose call was cancelled.
        vacated: Told that a slot is gone.

    Attributes:
        crash: What broke a call that is no fault of the world.
    """

    def __init__(
        self,
        timeout_s: float,
        clock: Clock,
        *,
        call: Callable[[Work, Ticket], Awaitable[None]],
        follow: Callable[[], Turn | None],
        cut_off: CutOff,
        vacated: Callable[[], None],
    ) -> None:
        self._calls = Deadlines(timeout_s, clock)
        self._call = call
        self._follow = follow
        self._cut_off = cut_off
        self._vacated = vacated
        self.crash: BaseException | None = None

    def __len__(self) -> int:
        """Calls in flight."""
        return len(self._calls.started_s)

    @property
    def oldest_s(self) -> float:
        """When the oldest call in flight had gone; inf without any."""
        return next(iter(self._calls.started_s.values()), inf)

    async def watch(self) -> None:
        """Run beside the calls and end those that take too long; never returns."""
        await self._calls.watch()

    def start(self, turn: Turn) -> None:
        """Make a call, and those that follow it."""
        slot = _Slot(turn)
        task = asyncio.create_task(self._serve(slot), name="slot")
        self._calls.begin(task)
        task.add_done_callback(partial(self._ended, slot))

    def is_overdue(self) -> bool:
        """Whether the call of the current task was cancelled for taking too long."""
        task = asyncio.current_task()
        assert task is not None
        return self._calls.is_overdue(task)

    def cancel_all(self) -> list[asyncio.Task[None]]:
        """End all calls; returns their tasks, to be waited for."""
        return self._calls.cancel_all()

    def note_crash(self, task: asyncio.Task[None]) -> None:
        """Keep what broke a task that has ended, if anything did, and tell that it has ended."""
        if not task.cancelled() and task.exception() is not None:
            self.crash = self.crash or task.exception()
        self._vacated()

    async def _serve(self, slot: _Slot) -> None:
        task = asyncio.current_task()
        assert task is not None
        slot.begun = True
        turn: Turn | None = slot.turn
        while turn is not None:
            slot.turn = turn
            await self._call(*turn)
            if self._calls.is_overdue(task):
                task.uncancel()
            self._calls.end(task)
            turn = self._follow()
            if turn is not None:
                self._calls.begin(task)

    def _ended(self, slot: _Slot, task: asyncio.Task[None]) -> None:
        if task.cancelled():
            overdue = self._calls.is_overdue(task)
            self._cut_off(slot.turn[0], begun=slot.begun, overdue=overdue)
        self._calls.end(task)
        self.note_crash(task)
