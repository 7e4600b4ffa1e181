"""The traffic of several models at one provider: each has limits, a window and holds of its own."""

from collections.abc import Callable
from dataclasses import replace
from math import inf

from processor.direct.backlog import Backlog, Work
from processor.direct.gauge import Leeway
from processor.direct.pace import Pace, Ticket
from processor.direct.rules import LaneRules
from processor.direct.traffic import (
    WINDOW_CEILING,
    Traffic,
    changed_throttler,
    throttler_of,
    window_of,
)
from processor.direct.transport import Reply
from processor.notice import Notice
from processor.verdict import Verdict

_MODELS_KEPT = 100  # rows may name any number of them; what idles is learnt anew


class _Model:
    """The traffic of one model, and how many of its calls are in flight."""

    __slots__ = ("in_flight", "traffic")

    def __init__(self, traffic: Traffic) -> None:
        self.traffic = traffic
        self.in_flight = 0


class TrafficByModel:
    """Takes the place of `Traffic` where rows name their models.

    What the user allows, calls in flight, requests and tokens a minute, is for all models
    together; what the provider allows is learnt for each.

    Args:
        rules: Ceilings, and how long a hold may last.
        tell: Takes what concerns a model.
        backlog: Where work waits for the turn of its model.

    Attributes:
        hold_until_s: Nothing of any model is sent before.
        throttler: Has to let every call through; None without `rpm`.
    """

    def __init__(self, rules: LaneRules, tell: Callable[[Notice], None], backlog: Backlog) -> None:
        self._rules = replace(rules, rpm=None, tpm=None)
        self._tell = tell
        self._backlog = backlog
        self._models: dict[str, _Model] = {}
        self._first_window = window_of(rules).size
        self._ceiling = rules.concurrency or WINDOW_CEILING
        self._allowed = Pace(rpm=rules.rpm, tpm=rules.tpm) if rules.rpm or rules.tpm else None
        self._ticket = Pace().ticket
        self.hold_until_s = 0.0
        self.throttler = throttler_of(rules.rpm)

    def calls_per_s(self, now_s: float) -> float:
        """What the limits of all models allow; infinite where one has none."""
        return sum((each.traffic.calls_per_s(now_s) for each in self._models.values()), 0.0) or inf

    @property
    def per_minute(self) -> tuple[float | None, float | None]:
        """The limits of the only model; None where there are several."""
        if len(self._models) != 1:
            return None, None
        return next(iter(self._models.values())).traffic.per_minute

    def allow(self, leeway: Leeway) -> None:
        """Set the ceilings of all models together anew."""
        self._rules = replace(self._rules, concurrency=leeway.concurrency)
        self._first_window = window_of(self._rules).size
        self._ceiling = leeway.concurrency or WINDOW_CEILING
        has_limit = leeway.rpm or leeway.tpm
        self._allowed = Pace(rpm=leeway.rpm, tpm=leeway.tpm) if has_limit else None
        self.throttler = changed_throttler(self.throttler, leeway.rpm)
        for model in self._models.values():
            model.traffic.allow(replace(leeway, rpm=None, tpm=None))

    @property
    def window(self) -> int:
        """How many calls may be in flight: those of the models known, and one's that is not yet."""
        known = sum(model.traffic.window for model in self._models.values())
        return min(self._ceiling, known + self._first_window)

    @property
    def ticket(self) -> Ticket:
        """Of the call that took the last turn."""
        return self._ticket

    def due_s(self, now_s: float, work: Work) -> float | None:
        """When a call may go; `now_s` itself for now, and then its turn is taken.

        None when it waits for the turn of its model, and those of other models may go first.
        """
        if work.done:  # a witness, whom the backlog does not know
            return self._turn_s(now_s, work)
        if self._backlog.line_up(work, now_s):
            return None
        due_s = self._turn_s(now_s, work)
        if due_s <= now_s:
            return due_s
        self._backlog.delay(work, due_s)
        return None

    def _turn_s(self, now_s: float, work: Work) -> float:
        """When; inf when a call of its model has to end first."""
        model = self._models.get(work.model) or self._add(work.model)
        traffic = model.traffic
        if now_s < traffic.hold_until_s:
            return traffic.hold_until_s
        if model.in_flight >= traffic.window:
            return inf
        if self._allowed is not None and (wait_s := self._allowed.turn(now_s, work.tokens)) > 0:
            self.hold(now_s + wait_s)
            return self.hold_until_s
        due_s = traffic.due_s(now_s, work)
        if due_s <= now_s:
            model.in_flight += 1
            self._ticket = traffic.ticket
        elif self._allowed is not None:
            self._allowed.refund(work.tokens)
        return due_s

    def refund(self, work: Work) -> None:
        """A call that took its turn never reached the provider."""
        self._models[work.model].traffic.refund(work)
        if self._allowed is not None:
            self._allowed.refund(work.tokens)

    def hold(self, until_s: float) -> None:
        """Send nothing before, of any model."""
        self.hold_until_s = max(self.hold_until_s, until_s)

    def learn(
        self,
        work: Work,
        verdict: Verdict,
        reply: Reply | None,
        ticket: Ticket,
        now_s: float,
        *,
        in_flight: int,  # noqa: ARG002 - those of other models say nothing about this one's window
    ) -> None:
        """What an answer says about window, pace and holds of its model; its call has ended."""
        model = self._models[work.model]
        model.traffic.learn(work, verdict, reply, ticket, now_s, in_flight=model.in_flight)
        self.cut_off(work)

    def cut_off(self, work: Work) -> None:
        """A call has ended, with or without an answer."""
        self._models[work.model].in_flight -= 1
        self._backlog.wake(work.model)

    def _add(self, name: str) -> _Model:
        if len(self._models) >= _MODELS_KEPT:
            idle = (each for each, model in self._models.items() if not model.in_flight)
            self._models.pop(next(idle, ""), None)
        model = self._models[name] = _Model(Traffic(self._rules, self._tell, name))
        return model
