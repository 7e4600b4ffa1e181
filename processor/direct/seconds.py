"""The seconds of a limiter that counts by the second: where they begin, what fits into one.

Such a second has room for whole calls only. Of 6.7 that others leave, an even pace gets six: the
seventh comes when the second is as good as over and the others have taken their share. Whoever
knows where seconds begin sends in their first part, and gets what is there.

Refusals tell it: the wait that they ask for ends where the next second begins. That of a bucket
ends anywhere.
"""

import math

_PERIOD_S = 1.0
_SAME_S = 0.04
_AGREED = 3  # refusals in a row that tell the same
_HASTE = 1.5  # times the even pace, within a second
_OPEN_S = 0.8  # nothing is sent in the last part of a second


class Seconds:
    """Calls in the seconds of a limiter."""

    __slots__ = ("_agreed", "_edge_s", "_room", "_second", "_sent_before", "_strays")

    def __init__(self) -> None:
        self._edge_s = 0.0
        self._agreed = 0
        self._strays = 0
        self._second = -math.inf
        self._sent_before = 0
        self._room = 0.0

    @property
    def known(self) -> bool:
        """Whether there are such seconds, as far as refusals tell."""
        return self._agreed >= _AGREED

    def refused_until(self, ends_s: float) -> None:
        """A refusal asked to wait until then."""
        off_s = math.remainder(ends_s - self._edge_s, _PERIOD_S)
        if abs(off_s) <= _SAME_S:
            self._agreed, self._strays = self._agreed + 1, 0
        elif self.known and self._strays + 1 < _AGREED:
            self._strays += 1  # read late: what is known since long is known better
            return
        else:
            self._agreed, self._strays = 1, 0
        self._edge_s = ends_s

    def accepted(self, sent: int) -> int:
        """How many calls of the present second were accepted before one was refused.

        Args:
            sent: Calls up to that one, itself included.
        """
        return max(0, sent - self._sent_before - 1)

    def take(self, now_s: float, sent: int, per_s: float) -> float:
        """A call goes now; when the next one may.

        Args:
            now_s: The time.
            sent: Calls before it.
            per_s: What fits into a second; a fraction is saved up for a later one.
        """
        second = math.floor((now_s - self._edge_s) / _PERIOD_S)
        if second != self._second:
            self._second, self._sent_before = second, sent
            self._room = per_s * _PERIOD_S + self._room % 1.0
        self._room -= 1
        if self._room < 1:
            return self._edge_s + (second + 1) * _PERIOD_S
        return now_s + 1 / (per_s * _HASTE)

    def opens_s(self, now_s: float) -> float:
        """When a call may go: now, or when the next second begins."""
        gone_s = (now_s - self._edge_s) % _PERIOD_S
        return now_s if gone_s < _OPEN_S else now_s - gone_s + _PERIOD_S
