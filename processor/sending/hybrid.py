"""Both lanes at once under a deadline: looks, decides, and tells the lanes what to do.

Assigning is done here alone and one thing after the other, so that no item is in two lanes: a
shard's items are in the ledger before the direct lane is given others.
"""

import asyncio
from collections.abc import Callable, Collection, Coroutine, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from math import ceil, inf
from typing import Any

from processor.batch.lane import BatchLane
from processor.codes import BUDGET_CODE, DEADLINE_CODE
from processor.direct.alarm import Alarm
from processor.direct.gauge import Gauge, Leeway
from processor.items import Outcome
from processor.ledger import allowance, decisions, pending
from processor.ledger.commit import Record
from processor.ledger.ledger import Ledger
from processor.ledger.writer import Writer
from processor.notice import Notice
from processor.plan import told
from processor.plan.decide import Decision, View, decide
from processor.plan.forecast import forecast
from processor.plan.lack import Lack
from processor.plan.overdue import Overdue
from processor.plan.speed import Speed
from processor.sending.batch import BatchSending
from processor.sending.direct import DirectSending
from processor.sending.errand import Errand, Traffic
from processor.sending.feed import Feed
from processor.sending.outlook import Outlook, Standing
from processor.sending.picking import Picking
from processor.sending.together import together
from processor.stop import Stop

_START_S = 0.01  # what the batch lane needs to begin, about
_TICK_S = 1.0  # between two looks at the speed, while calls are made
_REST_S = 1.0  # between two decisions at least: a look at a large ledger takes a moment
_FED_S = 20.0  # work that is assigned to the direct lane ahead of its turn
_FED_LEAST = 2_000  # items, the same
_REFILL_SHARE = 0.25  # of it
_STEPS = frozenset({"shard_settled", "shard_dropped", "batch_created", "batch_status"})


def _is_at_a_loss(view: View, decision: Decision) -> bool:
    """Whether items wait, nothing is under way, and nothing is to be done."""
    is_quiet = not (view.open or view.queued or decision.direct or decision.batch)
    return is_quiet and view.fresh + view.returned > 0


class Hybrid:
    """Conducts both lanes; implements `LaneSending`.

    Args:
        errand: What is sent.
        batch: The batch lane, which serves.
        direct: The direct lane, which is fed.
        feed: What it is fed by.
        outlook: Tells what is known.
        left: Tells how many more items may be assigned besides some; None for all.
        first: Items for which somebody waits, by `seq`: they go directly at once.
    """

    lane = "hybrid"

    def __init__(
        self,
        errand: Errand,
        *,
        batch: BatchSending,
        direct: DirectSending,
        feed: Feed,
        outlook: Outlook,
        left: Callable[[Collection[int]], int | None],
        first: Sequence[int],
    ) -> None:
        self._errand = errand
        self._batch = batch
        self._direct = direct
        self._feed = feed
        self._outlook = outlook
        self._picking = Picking(outlook.path, feed.taken)
        self._left = left
        self._leeway = Leeway(rpm=errand.settings.rpm)
        self._first = first
        self._speed = Speed(believed_per_s=outlook.terms.believed_per_s)
        self._alarm = Alarm(errand.clock)
        self._taken_back: dict[int, float] = {}  # shards, and since when
        self._sending: asyncio.Task[None] | None = None
        self._done = 0
        self._changed = True
        self._refills_at = 0
        self._is_done = False
        self._is_lost = False  # nothing more follows
        self._stop: Stop | None = None
        self._last: View | None = None  # at the deadline
        self._ended = False

    @property
    def stopped(self) -> Stop | None:
        """Why the job had to stop."""
        if self._is_done:
            return None
        return self._stop or self._direct.stopped or self._batch.stopped

    @property
    def traffic(self) -> Traffic:
        """Bytes so far."""
        return self._direct.traffic + self._batch.traffic

    def heed(self, leeway: Leeway) -> None:
        """Go on as somebody wants it; decisions go on, too, while nothing is sent."""
        self._leeway = leeway
        self._direct.heed(leeway)
        self._batch.heed(leeway)
        self._note_change()

    def renew(self, items: int) -> None:  # noqa: ARG002 - all that are pending are looked at
        """Decide about items that are pending again, too."""
        self._note_change()

    def gauge(self) -> Gauge | None:
        """How calls are made."""
        return self._direct.gauge()

    def prepare(self, ledger: Ledger) -> None:
        """Read what the lanes begin with, while the ledger is still free."""
        self._batch.prepare(ledger)
        self._direct.prepare(ledger)

    async def run(self, ledger: Ledger, writer: Writer, tell: Callable[[Notice], None]) -> None:
        """Send until nothing is left, the deadline has passed, or something stops the job."""

        def hear(notice: Notice) -> None:
            tell(notice)
            if notice.event in _STEPS:
                self._note_change()

        try:
            await together(
                ("lane-batch", self._lane(self._batch.run(ledger, writer, hear))),
                ("lane-direct", self._lane(self._direct.run(ledger, writer, hear))),
                ("decisions", self._conduct(writer, hear)),
                abort=self.abort,
            )
        finally:
            self._alarm.close()

    def committed(self, records: Sequence[Record]) -> None:
        """What the lanes handed over is durable."""
        direct = [record for record in records if record.lane == self._direct.lane]
        self._direct.committed(direct)
        for record in direct:
            if isinstance(record, Outcome):
                self._feed.taken.discard(record.item.seq)
                self._done += 1
        wants_more = len(self._feed) < self._refills_at
        if direct and (wants_more or not self._feed.taken):
            self._note_change()

    def conclude(self, ledger: Ledger) -> None:
        """Put down how the lanes ended."""
        self._direct.conclude(ledger)
        self._batch.conclude(ledger)
        self._is_done = not self._items_left(ledger)  # whatever stopped one of the lanes

    def drain(self) -> None:
        """Start nothing new; what is under way is recorded."""
        self._ended = True
        self._direct.drain()
        self._batch.drain()
        self._alarm.ring()

    def abort(self) -> None:
        """End what is under way, too."""
        self._ended = True
        self._direct.abort()
        self._batch.abort()
        self._alarm.ring()

    def shortfall(self, ledger: Ledger) -> Lack | None:
        """What budget or deadline lack, when that ended the sending."""
        view, typed = self._last, self._errand.settings.deadline
        if self._stop is None or view is None or typed is None:
            return self._direct.shortfall(ledger) or self._batch.shortfall(ledger)
        return Overdue(
            typed=typed,
            items=self._items_left(ledger),
            per_s=view.per_s,
            is_measured=view.is_measured,
            direct_usd=view.direct_usd,
            batch_usd=view.batch_usd if view.has_batches else None,
        )

    def _items_left(self, ledger: Ledger) -> int:
        """Items that this start should have done."""
        items = ledger.counts().pending
        allowed = allowance.rest(ledger, self._errand.settings.limit)
        return items if allowed is None else min(items, allowed)

    async def _lane(self, sending: Coroutine[Any, Any, None]) -> None:
        await sending
        self._note_change()

    def _note_change(self) -> None:
        """A decision is due."""
        self._changed = True
        self._alarm.ring()

    async def _conduct(self, writer: Writer, tell: Callable[[Notice], None]) -> None:
        """Look, decide and act until nothing is left to be decided."""
        clock = self._errand.clock
        try:
            while (lane := self._batch.conducted) is None:
                if self._ended:
                    return
                await clock.sleep(_START_S)
            self._feed.put(pending.read_chosen(self._outlook.path, self._first))
            self._direct.wake()
            due_s, rested_s = inf, -inf
            while not self._is_over(lane):
                self._alarm.rearm()
                now_s = clock.monotonic()
                self._measure(now_s)
                if now_s >= (min(due_s, rested_s) if self._changed else due_s):
                    self._changed = False
                    view = await self._view(lane)
                    if self._has_nothing_left(view):
                        break
                    due_s = clock.monotonic() + await self._step(view, lane, writer, tell)
                    rested_s = clock.monotonic() + _REST_S
                self._direct.wake()  # there may be money for it again
                until_s = min(due_s, rested_s) if self._changed else due_s
                wait_s = _TICK_S if self._feed.taken else inf
                await self._alarm.wait(min(until_s, clock.monotonic() + wait_s))
        finally:
            await self._leave()

    async def _step(
        self, view: View, lane: BatchLane, writer: Writer, tell: Callable[[Notice], None]
    ) -> float:
        """Decide, and do it; returns in how many seconds the next decision is due."""
        if view.deadline_s is not None and view.now_s >= view.deadline_s:
            self._last = view
            self._stop = Stop(code=DEADLINE_CODE, message="The time is over.")
            self.drain()
            return inf
        decision = decide(view)
        writer.change(
            lambda connection: decisions.add(
                connection, view.now_s, told.of_view(view), told.of_decision(decision)
            )
        )
        if self._begins_something(decision):
            expected = {"forecast": forecast(view, decision).verdict}
            tell(Notice(event="decision", facts={**told.of_decision(decision), **expected}))
        await self._act(decision, view, lane)
        left_s = inf if view.deadline_s is None else view.deadline_s - view.now_s
        return min(decision.look_again_s, left_s)

    def _begins_something(self, decision: Decision) -> bool:
        """Whether a decision does more than to go on with what was decided before."""
        feeds = decision.direct and not self._refills_at
        shards = decision.batch and self._sending is None
        return bool(feeds or shards or decision.cancel)

    async def _act(self, decision: Decision, view: View, lane: BatchLane) -> None:
        for number in decision.cancel:
            self._taken_back[number] = self._errand.clock.monotonic()
            lane.take_back(number)
        if decision.direct > view.returned and self._sending is not None:
            await self._end_sending(lane)  # what is fresh is known again only then
            self._note_change()
            return
        may_call = view.has_direct and self._direct.stopped is None
        is_at_a_loss = _is_at_a_loss(view, decision)
        self._is_lost = is_at_a_loss and not may_call
        # Where nothing else follows, one call is refused by whoever pays, and says what is lacking.
        direct = decision.direct or int(is_at_a_loss)
        if direct and may_call:
            await self._feed_direct(direct, view, lane)
        batch = min(decision.batch, view.fresh + (0 if view.has_direct else view.returned))
        if batch and self._sending is None:
            pick = self._picking.fresh if view.has_direct else self._picking.unassigned
            items = islice(pick(lane.apart), batch)
            self._sending = asyncio.create_task(lane.send(items, decision.shard_items))
            self._sending.add_done_callback(lambda _: self._note_change())

    async def _feed_direct(self, wanted: int, view: View, lane: BatchLane) -> None:
        most = max(_FED_LEAST, ceil(_FED_S * view.per_s))
        count = min(wanted, most - len(self._feed))
        self._refills_at = ceil(_REFILL_SHARE * most) if wanted > count else 0
        if count <= 0:
            return
        self._measure(self._errand.clock.monotonic())  # until now it may have had nothing to do
        fresh = self._picking.fresh(lane.apart) if self._sending is None else iter(())
        picked = await asyncio.to_thread(self._picking.for_calls, count, lane.apart, fresh)
        self._feed.put(picked)
        self._direct.wake()

    async def _end_sending(self, lane: BatchLane) -> None:
        if self._sending is not None:
            lane.stop_sending()
            await self._sending
            self._sending = None

    async def _view(self, lane: BatchLane) -> View:
        if self._sending is not None and self._sending.done():
            self._sending.result()
            self._sending = None
        settings = self._errand.settings
        left_usd = None
        if settings.budget_usd is not None:
            # What calls have reserved and not spent is theirs, too.
            left_usd = settings.budget_usd - self._batch.used_usd + self._direct.unspent_usd
        now_s, speed = self._errand.clock.monotonic(), self._speed.estimate
        rpm = self._leeway.rpm
        rpm_per_s = inf if rpm is None else rpm / 60
        limit_per_s = min(rpm_per_s, self._direct.calls_per_s)
        if limit_per_s < speed.per_s:
            speed = replace(speed, per_s=limit_per_s)
        view = await asyncio.to_thread(
            self._outlook.view,
            now_s=self._errand.clock.time(),
            standing=Standing(
                taken=frozenset(self._feed.taken),
                queued=0 if self._is_idle else len(self._feed.taken),
                apart=lane.apart,
                taken_back={number: now_s - at_s for number, at_s in self._taken_back.items()},
                left=frozenset(lane.left),
                most=self._left(self._feed.taken),
                is_still=self._direct.is_out or self._leeway.paused,
            ),
            speed=speed,
            left_usd=left_usd,
            has_batches=self._outlook.terms.takes_batches and lane.sends,
        )
        for shard in view.open:
            if shard.cancelling:  # of those that an earlier start took back nobody knows since when
                self._taken_back.setdefault(shard.number, now_s)
        # A batch may well be done while no call gets through, and calls may get through by then.
        is_waited_for = any(lane.is_at_provider(shard.number) for shard in view.open)
        self._direct.be_patient(patient=is_waited_for)
        return view

    def _measure(self, now_s: float) -> None:
        done, self._done = self._done, 0
        is_working = bool(self._feed.taken) and not (self._is_idle or self._leeway.paused)
        self._speed.look(now_s, done, busy=is_working, out=self._direct.is_out)

    @property
    def _is_idle(self) -> bool:
        """Whether the direct lane can do nothing with what it has: money or a model is lacking."""
        return self._direct.is_idle and not self._feed

    def _is_over(self, lane: BatchLane) -> bool:
        """Whether nothing is to be decided any more; what batches hold is, without money, too."""
        stop = self._direct.stopped
        is_stopped = stop is not None and stop.code != BUDGET_CODE
        return self._ended or self._is_lost or lane.is_leaving or is_stopped

    def _has_nothing_left(self, view: View) -> bool:
        waits = view.fresh + view.returned + view.queued
        if self._direct.stopped is not None and not view.has_batches:
            waits = 0
        return not (waits or view.open or self._sending is not None)

    async def _leave(self) -> None:
        """Nothing more is assigned."""
        self._feed.close()
        self._direct.wake()
        stop = self._direct.stopped
        if stop is not None and stop.code != BUDGET_CODE:  # batches would tell it a day later
            self._batch.drain()
        lane = self._batch.conducted
        if lane is not None:
            with suppress(asyncio.CancelledError):
                await self._end_sending(lane)
            lane.dismiss()
