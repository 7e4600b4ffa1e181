"""How many calls may be in flight and when the next may go; what answers teach of it."""

import math
import sys
from collections.abc import Callable

from asyncio_throttle.throttler import Throttler

from processor.direct.backlog import Work
from processor.direct.gauge import Leeway
from processor.direct.pace import Pace, Ticket
from processor.direct.rules import LaneRules
from processor.direct.transport import Reply
from processor.direct.window import Window
from processor.headers import read_limits
from processor.notice import Notice
from processor.verdict import Kind, Verdict

WINDOW_CEILING = 1_000  # of the adaptive window; few providers serve more at once
# Thousands of answers a second tell the same; reading them all would cost a tenth of the CPU.
_LEARN_EVERY_S = 0.005
_MINUTE_S = 60.0
# asyncio-throttle polls; behind one dispatcher this costs nothing and keeps 99.9 % of the rate.
_THROTTLE_POLL_S = 0.002


class Traffic:
    """The window, the pace and the holds of one endpoint and model.

    Args:
        rules: Ceilings, and how long a hold may last.
        tell: Takes what concerns the whole lane.
        model: Named to `tell`; None where there is no other.

    Attributes:
        hold_until_s: Nothing is sent before.
        throttler: Has to let every call through; None without `rpm`.
    """

    def __init__(
        self, rules: LaneRules, tell: Callable[[Notice], None], model: str | None = None
    ) -> None:
        self._window = window_of(rules)
        self._pace = Pace(rpm=rules.rpm, tpm=rules.tpm)
        self._hold_most_s = rules.retry.retry_after_max_s
        self._tell = tell
        self._model = {} if model is None else {"model": model}
        self._learnt_s = -math.inf
        self.hold_until_s = 0.0
        self.throttler = throttler_of(rules.rpm)

    @property
    def window(self) -> int:
        """How many calls may be in flight."""
        return self._window.size

    def due_s(self, now_s: float, work: Work) -> float:
        """When a call may go; `now_s` itself for now, and then its turn is taken."""
        return now_s + self._pace.turn(now_s, work.tokens)

    @property
    def ticket(self) -> Ticket:
        """Of the call that took the last turn."""
        return self._pace.ticket

    def calls_per_s(self, now_s: float) -> float:
        """What known limits allow; infinite where none is known."""
        return self._pace.calls_per_s(now_s)

    @property
    def per_minute(self) -> tuple[float | None, float | None]:
        """The provider's limits of requests and tokens; None where it told none."""
        return self._pace.per_minute

    def allow(self, leeway: Leeway) -> None:
        """Set the ceilings anew."""
        self._window.allow(leeway.concurrency, ceiling=WINDOW_CEILING)
        self._pace.allow(rpm=leeway.rpm, tpm=leeway.tpm)
        self.throttler = changed_throttler(self.throttler, leeway.rpm)

    def refund(self, work: Work) -> None:
        """A call that took its turn never reached the provider."""
        self._pace.refund(work.tokens)

    def hold(self, until_s: float) -> None:
        """Send nothing before."""
        self.hold_until_s = max(self.hold_until_s, until_s)

    def learn(
        self,
        _work: Work,
        verdict: Verdict,
        reply: Reply | None,
        ticket: Ticket,
        now_s: float,
        *,
        in_flight: int,
    ) -> None:
        """What an answer says about window, pace and holds.

        Args:
            _work: What was sent.
            verdict: On the answer.
            reply: The answer; None when none came.
            ticket: The call's.
            now_s: The time.
            in_flight: Calls in flight when it came, itself included.
        """
        if reply is not None:
            self._learn_limits(verdict, reply, ticket, now_s)
        if verdict.congested:
            limited = verdict.code == "rate_limited"
            per_s = self._pace.calls_per_s(now_s) if limited else 0.0
            self._window.congest(ticket.at_s, now_s, pace_per_s=per_s)
        elif verdict.kind is Kind.OK:
            self._window.succeed(now_s - ticket.at_s, in_flight)
        if verdict.holds_all and verdict.retry_after_s is not None:
            self._hold_all(verdict.code, verdict.retry_after_s, now_s)

    def cut_off(self, _work: Work) -> None:
        """A call was ended before its answer came, which says nothing."""

    def _learn_limits(self, verdict: Verdict, reply: Reply, ticket: Ticket, now_s: float) -> None:
        if verdict.kind is Kind.OK and now_s < self._learnt_s + _LEARN_EVERY_S:
            return
        self._learnt_s = now_s
        limits = read_limits(reply.headers)
        self._pace.observe(now_s, limits, ticket)
        if verdict.code == "rate_limited":
            self._pace.refused(now_s, limits, ticket, verdict.retry_after_s)
        if verdict.code == "slow_down":
            self._pace.slow_down(now_s)

    def _hold_all(self, code: str, asked_s: float, now_s: float) -> None:
        """Send nothing until the provider allows it; longer than a retry waits is for `decide`."""
        wait_s = min(asked_s, self._hold_most_s)
        if now_s >= self.hold_until_s:  # told once for all the calls that were in flight
            facts = {"code": code, "wait_s": round(wait_s, 3), **self._model}
            self._tell(Notice(event="rate_limit", serious=True, facts=facts))
        self.hold(now_s + wait_s)


def window_of(rules: LaneRules) -> Window:
    """A window as it is at first."""
    return Window.of(rules.concurrency, ceiling=WINDOW_CEILING)


def changed_throttler(throttler: Throttler | None, rpm: int | None) -> Throttler | None:
    """The hard ceiling for another limit; it remembers the calls of the last minute."""
    if throttler is None:
        return throttler_of(rpm)
    throttler.rate_limit = rpm or sys.maxsize  # whoever waits for its turn goes on
    return throttler if rpm else None


def released(throttler: Throttler | None) -> None:
    """Let whoever waits go on, to see that nothing is sent any more."""
    changed_throttler(throttler, None)


def throttler_of(rpm: int | None) -> Throttler | None:
    """The hard ceiling of calls a minute; None without one."""
    if not rpm:
        return None
    return Throttler(rpm, period=_MINUTE_S, retry_interval=_THROTTLE_POLL_S)
