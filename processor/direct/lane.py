"""The direct lane: the next request is sent whenever its turn has come and a slot is free.

One dispatcher fills new slots; a slot whose call has ended takes the next turn itself.

The way of a call: turn of the rate, slot, HTTP call under a total deadline, verdict, and then an
outcome, a retry with its due time, or a re-ask. What waits holds no slot.

The lane knows neither the ledger nor a screen: it pulls pending items from an iterator, hands
outcomes and attempts to a recorder, and is told through `committed` what became durable.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from math import inf

from processor.clock import Clock
from processor.direct.alarm import Alarm
from processor.direct.answer import answer_of, judged
from processor.direct.backlog import Backlog, Fresh, Work
from processor.direct.breaker import Breaker
from processor.direct.choices import Choosers
from processor.direct.conclusions import Conclusions
from processor.direct.gauge import Gauge, Leeway
from processor.direct.pace import Ticket
from processor.direct.probes import Probes
from processor.direct.purse import Purse
from processor.direct.recorder import Recorder
from processor.direct.retry import BLOCKED_CODE
from processor.direct.rules import LaneRules
from processor.direct.slots import Slots, Turn
from processor.direct.tier import Tier
from processor.direct.traffic import Traffic, released
from processor.direct.traffic_by_model import TrafficByModel
from processor.direct.transport import Reply, Transport, TransportError
from processor.direct.turns import Parts, Turns
from processor.items import Attempt, Outcome
from processor.notice import Notice
from processor.stop import Stop
from processor.tasks.task import Task
from processor.verdict import Fault, TransportFault, Verdict, judge_failure


class DirectLane:
    """Sends pending items until none is left, or until the job must stop.

    Args:
        task: Renders requests and checks answers.
        transport: Where calls go.
        pending: Fresh items; pulled only when one can be sent soon. While it gives None, the lane
            waits for `wake`.
        recorder: Keeps account of calls, outcomes and attempts.
        rules: How the lane behaves.
        clock: Time.
        tell: Takes what concerns the whole lane.
        purse: What may be spent; None for no budget.
    """

    def __init__(
        self,
        *,
        task: Task,
        transport: Transport,
        pending: Iterator[Fresh | None],
        recorder: Recorder,
        rules: LaneRules,
        clock: Clock,
        tell: Callable[[Notice], None],
        purse: Purse | None = None,
    ) -> None:
        self._transport = transport
        self._recorder = recorder
        self._rules = rules
        self._clock = clock
        self._tell = tell
        self._purse = purse
        self._backlog = Backlog(pending)
        self._breaker = Breaker(rules.give_up_s)
        self._probes = Probes(self._backlog)
        self._tier = Tier(rules.tier, tell, lambda: self._slots.oldest_s)
        self._traffic = self._traffic_of(task)
        self._alarm = Alarm(clock)
        self._conclusions = Conclusions(
            task=task,
            rules=rules,
            recorder=recorder,
            backlog=self._backlog,
            probes=self._probes,
            tier=self._tier,
            breaker=self._breaker,
            block=self._block,
            is_ending=self._is_ending,
        )
        self._choosers = self._choosers_of(task)
        self._slots = Slots(
            rules.timeout_s,
            clock,
            call=self._call,
            follow=self._follow,
            cut_off=self._cut_off,
            vacated=self._alarm.ring,
        )
        self._turns = self._turns_of(task)
        self._draining = False
        self._paused = False
        self._paused_since_s = 0.0
        self.stopped: Stop | None = None
        self.is_idle = False

    def _traffic_of(self, task: Task) -> Traffic | TrafficByModel:
        """Of one model, unless rows name theirs."""
        if task.model_field is None:
            return Traffic(self._rules, self._tell)
        return TrafficByModel(self._rules, self._tell, self._backlog)

    def _choosers_of(self, task: Task) -> Choosers | None:
        """None for a task whose rows choose nothing themselves."""
        if not task.lets_rows_choose:
            return None
        return Choosers(
            task, self._backlog, settle=self._conclusions.settle, dismiss=self._probes.dismiss
        )

    def _turns_of(self, task: Task) -> Turns:
        parts = Parts(
            task=task,
            rules=self._rules,
            clock=self._clock,
            backlog=self._backlog,
            probes=self._probes,
            breaker=self._breaker,
            tier=self._tier,
            traffic=self._traffic,
            conclusions=self._conclusions,
            choosers=self._choosers,
            purse=self._purse,
        )
        return Turns(parts, slots=self._slots, is_open=self._is_open, stop=self._stop)

    @property
    def in_flight(self) -> int:
        """Calls that are on their way."""
        return len(self._slots)

    async def run(self) -> None:
        """Send until nothing is left, or until `drain` or a job-fatal verdict.

        When it returns, no call is in flight and every answer has been recorded; `stopped` tells
        why the job must stop, if it must.
        """
        watch = asyncio.create_task(self._slots.watch(), name="deadlines")
        watch.add_done_callback(self._slots.note_crash)
        try:
            while not self._finished():
                self._alarm.rearm()
                until_s = await self._dispatch()
                if not self._finished():
                    self.is_idle = until_s == inf and not (self._paused or self._turns.is_waiting)
                    await self._alarm.wait(until_s)
                    self.is_idle = False
            if not self._is_ending():
                self._turns.stop_for_choosers()
        finally:
            self._draining = True  # a slot whose call is ended must not take another turn
            watch.cancel()
            self._alarm.close()
            await asyncio.gather(*self._slots.cancel_all(), return_exceptions=True)
        if self._slots.crash is not None:
            raise self._slots.crash

    def trust(self, succeeded: Fresh) -> None:
        """Take an item that succeeded in an earlier session for a witness."""
        self._breaker.has_witness = True
        self._probes.succeeded(
            Work(item=succeeded.item, attempts=succeeded.attempts, invalid=succeeded.invalid)
        )

    def wake(self) -> None:
        """There may be fresh items again, or there will be none any more."""
        self._alarm.ring()

    @property
    def is_out(self) -> bool:
        """Whether no call gets through, as far as calls could tell."""
        return self._breaker.outage

    def be_patient(self, *, patient: bool) -> None:
        """Wait for the end of an outage as long as something else is waited for, too."""
        self._breaker.is_patient = patient

    @property
    def calls_per_s(self) -> float:
        """What known limits allow; infinite where none is known."""
        return self._traffic.calls_per_s(self._clock.monotonic())

    def heed(self, leeway: Leeway) -> None:
        """Go on as somebody wants it."""
        now_s = self._clock.monotonic()
        if leeway.paused and not self._paused:
            self._paused_since_s = now_s
        elif self._paused and not leeway.paused:
            self._breaker.rested(self._paused_since_s, now_s)
            self._tier.rested(now_s - self._paused_since_s)
        self._paused = leeway.paused
        self._traffic.allow(leeway)
        self._alarm.ring()

    def renew(self) -> None:
        """There are fresh items again, although there were none any more."""
        self._backlog.renew()
        self._alarm.ring()

    def gauge(self) -> Gauge:
        """How the lane stands."""
        now_s = self._clock.monotonic()
        per_s = self._traffic.calls_per_s(now_s)
        requests_per_min, tokens_per_min = self._traffic.per_minute
        return Gauge(
            window=self._traffic.window,
            in_flight=len(self._slots),
            waiting=self._backlog.held,
            calls_per_s=None if per_s == inf else per_s,
            requests_per_min=requests_per_min,
            tokens_per_min=tokens_per_min,
            held_s=max(0.0, self._traffic.hold_until_s - now_s),
        )

    def drain(self) -> None:
        """Start no more calls; those in flight finish."""
        self._draining = True
        released(self._traffic.throttler)
        self._alarm.ring()

    def abort(self) -> None:
        """End the calls in flight; their items stay pending."""
        self._slots.cancel_all()
        self.drain()

    def committed(self, records: Sequence[Outcome | Attempt]) -> None:
        """Take note of what became durable; an answer found invalid may now be asked again."""
        self._conclusions.committed(records)
        self._alarm.ring()

    def granted(self) -> None:
        """Take note that the reservation which the purse asked for is durable."""
        assert self._purse is not None
        self._purse.granted()
        self._alarm.ring()

    def _is_ending(self) -> bool:
        """Whether no call may be started any more."""
        return self._draining or self.stopped is not None or self._slots.crash is not None

    def _is_open(self) -> bool:
        """Whether calls may be started at the moment."""
        return not (self._paused or self._is_ending())

    def _finished(self) -> bool:
        if self._slots:
            return False
        if self._is_ending():
            return True
        return self._turns.are_over

    async def _dispatch(self) -> float:
        """Start every call that may start now; returns when to look again, inf for a change."""
        if self._paused:  # whoever has nothing left need not wait for the end of it
            self._backlog.look_ahead()
        while True:
            found = self._turns.choose()
            if not isinstance(found, Work):
                return found
            throttler = self._traffic.throttler
            if throttler is not None:
                await throttler.acquire()  # type: ignore[no-untyped-call]
                if self._is_ending():
                    return inf
                if self._paused or self._clock.monotonic() < self._traffic.hold_until_s:
                    self._turns.give_up(found)  # it waited for long
                    continue
            self._slots.start(self._take_turn(found))

    def _follow(self) -> Turn | None:
        """The turn that may follow in a slot that has become free."""
        if self._traffic.throttler is not None:
            return None
        found = self._turns.choose()
        if not isinstance(found, Work):
            return None
        if len(self._slots) + 1 < self._traffic.window:  # it grew
            self._alarm.ring()
        return self._take_turn(found)

    def _take_turn(self, work: Work) -> Turn:
        if self._purse is not None:
            self._purse.begin(work)
        return work, self._traffic.ticket

    def _cut_off(self, work: Work, *, begun: bool, overdue: bool) -> None:
        self._traffic.cut_off(work)
        if overdue and not begun:
            self._probes.put_back(work)  # the loop was so late that the call had not begun
        if self._purse is not None:
            self._purse.cut_off(work, sent=begun)

    async def _call(self, work: Work, ticket: Ticket) -> None:
        assert work.body is not None
        work.attempts += 1
        self._recorder.begin()
        started_s = self._clock.monotonic()
        reply: Reply | None = None
        try:
            reply = await self._transport.post(work.endpoint, work.body, work.model)
            verdict = judged(reply, work.endpoint, self._clock)
        except TransportError as error:
            verdict = judge_failure(error.fault)
        except asyncio.CancelledError:
            verdict = self._judge_cancelled()
        if work.size is not None and work.size.tier is not None:
            verdict = self._tier.rule(verdict, work)
        if self._choosers is not None:
            verdict = self._choosers.rule(verdict, work)
        now_s = self._clock.monotonic()
        latency_s = now_s - started_s
        self._traffic.learn(work, verdict, reply, ticket, now_s, in_flight=len(self._slots))
        self._guard(verdict, work, started_s, now_s)
        if verdict.unreachable:
            self._traffic.refund(work)
        if self._purse is not None:
            self._purse.settle(work, verdict)
        answer = answer_of(work, verdict, reply, latency_s * 1000)
        self._conclusions.draw(work, answer, now_s)

    def _judge_cancelled(self) -> Verdict:
        """The verdict on a call over its deadline; any other cancellation goes on."""
        if not self._slots.is_overdue():
            raise asyncio.CancelledError
        detail = f"No whole answer within {self._rules.timeout_s:g} s"
        return judge_failure(TransportFault(fault=Fault.TIMEOUT, sent=True, detail=detail))

    def _guard(self, verdict: Verdict, work: Work, sent_s: float, now_s: float) -> None:
        """Whether the job can go on."""
        outage = self._breaker.outage
        stop = self._breaker.observe(verdict, seq=work.item.seq, sent_s=sent_s, now_s=now_s)
        if work.size is not None and work.size.tier is not None:
            stop = self._tier.observe(verdict, work, sent_s=sent_s, now_s=now_s) or stop
        if stop is not None:
            self._stop(stop)
        if self._breaker.outage != outage:
            event = "outage_over" if outage else "outage"
            self._tell(Notice(event=event, serious=True, facts={"code": verdict.code}))

    def _block(self, work: Work, verdict: Verdict) -> None:
        if self._choosers is not None:
            self._choosers.block(work, verdict)
        else:
            self._stop(Stop(code=BLOCKED_CODE, message=verdict.message))

    def _stop(self, stop: Stop) -> None:
        if self.stopped is None:
            self.stopped = stop
            released(self._traffic.throttler)
