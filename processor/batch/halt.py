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

    Attributes:
        closed: Models of which no shard is sent any more.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._asked = asyncio.Event()
        self._stop: Stop | None = None
        self._stuck: Stop | None = None
        self._going = asyncio.Event()
        self._going.set()
        self.closed: set[str] = set()

    @property
    def stop(self) -> Stop | None:
        """Why the job cannot go on, or not with everything; the first reason counts."""
        return self._stop or self._stuck

    @property
    def asked(self) -> bool:
        """Whether nothing new is to be started."""
        return self._asked.is_set()

    def sends(self, model: str) -> bool:
        """Whether shards of a model that are no batch yet may become one."""
        return not (self.asked or model in self.closed)

    @property
    def is_paused(self) -> bool:
        """Whether nothing is sent until somebody lets it go on."""
        return not self._going.is_set()

    def pause(self) -> None:
        """Send nothing new for now; what is at the provider is watched, and fetched."""
        self._going.clear()

    def resume(self) -> None:
        """Go on with sending."""
        self._going.set()

    async def until_going(self) -> float:
        """Wait while nothing is to be sent, or until the lane is to be left; returns how long."""
        if not self.is_paused:
            return 0.0
        begun_s = self._clock.monotonic()
        await self.wait(wake=self._going)
        return self._clock.monotonic() - begun_s

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

    def close_for(self, code: str, message: str, *, model: str) -> None:
        """The same, and another shard of the model would fare no better: none is sent any more."""
        self.closed.add(model)
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
