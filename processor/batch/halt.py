"""Leaving the lane: waits that end when it is to be left."""

import asyncio
from contextlib import suppress
from math import inf

from processor.clock import Clock
from processor.stop import Stop


class Halt:
    """Tells whether the lane is to be left, and why if something stopped it.

    Args:
        clock: Time.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._asked = asyncio.Event()
        self._stop: Stop | None = None
        self._stuck: Stop | None = None
        self._closed = False

    @property
    def stop(self) -> Stop | None:
        """Why the job cannot go on, or not with everything; the first reason counts."""
        return self._stop or self._stuck

    @property
    def asked(self) -> bool:
        """Whether nothing new is to be started."""
        return self._asked.is_set()

    @property
    def sends(self) -> bool:
        """Whether shards that are no batch yet may become one."""
        return not (self._closed or self.asked)

    def leave(self) -> None:
        """Start nothing new."""
        self._asked.set()

    def stop_for(self, code: str, message: str) -> None:
        """Leave, because the job cannot go on."""
        if self._stop is None:
            self._stop = Stop(code=code, message=message)
        self.leave()

    def leave_one(self, code: str, message: str) -> None:
        """A shard cannot go on until somebody has decided about it; others do, and then it ends."""
        if self._stuck is None:
            self._stuck = Stop(code=code, message=message)

    def close_for(self, code: str, message: str) -> None:
        """The same, and another shard would fare no better: none is sent any more."""
        self._closed = True
        self.leave_one(code, message)

    async def wait(self, seconds: float = inf, wake: asyncio.Event | None = None) -> None:
        """Wait until the time is over, the event is set, or the lane is to be left."""
        waits: list[asyncio.Future[object]] = [asyncio.ensure_future(self._asked.wait())]
        if seconds < inf:
            waits.append(asyncio.ensure_future(self._clock.sleep(max(0.0, seconds))))
        if wake is not None:
            waits.append(asyncio.ensure_future(wake.wait()))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            for wait in waits:
                with suppress(asyncio.CancelledError):
                    await wait
