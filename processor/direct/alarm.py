"""Waiting for a change or for a time, whichever comes first, on an injected clock."""

import asyncio
from math import inf

from processor.clock import Clock


class Alarm:
    """An event that also sets itself when a time has come.

    The timer lives on when a change comes first, because the next wait is mostly for a time that
    is no earlier; a timer for every wait would cost more than the calls it spaces.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._event = asyncio.Event()
        self._timer: asyncio.Task[None] | None = None
        self._rings_at_s = 0.0

    def ring(self) -> None:
        """Something changed: end the wait."""
        self._event.set()

    def rearm(self) -> None:
        """Changes from now on end the next wait."""
        self._event.clear()

    async def wait(self, until_s: float) -> None:
        """Until a change since `rearm`, or the time (inf: none); it may also end early."""
        if until_s < inf and not self._event.is_set():
            self._set_timer(until_s)
        await self._event.wait()

    def close(self) -> None:
        """Forget the timer."""
        if self._timer is not None:
            self._timer.cancel()

    def _set_timer(self, until_s: float) -> None:
        if self._timer is not None and not self._timer.done():
            if self._rings_at_s <= until_s:
                return
            self._timer.cancel()
        self._rings_at_s = until_s
        self._timer = asyncio.create_task(self._ring_at(until_s), name="alarm")

    async def _ring_at(self, until_s: float) -> None:
        await self._clock.sleep(max(0.0, until_s - self._clock.monotonic()))
        self._event.set()
