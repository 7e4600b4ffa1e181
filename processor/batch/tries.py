"""How often a call is made again that failed, and after what wait."""

import random

from processor.batch.halt import Halt
from processor.batch.remote_values import RemoteError, Trouble
from processor.clock import Clock

_BASE_S = 0.5
_CAP_S = 60.0


class Tries:
    """Patience with one step of a shard; begins anew with every success.

    Args:
        clock: Time.
        halt: Of the lane; stopped when patience ends.
        rng: Jitter.
        give_up_s: How long failures may go on.
    """

    def __init__(self, clock: Clock, halt: Halt, rng: random.Random, *, give_up_s: float) -> None:
        self._clock = clock
        self._halt = halt
        self._rng = rng
        self._give_up_s = give_up_s
        self._failures = 0
        self._since_s = 0.0

    @property
    def failures(self) -> int:
        """Since the last success."""
        return self._failures

    def succeeded(self) -> None:
        """Forget what failed."""
        self._failures = 0

    async def failed(self, error: RemoteError) -> None:
        """Wait before the next try; the lane is stopped for what no try will mend."""
        now_s = self._clock.monotonic()
        if not self._failures:
            self._since_s = now_s
        self._failures += 1
        mends = error.trouble in {Trouble.AGAIN, Trouble.GONE, Trouble.QUOTA}
        if not mends or now_s - self._since_s >= self._give_up_s:
            self._halt.stop_for(error.code, str(error))
            return
        wait_s = min(_CAP_S, _BASE_S * 2 ** min(self._failures - 1, 10))
        wait_s *= self._rng.uniform(0.5, 1.0)
        await self._halt.wait(max(wait_s, error.retry_after_s or 0.0))
