"""Time that passes faster than the machine's."""

import asyncio
import time


class ScaledClock:
    """A clock for a run whose provider answers so many times faster than a real one would.

    Waits and durations are those of the slow provider. The date stays the machine's, because it is
    compared with what the provider says.

    Args:
        scale: Its seconds in one of the machine's.
    """

    def __init__(self, scale: float) -> None:
        self._scale = scale

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return time.monotonic() * self._scale

    def time(self) -> float:
        """Seconds since the epoch, unscaled."""
        return time.time()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds / self._scale)
