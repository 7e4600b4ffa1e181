"""Time that runs quicker than the machine's; for the run and for the sandbox alike."""

import asyncio
import time
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class QuickClock:
    """A clock that is right at one moment, and runs quicker from then on.

    Attributes:
        speed: Its seconds in a second.
        anchor_s: When it was right, in seconds since 1970; now by default.
        off_s: By how much it is ahead all the time.
    """

    speed: float
    anchor_s: float = field(default_factory=time.time)
    off_s: float = 0.0

    @property
    def runs(self) -> bool:
        """It moves by itself."""
        return True

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return time.monotonic() * self.speed

    def time(self) -> float:
        """Seconds since the epoch."""
        return self.anchor_s + self.off_s + (time.time() - self.anchor_s) * self.speed

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds / self.speed)
