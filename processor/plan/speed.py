"""How fast the direct lane is, as a run sees it. Pure; times are monotonic seconds.

Cautious: a deadline that is missed costs more than a batch that is taken back too early.
"""

from collections import deque
from dataclasses import dataclass

_LATEST_S = 300.0
_SURE_S = 60.0
_CAUTION = 0.8  # of what was seen
_BELIEF = 0.5  # of what is only believed
_LEAST_PER_S = 0.01


@dataclass(frozen=True, slots=True)
class Estimate:
    """Items a second; `is_measured` when calls of this run told it."""

    per_s: float
    is_measured: bool


class Speed:
    """Counts what the lane does while it has something to do.

    Args:
        believed_per_s: Before anything is measured.
    """

    def __init__(self, *, believed_per_s: float) -> None:
        self._believed_per_s = believed_per_s
        self._busy: deque[tuple[float, float, int]] = deque()  # until, seconds, items
        self._at_s: float | None = None

    def look(self, now_s: float, done: int, *, busy: bool) -> None:
        """Take note of a stretch of time.

        Args:
            now_s: Its end; its begin is the look before.
            done: Items that were done in it.
            busy: Whether there was something to do all the time, or to its last call.
        """
        since_s, self._at_s = self._at_s, now_s
        if since_s is None or not (done or busy):
            return
        self._busy.append((now_s, now_s - since_s, done))
        while self._busy[0][0] < now_s - _LATEST_S and len(self._busy) > 1:
            self._busy.popleft()

    @property
    def estimate(self) -> Estimate:
        """The speed, cautiously."""
        seconds = sum(each[1] for each in self._busy)
        done = sum(each[2] for each in self._busy)
        believed_per_s = _BELIEF * self._believed_per_s
        if not done or not seconds:
            return Estimate(believed_per_s, is_measured=False)
        per_s = max(_LEAST_PER_S, _CAUTION * done / seconds)
        if seconds < _SURE_S:  # a lane that has hardly begun says nothing against a belief
            per_s = max(per_s, believed_per_s)
        return Estimate(per_s, is_measured=True)
