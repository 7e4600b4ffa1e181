"""The time that the sandbox lives in."""

import asyncio
import heapq
import itertools
import time
from typing import Protocol

# Of a wait: what floats lose when times are added up.
FORGIVEN_S = 1e-9


class Clock(Protocol):
    """What tells the time and lets it pass."""

    @property
    def runs(self) -> bool:
        """Whether it moves by itself."""

    def monotonic(self) -> float:
        """Seconds that never go back."""

    def time(self) -> float:
        """Seconds since 1970."""

    async def sleep(self, seconds: float) -> None:
        """Return after that much of this clock's time."""


class SystemClock:
    """The machine's time."""

    runs = True

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return time.monotonic()

    def time(self) -> float:
        """Seconds since 1970."""
        return time.time()

    async def sleep(self, seconds: float) -> None:
        """Return after that many seconds."""
        await asyncio.sleep(seconds)


class ManualClock:
    """Time that stands still until somebody moves it.

    Args:
        start_s: What `time` says at first, in seconds since 1970.
    """

    runs = False

    def __init__(self, start_s: float = 1_795_000_000.0) -> None:
        self._start_s = start_s
        self._now_s = 0.0
        self._order = itertools.count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._fell_asleep = asyncio.Event()

    def monotonic(self) -> float:
        """Seconds by which the clock was moved so far."""
        return self._now_s

    def time(self) -> float:
        """The start plus the seconds by which the clock was moved."""
        return self._start_s + self._now_s

    @property
    def sleepers(self) -> int:
        """How many are waiting for the clock to move."""
        return sum(not future.done() for _, _, future in self._sleepers)

    async def sleep(self, seconds: float) -> None:
        """Return once the clock was moved by that much; zero lets others run once."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now_s + seconds, next(self._order), future))
        self._fell_asleep.set()
        await future

    async def asleep(self, count: int = 1) -> None:
        """Return once at least so many wait for the clock to move."""
        while self.sleepers < count:
            self._fell_asleep.clear()
            await self._fell_asleep.wait()

    def advance(self, seconds: float) -> None:
        """Move the clock and wake who is due, earliest first.

        A sleeper runs after this call has returned; one that sleeps again counts from the new time.

        Raises:
            ValueError: Time does not go back.
        """
        if not seconds >= 0:
            raise ValueError(f"a clock moves forward, not by {seconds} s")
        self._now_s += seconds
        while self._sleepers and self._sleepers[0][0] <= self._now_s + FORGIVEN_S:
            _, _, future = heapq.heappop(self._sleepers)
            if not future.done():
                future.set_result(None)
