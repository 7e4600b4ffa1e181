"""The breaker: how many calls may be in flight when things go wrong, and when the job stops.

A job begins with two canaries. The first answer that does not concern the whole job opens the
gate. When nothing but failures of the provider or the network come back, the gate closes again:
one probe at a time, further and further apart, until an answer opens it or patience ends.
"""

from dataclasses import dataclass
from math import inf

from processor.verdict import Kind, Verdict

CANARIES = 2
OUTAGE_AFTER = 10
SAME_COMPLAINTS = 20
_PROBE_BASE_S = 0.5
_PROBE_CAP_S = 30.0
_FAILING = frozenset({"server_error", "timeout", "connection"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """The job cannot go on: an error code and the provider's words."""

    code: str
    message: str


class Breaker:
    """Watches the verdicts of a job, in the order in which they come.

    Args:
        give_up_s: How long an outage may last before the job stops.
    """

    def __init__(self, give_up_s: float) -> None:
        self._give_up_s = give_up_s
        self._open = False
        self._failures = 0
        self._outage_since_s: float | None = None
        self._probe_at_s = 0.0
        self._probe_wait_s = _PROBE_BASE_S
        self._successes = 0
        self._complaints: dict[str, int] = {}

    @property
    def outage(self) -> bool:
        """Whether nothing works, so that only probes are let through."""
        return self._outage_since_s is not None

    def room(self, window: int, now_s: float) -> int:
        """How many calls may be in flight."""
        if self._outage_since_s is not None:
            return 1 if now_s >= self._probe_at_s else 0
        return window if self._open else min(CANARIES, window)

    @property
    def room_grows_at_s(self) -> float:
        """When `room` grows by itself; inf when only a verdict makes it grow."""
        return self._probe_at_s if self.outage else inf

    def observe(self, verdict: Verdict, now_s: float) -> Stop | None:
        """Take note of a verdict; returns a Stop when the job must end."""
        if verdict.kind is Kind.FATAL:
            return Stop(code=verdict.code, message=verdict.message)
        if verdict.unreachable or verdict.code in _FAILING:
            return self._fail(verdict, now_s)
        self._failures = 0
        self._outage_since_s = None
        self._open = True
        if verdict.kind is Kind.OK:
            self._successes += 1
        return self._complain(verdict)

    def _fail(self, verdict: Verdict, now_s: float) -> Stop | None:
        self._failures += 1
        if self._outage_since_s is None:
            if self._failures < OUTAGE_AFTER and (self._open or not verdict.unreachable):
                self._open = True
                return None
            self._outage_since_s = now_s
            self._probe_wait_s = _PROBE_BASE_S
        elif now_s >= self._probe_at_s:  # a probe's; earlier ones were in flight already
            self._probe_wait_s = min(_PROBE_CAP_S, 2 * self._probe_wait_s)
        else:
            return None
        self._probe_at_s = now_s + self._probe_wait_s
        if now_s - self._outage_since_s >= self._give_up_s:
            return Stop(code=verdict.code, message=verdict.message)
        return None

    def _complain(self, verdict: Verdict) -> Stop | None:
        """A complaint that every request earns is about the job, not about the items."""
        if not verdict.complaint or self._successes:
            return None
        count = self._complaints.get(verdict.complaint, 0) + 1
        self._complaints[verdict.complaint] = count
        if count < SAME_COMPLAINTS:
            return None
        return Stop(code=verdict.code, message=verdict.message)
