"""Total deadlines of calls: one watcher for all, because they all have the same one."""

import asyncio

from processor.clock import Clock


class Deadlines:
    """Cancels calls that take too long.

    A timer for every call would cost more than it tells: equal deadlines fall due in the order in
    which the calls began, so that the oldest call is the only one to look at.

    Args:
        timeout_s: What a call may take in all; noticed up to a hundredth of it late.

    Attributes:
        started_s: When each call that is watched began, the oldest first.
    """

    def __init__(self, timeout_s: float, clock: Clock) -> None:
        self.timeout_s = timeout_s
        self._clock = clock
        self.started_s: dict[asyncio.Task[None], float] = {}
        self._overdue: set[asyncio.Task[None]] = set()

    def begin(self, call: asyncio.Task[None]) -> None:
        """Watch a call from now on."""
        self.started_s[call] = self._clock.monotonic()

    def end(self, call: asyncio.Task[None]) -> None:
        """A call is over; its task may begin another."""
        self.started_s.pop(call, None)
        self._overdue.discard(call)

    def is_overdue(self, call: asyncio.Task[None]) -> bool:
        """Whether it was this watcher that cancelled the call."""
        return call in self._overdue

    async def watch(self) -> None:
        """Run beside the calls; never returns."""
        while True:
            due_s = self._cancel_overdue()
            wait_s = due_s - self._clock.monotonic()
            await self._clock.sleep(max(wait_s, self.timeout_s / 100))

    def cancel_all(self) -> list[asyncio.Task[None]]:
        """End all calls; returns them, to be waited for."""
        calls = list(self.started_s)
        for call in calls:
            call.cancel()
        return calls

    def _cancel_overdue(self) -> float:
        """Cancel what is overdue; returns when the next call falls due."""
        now_s = self._clock.monotonic()
        for call, started_s in self.started_s.items():
            if started_s + self.timeout_s > now_s:
                return started_s + self.timeout_s
            if call not in self._overdue:
                self._overdue.add(call)
                call.cancel()
        return now_s + self.timeout_s
