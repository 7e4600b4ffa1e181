"""What is sent next, and when: retries, witnesses and fresh items, each when its turn has come."""

from collections.abc import Callable, Sized
from dataclasses import dataclass
from math import inf

from processor.answer import unsent
from processor.clock import Clock
from processor.direct.backlog import Backlog, Work
from processor.direct.breaker import Breaker, Next
from processor.direct.choices import Choosers
from processor.direct.conclusions import Conclusions
from processor.direct.probes import Probes
from processor.direct.purse import Purse
from processor.direct.request import fill_in
from processor.direct.rules import LaneRules
from processor.direct.tier import Tier
from processor.direct.traffic import Traffic
from processor.direct.traffic_by_model import TrafficByModel
from processor.stop import Stop
from processor.tasks.task import Task

_HELD_LEAST = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What has a say in what is sent.

    Attributes:
        choosers: None for a task whose rows choose nothing themselves.
        purse: None without a budget.
    """

    task: Task
    rules: LaneRules
    clock: Clock
    backlog: Backlog
    probes: Probes
    breaker: Breaker
    tier: Tier
    traffic: Traffic | TrafficByModel
    conclusions: Conclusions
    choosers: Choosers | None
    purse: Purse | None


class Turns:
    """Chooses what is sent next, and fills it in.

    Args:
        parts: What has a say in it.
        slots: Calls in flight.
        is_open: Whether any call may be started at all.
        stop: Ends the job.
    """

    def __init__(
        self,
        parts: Parts,
        *,
        slots: Sized,
        is_open: Callable[[], bool],
        stop: Callable[[Stop], None],
    ) -> None:
        self._task = parts.task
        self._rules = parts.rules
        self._clock = parts.clock
        self._backlog = parts.backlog
        self._probes = parts.probes
        self._breaker = parts.breaker
        self._tier = parts.tier
        self._traffic = parts.traffic
        self._conclusions = parts.conclusions
        self._choosers = parts.choosers
        self._purse = parts.purse
        self._slots = slots
        self._is_open = is_open
        self._stop = stop
        self._chunk = 0

    @property
    def is_waiting(self) -> bool:
        """Whether something ends or is written soon."""
        conclusions = self._conclusions
        return bool(self._slots or conclusions.reasks or conclusions.unwritten)

    @property
    def are_over(self) -> bool:
        """Whether nothing is left to be sent."""
        return self._backlog.exhausted and not self._backlog.held and not self._conclusions.reasks

    def give_up(self, work: Work) -> None:
        """Put back what was chosen and is not sent now."""
        self._traffic.refund(work)
        self._traffic.cut_off(work)
        self._probes.put_back(work)

    def choose(self) -> Work | float:
        """Work that may be sent now, its turn taken; or when to look again, inf for a change."""
        while self._is_open():
            now_s = self._clock.monotonic()
            if now_s < self._traffic.hold_until_s:
                return self._traffic.hold_until_s
            if len(self._slots) >= self._breaker.room(self._traffic.window, now_s):
                return self._room_grows_at_s(now_s)
            work = self._next(now_s)
            if work is None:
                return self._look_again_at_s(now_s)
            if work.body is None and not self._render(work, now_s):
                continue
            if self._choosers is not None and self._choosers.hold(work):
                continue
            due_s = self._held_until_s(work, now_s)
            if due_s <= now_s:
                turn_s = self._traffic.due_s(now_s, work)
                if turn_s is None:
                    continue
                if turn_s <= now_s:
                    return work
                due_s = turn_s
            self._probes.put_back(work)
            return min(due_s, self._backlog.next_due_s())
        return inf

    def _look_again_at_s(self, now_s: float) -> float:
        """When something may be sent, as nothing can be now; the job stops if that is never."""
        due_s = self._backlog.next_due_s()
        may_be_fed = not self._backlog.exhausted and self._may_pull(now_s)
        if due_s == inf and not (may_be_fed or self.is_waiting):
            self.stop_for_choosers()
        return due_s

    def stop_for_choosers(self) -> None:
        """Nothing is left to be asked: what rows chose and did not get is why they are pending."""
        if self._choosers is not None and (stop := self._choosers.stop) is not None:
            self._stop(stop)

    def _room_grows_at_s(self, now_s: float) -> float:
        grows_at_s = self._breaker.room_grows_at_s
        return grows_at_s if grows_at_s > now_s else inf

    def _held_until_s(self, work: Work, now_s: float) -> float:
        """How long money or a pause between chunks holds the work."""
        if self._purse is not None and not self._afford(work, self._purse):
            return inf
        return self._barrier(work, now_s)

    def _next(self, now_s: float) -> Work | None:
        wanted, fresh = self._breaker.next, self._may_pull(now_s)
        # With a pause between chunks an untried one may have to wait for those that fail.
        if wanted is Next.ANY or (wanted is Next.UNTRIED and self._rules.wait_s):
            return self._backlog.take(now_s, fresh=fresh)
        return self._probes.take(wanted, now_s, fresh=fresh)

    def _may_pull(self, now_s: float) -> bool:
        """Backpressure: what is in flight, waits or is not written yet stays bounded."""
        waits = self._slots or self._backlog.held > self._backlog.aside
        if waits and self._tier.is_full(now_s):
            return False
        held = (
            len(self._slots)
            + self._backlog.held
            + len(self._conclusions.reasks)
            + self._conclusions.unwritten
        )
        return held < max(_HELD_LEAST, 4 * self._traffic.window)

    def _render(self, work: Work, now_s: float) -> bool:
        """Fill in what to send; an item that cannot be rendered fails, unsent."""
        failure = fill_in(work, self._task, self._tier.of(work, now_s))
        if failure is None:
            return True
        if work.done:
            self._probes.dismiss()
        else:
            self._conclusions.settle(unsent("direct", work.item, work.attempts, failure))
        return False

    def _afford(self, work: Work, purse: Purse) -> bool:
        """Whether the work may be sent as far as money goes; the job stops when it never may."""
        if purse.admits(work, self._traffic.window):
            return True
        if not self._slots and (stop := purse.refusal(work)):
            self._stop(stop)
        return False

    def _barrier(self, work: Work, now_s: float) -> float:
        """When the work's chunk may begin, with `--wait`; 0 when nothing holds it."""
        if not self._rules.wait_s or work.item.chunk <= self._chunk or work.done:
            return 0.0
        if self._backlog.held > self._backlog.aside or self.is_waiting:
            return inf
        first = self._chunk == 0
        self._chunk = work.item.chunk
        if not first:
            self._traffic.hold(now_s + self._rules.wait_s)
        return self._traffic.hold_until_s
