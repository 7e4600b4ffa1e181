"""A ceiling on calls a second that refusals set, for limits that no header tells of."""

import math
from collections import deque

from processor.direct.seconds import Seconds

_MEMORY_S = 5.0
_YOUNG_S = 0.2  # before that a rate cannot be told

_PAUSE_MOST_S = 1.0  # who is told to wait longer waits alone
_SPAN_S = 0.5  # in less time too few calls are accepted to tell a rate
_LATELY_S = 1.0
_MARGIN_LEAST = 0.01
_MARGIN_MOST = 0.02
_MARGIN_CALLS_PER_S = 0.2  # a limiter takes whole calls: what it accepted is not known better
_MOST_CUT = 0.5
# A cut costs more calls than so few refusals do; late timers bring them about.
_RARE = 5
_RARE_CALLS = 5_000
_FLOOR_PER_S = 0.01
# What a late timer may make up for: in a second that is full already it is too much.
_CATCH_UP_S = 0.1
_CATCH_UP_LEAST_S = 0.02
_CATCH_UP_CUT = 0.25
_CATCH_UP_RISE_PER_S = 0.05

# Rising too far costs a call, so that few calls a second rise more slowly, within bounds.
_RISE_PER_S = 0.001
_RISE_LEAST_PER_S = 0.0003
_RISE_FULL_FROM_PER_S = 20.0
_CALM_RISE_PER_S = 0.01
_CALM_CALLS = 500
_CALM_S = 30.0
_CALM_MOST_S = 90.0
_RISE_STEP_S = 1.0  # a pause between calls proves nothing beyond this
_RELEASE = 4.0  # so many times the pace that was refused is no ceiling any more

_WHOLE_CALLS_MATTER_PER_S = 20.0

_SLOW_DOWN_FACTOR = 0.5
_SLOW_DOWN_HOLD_S = 60.0


class Brake:
    """Falls to what was accepted, then rises slowly, and faster after half a minute of calm.

    Whoever refuses a call while something is left counts in periods that are short, a second
    mostly, and says when the next one begins. What comes before is refused as well: a pause loses
    nothing, and what is accepted from one such moment to the next is the limit.

    Attributes:
        per_s: The ceiling; infinite as long as nothing was refused.
    """

    __slots__ = (
        "_at_s",
        "_by_seconds",
        "_calls",
        "_catch_up_s",
        "_cut_s",
        "_first_s",
        "_lately",
        "_next_s",
        "_rare",
        "_refused",
        "_refused_per_s",
        "_seconds",
        "_sent",
        "_since",
        "_still_until_s",
        "per_s",
    )

    def __init__(self) -> None:
        self.per_s = math.inf
        self._sent = 0
        self._calls = 0.0  # the same, but it fades within seconds
        self._first_s = math.inf
        self._at_s = 0.0
        self._since = self._lately = (0.0, 0)  # times, and calls that had been sent by then
        self._refused = 0  # of the calls sent since `_since`
        self._rare = deque([0] * _RARE, maxlen=_RARE)  # calls sent before the latest refusals
        self._catch_up_s = _CATCH_UP_S
        self._cut_s = -math.inf
        self._still_until_s = -math.inf
        self._next_s = -math.inf
        self._refused_per_s = math.inf
        self._seconds = Seconds()
        self._by_seconds = False

    @property
    def sent(self) -> int:
        """Calls so far; belongs to `refuse` when the last one is refused."""
        return self._sent

    def wait_s(self, now_s: float) -> float:
        """Seconds until the next call; 0 or less for now."""
        if self._by_seconds and now_s >= self._next_s:
            return self._seconds.opens_s(now_s) - now_s
        return self._next_s - now_s

    def take(self, now_s: float) -> None:
        """Count a call."""
        if self._first_s == math.inf:
            self._first_s = self._at_s = now_s
            self._since = self._lately = (now_s, 0)
        self._pass(now_s)
        if now_s >= self._lately[0] + _LATELY_S and not self._refused:
            self._since, self._lately = self._lately, (now_s, self._sent)
        if self._by_seconds:
            self._next_s = self._seconds.take(now_s, self._sent, self.per_s)
        elif self.per_s < math.inf:
            self._next_s = max(self._next_s, now_s - self._catch_up_s) + 1 / self.per_s
        self._sent += 1
        self._calls += 1

    def refuse(
        self, sent: int, now_s: float, pace_per_s: float, retry_after_s: float | None
    ) -> None:
        """A call was refused.

        Args:
            sent: As it was when the call had gone.
            now_s: When the refusal came.
            pace_per_s: The pace aimed at; infinite when there was none.
            retry_after_s: When it may be sent again, if that was said.
        """
        self._pass(now_s)
        begun_s, before = self._since
        if sent <= before:
            return  # it had gone before the last cut, and proves nothing new
        self._refused += 1
        pause_s = retry_after_s or 0.0
        if 0 < pause_s <= _PAUSE_MOST_S:
            self._seconds.refused_until(now_s + pause_s)
        ends_s = now_s + (pause_s if pause_s <= _PAUSE_MOST_S else 0.0)
        self._next_s = max(self._next_s, ends_s)
        if ends_s - begun_s < _SPAN_S:
            return
        self._rare.append(sent)
        if sent - self._rare[0] > _RARE_CALLS:
            self._begin(ends_s)
            return
        aimed_per_s = pace_per_s if pace_per_s < math.inf else self._measured_per_s(now_s)
        accepted_per_s = (sent - before - self._refused) / (ends_s - begun_s)
        if self.per_s == math.inf:  # the rate may have risen: what was accepted is too little
            accepted_per_s = aimed_per_s
        aimed_per_s = min(self.per_s, aimed_per_s)
        fits = self._seconds.accepted(sent) if self._by_seconds else 0
        self._cut(ends_s, aimed_per_s, fits or _below(min(aimed_per_s, accepted_per_s)))

    def slow_down(self, now_s: float) -> None:
        """The rate rose too fast: half of it for a minute, then up again slowly."""
        self._pass(now_s)
        measured_per_s = self._measured_per_s(now_s)
        self._cut(now_s, min(self.per_s, measured_per_s), measured_per_s * _SLOW_DOWN_FACTOR)
        self._still_until_s = now_s + _SLOW_DOWN_HOLD_S

    def _cut(self, now_s: float, aimed_per_s: float, to_per_s: float) -> None:
        self._refused_per_s = aimed_per_s
        self.per_s = max(_FLOOR_PER_S, aimed_per_s * _MOST_CUT, to_per_s)
        self._catch_up_s = max(_CATCH_UP_LEAST_S, self._catch_up_s * _CATCH_UP_CUT)
        self._cut_s = now_s
        self._by_seconds = self._seconds.known and self.per_s <= _WHOLE_CALLS_MATTER_PER_S
        self._begin(now_s)

    def _begin(self, now_s: float) -> None:
        """Count what is accepted from now on."""
        self._since = self._lately = (now_s, self._sent)
        self._refused = 0

    def _pass(self, now_s: float) -> None:
        """Let the time since the last look go by."""
        step_s = now_s - self._at_s
        if step_s <= 0:
            return
        self._at_s = now_s
        self._calls *= math.exp(-step_s / _MEMORY_S)
        if self.per_s < math.inf and now_s > self._still_until_s:
            self._rise(now_s, step_s)

    def _rise(self, now_s: float, step_s: float) -> None:
        calm_s = min(_CALM_MOST_S, max(_CALM_S, _CALM_CALLS / self.per_s))
        if now_s - max(self._cut_s, self._still_until_s) > calm_s:
            rise_per_s = _CALM_RISE_PER_S
        else:
            share = min(1.0, self.per_s / _RISE_FULL_FROM_PER_S)
            rise_per_s = max(_RISE_LEAST_PER_S, _RISE_PER_S * share)
        step_s = min(step_s, _RISE_STEP_S)
        self.per_s *= math.exp(rise_per_s * step_s)
        self._catch_up_s *= math.exp(_CATCH_UP_RISE_PER_S * step_s)
        self._catch_up_s = min(_CATCH_UP_S, self._catch_up_s)
        if self.per_s > _RELEASE * max(self._refused_per_s, _FLOOR_PER_S):
            self.per_s = math.inf
            self._by_seconds = False

    def _measured_per_s(self, now_s: float) -> float:
        """Calls a second of the last few seconds."""
        age_s = max(_YOUNG_S, now_s - self._first_s)
        return self._calls / (_MEMORY_S * -math.expm1(-age_s / _MEMORY_S))


def _below(per_s: float) -> float:
    """A hair less."""
    margin = min(_MARGIN_MOST, max(_MARGIN_LEAST, _MARGIN_CALLS_PER_S / max(_FLOOR_PER_S, per_s)))
    return per_s * (1 - margin)
