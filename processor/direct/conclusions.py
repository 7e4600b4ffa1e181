"""What becomes of an item after an answer: an outcome, a re-ask, a retry, or it stays pending."""

import random
from collections.abc import Callable, Sequence

from processor.answer import Answer
from processor.direct.backlog import Backlog, Work
from processor.direct.breaker import Breaker
from processor.direct.probes import Probes
from processor.direct.recorder import Recorder
from processor.direct.retry import backoff_s, decide
from processor.direct.rules import LaneRules
from processor.direct.tier import Tier, lacks_room
from processor.items import Accepted, Attempt, Invalid, Outcome
from processor.tasks.task import Task
from processor.verdict import PATIENCE, Kind, Verdict


class Conclusions:
    """Draws them, and has them recorded.

    Args:
        task: Checks answers.
        rules: How often and how patiently an item is sent again.
        recorder: Keeps account of outcomes and attempts.
        backlog: Takes what is sent again.
        probes: Are told of items that succeeded.
        tier: Knows how long an item waits for room.
        breaker: Knows whether the provider is at fault.
        block: Takes work and a verdict that asks for longer than a run should sleep.
        is_ending: Whether nothing is sent any more.

    Attributes:
        unwritten: Records that are not durable yet.
        reasks: Seq to work that is asked again as soon as its invalid answer is durable.
    """

    def __init__(  # noqa: PLR0913 - all that an answer bears on
        self,
        *,
        task: Task,
        rules: LaneRules,
        recorder: Recorder,
        backlog: Backlog,
        probes: Probes,
        tier: Tier,
        breaker: Breaker,
        block: Callable[[Work, Verdict], None],
        is_ending: Callable[[], bool],
    ) -> None:
        self._task = task
        self._rules = rules
        self._recorder = recorder
        self._backlog = backlog
        self._probes = probes
        self._tier = tier
        self._breaker = breaker
        self._block = block
        self._is_ending = is_ending
        self._rng = random.Random(rules.seed)  # noqa: S311 - jitter needs no secrecy
        self.unwritten = 0
        self.reasks: dict[int, Work] = {}

    def draw(self, work: Work, answer: Answer, now_s: float) -> None:
        """Conclude from an answer that came now."""
        verdict = answer.verdict
        if work.done:
            self.settle(answer.witnessed())
        elif verdict.kind is Kind.OK and verdict.answer is not None:
            checked = self._task.check(work.item, verdict.answer)
            if isinstance(checked, Accepted):
                self._probes.succeeded(work)
                self.settle(answer.succeeded(checked, self._rules.keep_bodies))
            else:
                self._ask_again(work, answer, checked)
        elif verdict.kind is Kind.ITEM:
            self.settle(answer.failed(self._rules.keep_bodies))
        elif verdict.kind is Kind.FATAL:
            self.settle(answer.left())
        elif verdict.kind is Kind.OPEN:
            self.settle(answer.left())
            self._backlog.put_aside(work)
        elif lacks_room(verdict, work):
            self._wait_for_room(work, answer, now_s)
        else:
            self._try_again(work, answer, now_s)

    def settle(self, record: Outcome | Attempt) -> None:
        """Have a conclusion recorded."""
        self.unwritten += 1
        self._recorder.record(record)

    def committed(self, records: Sequence[Outcome | Attempt]) -> None:
        """Take note of what became durable; an answer found invalid may now be asked again."""
        self.unwritten -= len(records)
        for record in records:
            if isinstance(record, Attempt) and record.problem is not None:
                self._backlog.put(self.reasks.pop(record.item.seq))

    def _ask_again(self, work: Work, answer: Answer, bad: Invalid) -> None:
        if len(work.invalid) >= self._task.reasks:
            keep = self._rules.keep_bodies
            self.settle(answer.failed(keep, code="invalid", message=bad.problem))
            return
        work.invalid += ((answer.verdict.answer or "", bad.problem),)
        work.body = None
        self.reasks[work.item.seq] = work
        self.settle(answer.invalid(bad.problem))

    def _wait_for_room(self, work: Work, answer: Answer, now_s: float) -> None:
        """Send it again later at its tier, or at the standard one, or let it fail."""
        verdict, wait_s = answer.verdict, 0.0
        if self._is_ending():
            self.settle(answer.left())
            return
        most_s = self._tier.wait_most_s(work, verdict, now_s)
        if most_s > 0:
            asked_s = verdict.retry_after_s
            wait_s = min(most_s, backoff_s(self._rules.retry, asked_s, work.refusals, self._rng))
        elif not self._tier.fall(work):
            self._breaker.forget(work.item.seq)
            self.settle(answer.failed(self._rules.keep_bodies))
            return
        self.settle(answer.retried(wait_s))
        self._backlog.put_later(work, now_s + wait_s)

    def _try_again(self, work: Work, answer: Answer, now_s: float) -> None:
        verdict = answer.verdict
        decision = decide(self._rules.retry, verdict, self._count(work, verdict), self._rng)
        if decision is None:
            self._breaker.forget(work.item.seq)
            self.settle(answer.failed(self._rules.keep_bodies))
            return
        if decision.blocked:
            self.settle(answer.left())
            self._block(work, verdict)
            return
        if self._is_ending():
            self.settle(answer.left())
            return
        work.failed = True
        self.settle(answer.retried(decision.wait_s))
        self._backlog.put_later(work, now_s + decision.wait_s)
        # Nothing is left that could tell whom to blame, and the next failure would be for good.
        if decision.last and self._backlog.exhausted:
            self._breaker.suspect(verdict, seq=work.item.seq, now_s=now_s)

    def _count(self, work: Work, verdict: Verdict) -> int:
        """Count an attempt against its own bound; being told to wait is no fault of the item."""
        if verdict.code in PATIENCE:
            work.waits += 1
            return work.waits
        if not (verdict.unreachable or self._breaker.outage):
            work.tries += 1
        return max(1, work.tries)
