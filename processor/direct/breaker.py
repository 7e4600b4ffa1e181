"""The breaker: how many calls may be in flight when things go wrong, and when the job stops.

A job begins with two canaries. The first answer that does not concern the whole job opens the
gate; that the provider or the network fails says nothing about the job. When nothing but such
failures come back, the gate closes: one probe at a time, further and further apart, until an
answer opens it or patience ends. Patience is short while the provider was never reached: then the
address is wrong more often than the network is down.

Whether the provider is at fault or some items are, only another request can tell. So probes are
items that have not failed yet, and now and then a witness: an item that has succeeded is sent once
more. Items that failed although a later request succeeded are in doubt, and count no more. The
same decides over statuses that bar the whole job, or that a gateway gives to an item it dislikes,
and over the last items of a job, which are too few to tell an outage by their number.
"""

from enum import StrEnum
from math import inf

from processor.stop import Stop
from processor.verdict import PATIENCE, Kind, Verdict

CANARIES = 2
OUTAGE_AFTER = 10
SAME_COMPLAINTS = 20
WITNESS_EVERY = 4  # so many probes; the others are calls that would be made anyway
_PROBE_BASE_S = 0.5
_PROBE_CAP_S = 30.0
_NEVER_REACHED_S = 30.0
_COMPLAINTS_KEPT = 100  # different ones; a complaint that every request earns is among the first
_FAILING = frozenset({"server_error", "timeout", "connection", "malformed"})


class Next(StrEnum):
    """Which work should be sent next."""

    ANY = "any"
    UNTRIED = "untried"  # that has not failed, if there is any
    WITNESS = "witness"  # an item that has succeeded


class Breaker:
    """Watches the verdicts of a job, in the order in which they come.

    Args:
        give_up_s: How long an outage may last before the job stops.

    Attributes:
        has_witness: Whether there is an item that has succeeded, in this session or before.
        is_patient: Whether an outage may last for ever, as something else is waited for meanwhile.
    """

    def __init__(self, give_up_s: float) -> None:
        self._give_up_s = give_up_s
        self.has_witness = False
        self.is_patient = False
        self._open = False
        self._reached = False
        self._unreachable = 0  # this and the next two since the last answer that was none of these
        self._failing: set[int] = set()
        self._barred: set[int] = set()
        self._barred_since_s = 0.0
        self._first_failed_s: dict[int, float] = {}
        self._good_sent_s = -inf
        self._outage_since_s: float | None = None
        self._rest_s = 0.0  # of the outage
        self._probe_at_s = 0.0
        self._probe_wait_s = _PROBE_BASE_S
        self._probes = 0
        self._by_barring = False
        self._suspected = False  # that it is an outage; no probe has failed yet
        self._refused_since_s: float | None = None
        self._asked_s = 0.0  # the longest wait that was asked for since
        self._succeeded = False
        self._complaints: dict[str, int] = {}

    @property
    def outage(self) -> bool:
        """Whether nothing works, as far as requests could tell."""
        return self._outage_since_s is not None and not self._suspected

    @property
    def next(self) -> Next:
        """What tells most about provider and items."""
        if self._outage_since_s is None:  # asked for every call, so not by `_probing`
            return Next.UNTRIED if self._barred or self._failing else Next.ANY
        last = self._probes % WITNESS_EVERY == WITNESS_EVERY - 1
        is_turn = self._by_barring or (
            last and bool(self._failing)
        )  # unreachable is nobody's fault
        return Next.WITNESS if is_turn and self.has_witness else Next.UNTRIED

    def room(self, window: int, now_s: float) -> int:
        """How many calls may be in flight."""
        if self._outage_since_s is not None:
            return 1 if now_s >= self._probe_at_s else 0
        if self._open:
            return window
        return 1 if self._barred else min(CANARIES, window)  # no third call before the second's end

    @property
    def room_grows_at_s(self) -> float:
        """When `room` grows by itself; inf when only a verdict makes it grow."""
        return self._probe_at_s if self._probing else inf

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
            return _stop(verdict)
        self._reached = self._reached or not verdict.unreachable
        if verdict.kind is Kind.OPEN:
            return None
        if verdict.barred:
            return self._bar(verdict, seq, sent_s, now_s)
        if verdict.unreachable or verdict.code in _FAILING:
            return self._fail(verdict, seq, sent_s, now_s)
        if self._outage_since_s is None or sent_s > self._outage_since_s:
            self._end_outage()
            self._unreachable = 0
            self._failing.clear()
        if sent_s > self._barred_since_s:
            self._barred.clear()
        self._open = True
        if verdict.kind is not Kind.RETRY:
            self._good_sent_s = max(self._good_sent_s, sent_s)
            self.forget(seq)
        if verdict.kind is Kind.OK:
            self._succeeded = self.has_witness = True
        if verdict.code in PATIENCE:  # where one tier has no room, others have; `Tier` waits
            return self._wait_on(verdict, now_s) if verdict.congested else None
        self._refused_since_s = None
        return self._complain(verdict)

    def suspect(self, verdict: Verdict, *, seq: int, now_s: float) -> None:
        """Ask a witness whether an item is at fault or the provider, unless that is known.

        Args:
            verdict: On the item, as it was observed.
            seq: The item; none is left that has not failed.
            now_s: The time.
        """
        is_known = self._first_failed_s.get(seq, now_s) < self._good_sent_s
        is_failing = verdict.code in _FAILING and not verdict.unreachable
        if is_failing and self.has_witness and not (is_known or self._probing):
            self._begin_outage(now_s, by_barring=False)
            self._suspected = True
            self._probes = WITNESS_EVERY - 1

    def rested(self, from_s: float, until_s: float) -> None:
        """Nothing was sent between two times: patience did not grow less."""
        if self._outage_since_s is not None:
            self._rest_s += until_s - max(from_s, self._outage_since_s)
        if self._refused_since_s is not None:
            self._refused_since_s += until_s - max(from_s, self._refused_since_s)

    def forget(self, seq: int) -> None:
        """An item is done with."""
        self._first_failed_s.pop(seq, None)

    def _fail(self, verdict: Verdict, seq: int, sent_s: float, now_s: float) -> Stop | None:
        if verdict.unreachable:
            self._unreachable += 1
        elif not self._in_doubt(seq, now_s):
            self._failing.add(seq)
        if self._probing:
            return self._probe_failed(verdict, sent_s, now_s)
        if self._reached and not self._is_outage():
            return None
        self._begin_outage(now_s, by_barring=False)
        return _stop(verdict) if self._patience_s == 0 else None

    def _bar(self, verdict: Verdict, seq: int, sent_s: float, now_s: float) -> Stop | None:
        if self._probing:
            return self._probe_failed(verdict, sent_s, now_s)
        if not self._barred:
            self._barred_since_s = now_s
        if not self._in_doubt(seq, now_s):
            self._barred.add(seq)
        if len(self._barred) < (OUTAGE_AFTER if self._succeeded else CANARIES):
            return None
        if not self.has_witness:
            return _stop(verdict)
        self._begin_outage(now_s, by_barring=True)
        return None

    def _probe_failed(self, verdict: Verdict, sent_s: float, now_s: float) -> Stop | None:
        """Put the next probe off, or give up."""
        if self._outage_since_s is None or sent_s < self._probe_at_s:
            return None  # it was in flight when the outage began
        self._probes += 1
        self._suspected = False
        self._probe_wait_s = min(_PROBE_CAP_S, 2 * self._probe_wait_s)
        self._probe_at_s = now_s + self._probe_wait_s
        is_barred = self._by_barring and verdict.barred
        lasted_s = now_s - self._outage_since_s - self._rest_s
        gives_up = is_barred or lasted_s >= self._patience_s
        return _stop(verdict) if gives_up else None

    @property
    def _probing(self) -> bool:
        """Whether only probes are let through."""
        return self._outage_since_s is not None

    @property
    def _patience_s(self) -> float:
        if self.is_patient:
            return inf
        return self._give_up_s if self._reached else min(_NEVER_REACHED_S, self._give_up_s)

    def _begin_outage(self, now_s: float, *, by_barring: bool) -> None:
        self._outage_since_s = now_s
        self._rest_s = 0.0
        self._by_barring = by_barring
        self._suspected = False
        self._probes = 0
        self._probe_wait_s = _PROBE_BASE_S
        self._probe_at_s = now_s + _PROBE_BASE_S

    def _end_outage(self) -> None:
        """The outage explains why items failed, unless it took a witness to end it."""
        if self._outage_since_s is None:
            return
        if self.next is not Next.WITNESS:
            self._first_failed_s.clear()
        self._outage_since_s = None

    def _in_doubt(self, seq: int, now_s: float) -> bool:
        """Whether a request that went after this item's first failure has succeeded."""
        return self._first_failed_s.setdefault(seq, now_s) < self._good_sent_s

    def _is_outage(self) -> bool:
        """Few items that fail over and over are at fault themselves; unreachable is nobody's."""
        return len(self._failing) >= OUTAGE_AFTER or self._unreachable >= OUTAGE_AFTER

    def _wait_on(self, verdict: Verdict, now_s: float) -> Stop | None:
        """A provider that only ever asks for patience is no better than one that is gone."""
        if self._refused_since_s is None:
            self._refused_since_s, self._asked_s = now_s, 0.0
        self._asked_s = max(self._asked_s, verdict.retry_after_s or 0.0)
        patience_s = inf if self.is_patient else self._give_up_s + self._asked_s
        return _stop(verdict) if now_s - self._refused_since_s >= patience_s else None

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
        return _stop(verdict)


def _stop(verdict: Verdict) -> Stop:
    return Stop(code=verdict.code, message=verdict.message)
