"""How fast the direct lane is, as a run sees it. Pure; times are monotonic seconds.

Cautious: a deadline that is missed costs more than a batch that is taken back too early.
"""

from collections import deque
from dataclasses import dataclass
from typing import NamedTuple

_LATEST_S = 300.0
_SURE_S, _SURE_ITEMS = 60.0, 50  # either is enough; a sample may be over within seconds
_CAUTION = 0.8  # of what was seen
_BELIEF = 0.5  # of what is only believed, or was seen between outages
_LEAST_PER_S = 0.01


@dataclass(frozen=True, slots=True)
class Estimate:
    """Items a second; `is_measured` when calls of this run told it."""

    per_s: float
    is_measured: bool


class _Stretch(NamedTuple):
    """Of time; `until_s` is without outages."""

    until_s: float
    works_s: float
    out_s: float
    done: float


class Speed:
    """Counts what the lane does while it has something to do.

    Outages count, as one may follow another. But they end: then the lane is as fast as it was, so
    half of that is believed all the time.

    Args:
        believed_per_s: Before anything is measured.
    """

    def __init__(self, *, believed_per_s: float) -> None:
        self._believed_per_s = believed_per_s
        self._busy: deque[_Stretch] = deque()
        self._out_s = 0.0
        self._at_s: float | None = None

    def look(self, now_s: float, done: float, *, busy: bool, out: bool = False) -> None:
        """Take note of a stretch of time.

        Args:
            now_s: Its end; its begin is the look before.
            done: Items that were done in it.
            busy: Whether there was something to do all the time, or to its last call.
            out: Whether no call got through.
        """
        since_s, self._at_s = self._at_s, now_s
        if since_s is None or not (done or busy):
            return
        seconds, is_out = now_s - since_s, out and not done
        self._out_s += seconds if is_out else 0.0
        until_s = now_s - self._out_s
        works_s, out_s = (0.0, seconds) if is_out else (seconds, 0.0)
        if is_out and self._busy and not self._busy[-1].works_s:  # one may last for a day
            out_s += self._busy.pop().out_s
        self._busy.append(_Stretch(until_s, works_s, out_s, done))
        while self._busy[0].until_s < until_s - _LATEST_S and len(self._busy) > 1:
            self._busy.popleft()

    @property
    def estimate(self) -> Estimate:
        """The speed, cautiously."""
        works_s = sum(each.works_s for each in self._busy)
        seconds = works_s + sum(each.out_s for each in self._busy)
        done = sum(each.done for each in self._busy)
        believed_per_s = _BELIEF * self._believed_per_s
        if not done or not works_s:
            return Estimate(believed_per_s, is_measured=False)
        per_s = max(_LEAST_PER_S, _CAUTION * done / seconds, _BELIEF * done / works_s)
        # A lane that has hardly begun says nothing against a belief.
        if seconds < _SURE_S and done < _SURE_ITEMS:
            per_s = max(per_s, believed_per_s)
        return Estimate(per_s, is_measured=True)
