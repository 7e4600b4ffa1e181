"""The breaker: how many calls may be in flight when things go wrong, and when the job stops.

A job begins with two canaries. The first answer that does not concern the whole job opens the
gate; that the provider or the network fails says nothing about the job. When nothing but such
failures come back, the gate closes: one probe at a time, further and further apart, until an
answer opens it or patience ends. Patience is short while the provider was never reached: then the
address is wrong more often than the network is down.
"""

from dataclasses import dataclass
from math import inf

from processor.verdict import Kind, Verdict

CANARIES = 2
OUTAGE_AFTER = 10
SAME_COMPLAINTS = 20
_PROBE_BASE_S = 0.5
_PROBE_CAP_S = 30.0
_NEVER_REACHED_S = 30.0
_COMPLAINTS_KEPT = 100  # different ones; a complaint that every request earns is among the first
_FAILING = frozenset({"server_error", "timeout", "connection", "malformed"})


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
        self._reached = False
        self._unreachable = 0  # this and the next since the last answer that was none of these
        self._failing: set[int] = set()
        self._outage_since_s: float | None = None
        self._probe_at_s = 0.0
        self._probe_wait_s = _PROBE_BASE_S
        self._succeeded = False
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

    def observe(self, verdict: Verdict, *, seq: int, sent_s: float, now_s: float) -> Stop | None:
        """Take note of a verdict.

        Args:
            verdict: On the answer that just came.
            seq: The item it was for.
            sent_s: When the call had gone; a late answer from before an outage does not end it.
            now_s: The time.

        Returns:
            A Stop when the job must end.
        """
        if verdict.kind is Kind.FATAL:
            return Stop(code=verdict.code, message=verdict.message)
        self._reached = self._reached or not verdict.unreachable
        if verdict.unreachable or verdict.code in _FAILING:
            return self._fail(verdict, seq, now_s)
        self._unreachable = 0
        self._failing.clear()
        if self._outage_since_s is not None and sent_s > self._outage_since_s:
            self._outage_since_s = None
        self._open = True
        self._succeeded = self._succeeded or verdict.kind is Kind.OK
        return self._complain(verdict)

    def _fail(self, verdict: Verdict, seq: int, now_s: float) -> Stop | None:
        self._unreachable += verdict.unreachable
        self._failing.add(seq)
        if self._outage_since_s is None:
            if self._reached and not self._is_outage():
                return None
            self._outage_since_s = now_s
            self._probe_wait_s = _PROBE_BASE_S
        elif now_s >= self._probe_at_s:  # a probe's; earlier ones were in flight already
            self._probe_wait_s = min(_PROBE_CAP_S, 2 * self._probe_wait_s)
        else:
            return None
        self._probe_at_s = now_s + self._probe_wait_s
        patience_s = self._give_up_s if self._reached else min(_NEVER_REACHED_S, self._give_up_s)
        if now_s - self._outage_since_s >= patience_s:
            return Stop(code=verdict.code, message=verdict.message)
        return None

    def _is_outage(self) -> bool:
        """Few items that fail over and over are at fault themselves; unreachable is nobody's."""
        return len(self._failing) >= OUTAGE_AFTER or self._unreachable >= OUTAGE_AFTER

    def _complain(self, verdict: Verdict) -> Stop | None:
        """A complaint that every request earns is about the job, not about the items."""
        if not verdict.complaint or self._succeeded:
            return None
        count = self._complaints.get(verdict.complaint, 0) + 1
        if count == 1 and len(self._complaints) >= _COMPLAINTS_KEPT:
            return None
        self._complaints[verdict.complaint] = count
        if count < SAME_COMPLAINTS:
            return None
        return Stop(code=verdict.code, message=verdict.message)
