"""A ceiling on calls a second that refusals set, for limits that no header tells of."""

import math

_MEMORY_S = 5.0
_YOUNG_S = 0.2  # before that a rate cannot be told
_LEAST_CUT = 0.01
_MOST_CUT = 0.5
_CUT_EVERY_S = 0.5
_FLOOR_PER_S = 0.01
_CATCH_UP_S = 0.1  # what a late timer may make up for

_CALM_S = 30.0
_RISE_PER_S = 0.001
_CALM_RISE_PER_S = 0.01
_RISE_STEP_S = 1.0  # a pause between calls proves nothing beyond this
_RELEASE = 4.0  # so many times the pace that was refused is no ceiling any more

_SLOW_DOWN_FACTOR = 0.5
_SLOW_DOWN_HOLD_S = 60.0


class Brake:
    """Falls by the share refused, then rises slowly, and faster after half a minute of calm.

    Attributes:
        per_s: The ceiling; infinite as long as nothing was refused.
    """

    __slots__ = (
        "_at_s",
        "_calls",
        "_cut_s",
        "_first_s",
        "_next_s",
        "_refused",
        "_refused_per_s",
        "_still_until_s",
        "per_s",
    )

    def __init__(self) -> None:
        self.per_s = math.inf
        self._calls = 0.0  # this and the next fade within seconds
        self._refused = 0.0
        self._first_s = math.inf
        self._at_s = 0.0
        self._cut_s = -math.inf
        self._still_until_s = -math.inf
        self._next_s = -math.inf
        self._refused_per_s = math.inf

    def wait_s(self, now_s: float) -> float:
        """Seconds until the next call; 0 or less for now."""
        return self._next_s - now_s

    def take(self, now_s: float) -> None:
        """Count a call."""
        if self._first_s == math.inf:
            self._first_s = self._at_s = now_s
        self._pass(now_s)
        self._calls += 1
        if self.per_s < math.inf:
            self._next_s = max(self._next_s, now_s - _CATCH_UP_S) + 1 / self.per_s

    def refuse(self, at_s: float, now_s: float, pace_per_s: float) -> None:
        """A call was refused.

        Args:
            at_s: When it had gone. One that went before the last cut proves nothing new.
            now_s: When the refusal came.
            pace_per_s: The pace aimed at; infinite when there was none.
        """
        self._pass(now_s)
        self._refused += 1
        if at_s <= self._cut_s or now_s < self._cut_s + _CUT_EVERY_S:
            return
        share = self._refused / max(self._calls, 1.0)
        aimed_per_s = pace_per_s if pace_per_s < math.inf else self._measured_per_s(now_s)
        self._cut(now_s, aimed_per_s, 1 - min(_MOST_CUT, max(_LEAST_CUT, share)))

    def slow_down(self, now_s: float) -> None:
        """The rate rose too fast: half of it for a minute, then up again slowly."""
        self._pass(now_s)
        self._cut(now_s, self._measured_per_s(now_s), _SLOW_DOWN_FACTOR)
        self._still_until_s = now_s + _SLOW_DOWN_HOLD_S

    def _cut(self, now_s: float, aimed_per_s: float, factor: float) -> None:
        self._refused_per_s = min(self.per_s, aimed_per_s)
        self.per_s = max(_FLOOR_PER_S, self._refused_per_s * factor)
        self._cut_s = now_s
        self._refused = 0.0

    def _pass(self, now_s: float) -> None:
        """Let the time since the last look go by."""
        step_s = now_s - self._at_s
        if step_s <= 0:
            return
        self._at_s = now_s
        kept = math.exp(-step_s / _MEMORY_S)
        self._calls *= kept
        self._refused *= kept
        if self.per_s < math.inf and now_s > self._still_until_s:
            self._rise(now_s, step_s)

    def _rise(self, now_s: float, step_s: float) -> None:
        calm = now_s - max(self._cut_s, self._still_until_s) > _CALM_S
        rise_per_s = _CALM_RISE_PER_S if calm else _RISE_PER_S
        self.per_s *= math.exp(rise_per_s * min(step_s, _RISE_STEP_S))
        if self.per_s > _RELEASE * max(self._refused_per_s, _FLOOR_PER_S):
            self.per_s = math.inf

    def _measured_per_s(self, now_s: float) -> float:
        """Calls a second of the last few seconds."""
        age_s = max(_YOUNG_S, now_s - self._first_s)
        return self._calls / (_MEMORY_S * -math.expm1(-age_s / _MEMORY_S))
