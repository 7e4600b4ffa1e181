"""One dimension of a rate limit: what is left of it, and how fast it may be used.

See `pace` for the law that it follows. Amounts are as planned by the caller (a call, or its
estimated tokens), times are monotonic seconds.
"""

import math

from processor.headers import Limit

PERIOD_S = 60.0
SHARE = 0.992  # of the limit that we plan to use: a hair below, for clocks that differ

_MINUTE_RESET_MAX_S = 90.0  # a longer reset is not one of a minute (headers round, clocks differ)
_CATCH_UP_S = 0.1  # what a late timer may make up for
_RECHECK_S = 1.0  # nobody waits longer without asking again
_CERTAIN_S = 3.0  # a minute that begins anew looks like a bucket for a moment, never so long
_FULL_S = 0.25  # a bucket that lacks less than so many seconds of inflow counts as full


class Strain:
    """What is charged for each planned unit, counting what other clients use as ours.

    Args:
        least: Lower bound: 1 where a planned unit cannot cost less than one.

    Attributes:
        value: Charged units for a planned one.
    """

    __slots__ = ("_anchor", "_full_since_s", "_full_until_s", "_least", "_raw", "value")

    _SPAN_S = 0.5
    _SPAN_CALLS = 5
    _WEIGHT = 0.3
    _NOISE = 0.06  # so close to 1 is 1
    _PROBE_PER_S = 0.003
    _PROBE_MOST_PER_S = 0.1
    _MOST = 20.0

    def __init__(self, least: float) -> None:
        self.value = self._raw = 1.0
        self._least = least
        self._anchor: tuple[float, float, float, int] | None = None
        self._full_since_s: float | None = None
        self._full_until_s = 0.0

    def forget(self) -> None:
        """What comes next cannot be compared with what came before."""
        self._anchor = None
        self._full_since_s = None

    def probe(self, at_s: float) -> None:
        """A full bucket hides what is charged: lower the value, at first hardly, then faster."""
        self._anchor = None
        if self._full_since_s is None:
            self._full_since_s = self._full_until_s = at_s
        full_s = at_s - self._full_since_s
        step_s = at_s - self._full_until_s
        self._full_until_s = at_s
        per_s = min(self._PROBE_MOST_PER_S, self._PROBE_PER_S * (1 + (full_s / 3) ** 2))
        self._become(max(self._least, self._raw * math.exp(-per_s * step_s)))

    def learn(
        self, used: float, planned: float, at_s: float, inflow_per_s: float, lag_s: float
    ) -> None:
        """Compare what was charged with what was planned since the last comparison.

        Args:
            used: What the provider counts as used.
            planned: All that was planned so far.
            at_s: When the provider counted.
            inflow_per_s: By how much `used` falls by itself.
            lag_s: How old the count may be; no shorter span is compared.
        """
        self._full_since_s = None
        if self._anchor is None:
            self._anchor = (used, planned, at_s, 1)
            return
        used_then, planned_then, then_s, calls = self._anchor
        span_s = at_s - then_s
        if span_s < max(self._SPAN_S, lag_s) or calls < self._SPAN_CALLS or planned <= planned_then:
            self._anchor = (used_then, planned_then, then_s, calls + 1)
            return
        charged = used - used_then + span_s * inflow_per_s
        strain = charged / (planned - planned_then)
        # Kept below `least` too: cutting off the noise on one side would leave its other side.
        self._become(self._raw + self._WEIGHT * (min(self._MOST, strain) - self._raw))
        self._anchor = (used, planned, at_s, 1)

    def _become(self, raw: float) -> None:
        self._raw = raw
        self.value = max(self._least, raw) if abs(raw - 1) > self._NOISE else 1.0


class Meter:
    """One dimension of the limits of one endpoint and model.

    Args:
        per_minute: A limit that is known from the start, and stays a ceiling; None for none.
        strain_least: See `Strain`.

    Attributes:
        free: Nothing is known that could make anybody wait.
        planned: All that was planned so far.
        strain: What a planned unit is charged as.
    """

    __slots__ = (
        "_at_s",
        "_ceiling_per_s",
        "_credit",
        "_inflow_per_s",
        "_is_bucket",
        "_largest",
        "_left",
        "_left_at_s",
        "_like_bucket_since_s",
        "_limit",
        "_reset_at_s",
        "_seen",
        "free",
        "planned",
        "strain",
    )

    def __init__(self, *, per_minute: float | None = None, strain_least: float = 1.0) -> None:
        self.planned = 0.0
        self.strain = Strain(strain_least)
        self._ceiling_per_s = math.inf if per_minute is None else per_minute / PERIOD_S
        self.free = per_minute is None
        self._inflow_per_s = math.inf
        self._limit = math.inf
        self._left = math.inf
        self._left_at_s = 0.0
        self._seen = 0.0  # of `planned`, what the newest answer tells of
        self._reset_at_s = -math.inf
        self._like_bucket_since_s = math.inf
        self._is_bucket = False
        self._largest = 0.0  # of late
        self._credit = 0.0
        self._at_s: float | None = None

    @property
    def per_minute(self) -> float | None:
        """The provider's limit, as it was told last; None before it was."""
        return None if self._limit == math.inf else self._limit

    def allow(self, per_minute: float | None) -> None:
        """Set the ceiling anew; None for none but the provider's."""
        self._ceiling_per_s = math.inf if per_minute is None else per_minute / PERIOD_S
        self.free = self._ceiling_per_s == self._inflow_per_s == math.inf

    def rate_per_s(self, now_s: float) -> float:
        """The pace of this moment, in planned units; infinite when no limit is known."""
        # The ceiling is ours alone, whatever others are charged and the provider counts.
        per_s = SHARE * min(self._ceiling_per_s, self._inflow_per_s / self.strain.value)
        if now_s >= self._reset_at_s:
            return per_s
        left = self._left_now(now_s)
        if self._is_bucket:
            gap_s = (self._limit - left) / self._inflow_per_s
        else:
            gap_s = self._reset_at_s - now_s
        spread_per_s = left / gap_s / self.strain.value if gap_s > 0 else math.inf
        return max(0.0, min(per_s, spread_per_s))

    def calls_per_s(self, now_s: float) -> float:
        """The same in calls as large as the largest of late."""
        return self.rate_per_s(now_s) / self._largest if self._largest else math.inf

    def wait_s(self, now_s: float, amount: float) -> float:
        """Seconds until that amount may be used, or until it is worth asking again; 0 for now."""
        if self.free:
            return 0.0
        rate_per_s = self.rate_per_s(now_s)
        idle_s = 0.0 if self._at_s is None else now_s - self._at_s
        self._at_s = now_s
        self._credit = min(rate_per_s * _CATCH_UP_S, self._credit + rate_per_s * idle_s)
        if rate_per_s <= 0 or not self._has(amount, now_s):
            return _RECHECK_S if self._is_bucket else min(_RECHECK_S, self._reset_at_s - now_s)
        return min(_RECHECK_S, -self._credit / rate_per_s) if self._credit < -1e-9 else 0.0

    def take(self, amount: float) -> None:
        """Use it; a negative amount gives back what was never sent."""
        self.planned += amount
        self._largest = max(amount, 0.99 * self._largest)
        if not self.free:
            self._credit -= amount

    def observe(self, limit: Limit, planned: float, at_s: float, now_s: float) -> None:
        """Learn from an answer.

        Args:
            limit: What its headers say.
            planned: The `planned` of this meter when its call had just gone.
            at_s: When its call went.
            now_s: When it came.
        """
        if planned <= self._seen or limit.reset_s > _MINUTE_RESET_MAX_S:
            return
        if at_s < self._reset_at_s <= now_s and not self._is_bucket:
            return  # it tells of a minute that is over
        self._limit = limit.limit
        self._inflow_per_s = limit.limit / PERIOD_S
        self.free = False
        used = limit.limit - limit.remaining
        self._classify(used, limit.reset_s, at_s)
        self._learn(used, planned, at_s, now_s)
        reset_at_s = now_s + limit.reset_s
        if now_s < self._reset_at_s and not self._is_bucket:
            # The answer that was quickest knows best when the minute ends.
            reset_at_s = min(reset_at_s, self._reset_at_s)
        self._reset_at_s = reset_at_s
        self._left, self._left_at_s, self._seen = limit.remaining, at_s, planned
        self._is_bucket = at_s - self._like_bucket_since_s >= _CERTAIN_S

    def _classify(self, used: float, reset_s: float, at_s: float) -> None:
        """A bucket's reset is the time in which what is used flows in again."""
        rounding = 1.5 + 0.005 * used + 0.002 * self._inflow_per_s
        if abs(used - reset_s * self._inflow_per_s) > rounding:
            self._like_bucket_since_s = math.inf
            self._is_bucket = False
        elif self._like_bucket_since_s == math.inf:
            self._like_bucket_since_s = at_s

    def _learn(self, used: float, planned: float, at_s: float, now_s: float) -> None:
        if self._is_bucket:
            if used <= max(2.0, _FULL_S * self._inflow_per_s, self._largest * self.strain.value):
                self.strain.probe(at_s)
            else:
                self.strain.learn(used, planned, at_s, self._inflow_per_s, now_s - at_s)
        elif now_s >= self._reset_at_s or self._like_bucket_since_s < math.inf:
            self.strain.forget()
        else:
            self.strain.learn(used, planned, at_s, 0.0, now_s - at_s)

    def _left_now(self, now_s: float) -> float:
        left = self._left - (self.planned - self._seen) * self.strain.value
        if self._is_bucket:
            left += self._inflow_per_s * (now_s - self._left_at_s)
        return min(left, self._limit)

    def _has(self, amount: float, now_s: float) -> bool:
        """Whether it is there; more than the limit itself is for the provider to refuse."""
        if now_s >= self._reset_at_s:
            return True
        return self._left_now(now_s) >= min(amount * self.strain.value, self._limit * SHARE)
