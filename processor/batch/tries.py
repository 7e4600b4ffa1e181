"""How often a call is made again that failed, and after what wait."""

from processor.batch.remote_values import RemoteError, Trouble
from processor.batch.tools import Tools
from processor.notice import Notice

_BASE_S = 0.5
_CAP_S = 60.0
_ASKED_MOST_S = 3_600.0


class Tries:
    """Patience with one step of a shard; begins anew with every success.

    Args:
        tools: Of the lane, which is stopped when patience ends.
        shard: Its number.

    Attributes:
        yields: Whether the lane goes on instead, as the shard may go another way.
        exhausted: Why it has to; None while there is patience.
    """

    def __init__(self, tools: Tools, shard: int) -> None:
        self._clock = tools.clock
        self._halt = tools.halt
        self._rng = tools.rng
        self._tell = tools.tell
        self._give_up_s = tools.rules.give_up_s
        self._shard = shard
        self._failures = 0
        self._since_s = 0.0
        self.yields = False
        self.exhausted: RemoteError | None = None

    @property
    def failures(self) -> int:
        """Since the last success."""
        return self._failures

    def succeeded(self) -> None:
        """Forget what failed."""
        self._failures = 0

    def rested(self, seconds: float) -> None:
        """Nothing was tried for so long, because nothing is to be sent."""
        self._since_s += seconds

    async def failed(self, error: RemoteError, *, alone: bool = False) -> bool:
        """Wait before the next try; the lane is stopped for what no try will mend.

        Args:
            error: Of the call.
            alone: It is about this shard's own: others go on, unless it concerns the whole job.

        Returns:
            Whether there is a next try.
        """
        now_s = self._clock.monotonic()
        if not self._failures:
            self._since_s = now_s
        self._failures += 1
        asked_s = error.retry_after_s or 0.0
        mends = error.trouble in {Trouble.AGAIN, Trouble.GONE, Trouble.QUOTA}
        if not mends or asked_s > _ASKED_MOST_S or now_s - self._since_s >= self._give_up_s:
            if self.yields and error.trouble is not Trouble.FATAL:
                self.exhausted = error
            elif alone and error.trouble is not Trouble.FATAL:
                self._halt.leave_one(error.code, f"shard {self._shard}: {error}")
            else:
                self._halt.stop_for(error.code, str(error))
            return False
        self._since_s += asked_s  # who is asked to wait has the provider
        wait_s = min(_CAP_S, _BASE_S * 2 ** min(self._failures - 1, 10))
        wait_s = max(wait_s * self._rng.uniform(0.5, 1.0), asked_s)
        facts = {
            "shard": self._shard,
            "code": error.code,
            "message": str(error),
            "wait_s": round(wait_s, 3),
        }
        self._tell(Notice(event="call_failed", serious=True, facts=facts))
        await self._halt.wait(wait_s)
        return True
