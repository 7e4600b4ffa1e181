"""The lanes of one start of a run: one after the other, or both at once."""

import time
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from processor.batch.until import Until
from processor.codes import BUDGET_CODE
from processor.direct.gauge import Leeway
from processor.ledger import allowance, pending, shards
from processor.ledger.commit import Commit
from processor.ledger.database import LEDGER_NAME
from processor.ledger.gauges import DRAINING, PAUSED, SENDING, Gauges
from processor.ledger.ledger import Counts, Ledger
from processor.ledger.pending import Pending
from processor.ledger.writer import Writer
from processor.notice import Notice
from processor.plan.lack import Lack
from processor.plan.route import Lane
from processor.sending.direct import DirectSending
from processor.sending.errand import Errand, LaneSending, Traffic
from processor.sending.orders import Orders
from processor.sending.recording import Recording
from processor.sending.renewable import Renewable
from processor.sending.split import Split
from processor.sending.terms import BatchTerms, HybridTerms
from processor.sending.together import together
from processor.stop import Stop

_NO_TRAFFIC = Traffic()


class Lanes:
    """Conducts the lanes that a route names; what is open at the provider is taken in, too.

    Args:
        errand: What is sent.
        by_batch: Whether new work goes by batch.
        split: What of it goes directly meanwhile; None for nothing.
        hybrid: What a start that mixes the lanes begins with; None for one that does not.
        terms: What this start wants of the batch lane.
        only_open: Nothing new is sent.
        moves: Asked when calls are over: whether what is left goes by batch.
        leave: Ends the run as an interruption does.

    Attributes:
        leeway: What somebody lets the lanes do.
    """

    def __init__(
        self,
        errand: Errand,
        *,
        by_batch: bool,
        split: Split | None,
        hybrid: HybridTerms | None,
        terms: BatchTerms,
        only_open: bool,
        moves: Callable[[Stop], Awaitable[bool]],
        leave: Callable[[], None],
    ) -> None:
        self._errand = errand
        self._by_batch = by_batch
        self._split = split
        self._hybrid = hybrid
        self._terms = terms
        self._only_open = only_open
        self._moves = moves
        self._leave = leave
        settings = errand.settings
        self.leeway = Leeway(concurrency=settings.concurrency, rpm=settings.rpm, tpm=settings.tpm)
        self._is_moved = False
        self._is_renewed = False
        self._lanes: Sequence[LaneSending] = ()
        self._traffic_before = _NO_TRAFFIC
        self._ended = False

    @property
    def stopped(self) -> Stop | None:
        """Why the job had to stop; None when it had not."""
        return next((lane.stopped for lane in self._lanes if lane.stopped is not None), None)

    @property
    def is_ending(self) -> bool:
        """Whether nothing new is sent any more."""
        return self._ended

    def shortfall(self, ledger: Ledger) -> Lack | None:
        """What budget or deadline lack, when that ended the sending."""
        found = (lane.shortfall(ledger) for lane in self._lanes)
        return next((each for each in found if each is not None), None)

    def heed(self, leeway: Leeway) -> None:
        """Go on as somebody wants it."""
        self.leeway = leeway
        for lane in self._lanes:
            lane.heed(leeway)

    def renew(self, items: int) -> None:
        """Send items that are pending again, unless nothing new is sent any more.

        What no lane takes at once goes when those that work have ended.
        """
        self._is_renewed = True
        for lane in self._lanes:
            lane.renew(items)

    def drain(self) -> None:
        """Start nothing new; what is under way is recorded."""
        self._ended = True
        for lane in self._lanes:
            lane.drain()

    def abort(self) -> None:
        """End what is under way, too; its items stay pending."""
        self._ended = True
        for lane in self._lanes:
            lane.abort()

    async def run(self, ledger: Ledger, session: int) -> None:
        """Send until nothing is left, or until `drain` or a reason to stop.

        Raises:
            LedgerError: A disk refuses; what was answered before is recorded if it could be.
            UsageError: Batches of another key are open.
        """
        begun = ledger.counts()
        await self._send(ledger, session, begun)
        while self._sends_again(ledger):
            await self._send(ledger, session, begun)
        stops = (lane.stopped for lane in self._lanes if lane.lane != Lane.BATCH)
        stop = next((each for each in stops if each is not None), None)
        if stop is None or self._ended or not await self._moves(stop):
            return
        self._is_moved = self._by_batch = True
        self._split = None
        if self._hybrid is not None:
            self._hybrid = replace(self._hybrid, takes_direct=False)
        if not self._ended:  # while the provider was asked what it has
            await self._send(ledger, session, begun)

    def _sends_again(self, ledger: Ledger) -> bool:
        """Whether items are pending again since, and no lane took them."""
        is_renewed, self._is_renewed = self._is_renewed, False
        if not is_renewed or self._ended or self.stopped is not None:
            return False
        items, held = shards.pending(ledger.path)
        return items > held

    async def _send(self, ledger: Ledger, session: int, begun: Counts) -> None:
        if self._hybrid is not None and not self._only_open:
            await self._send_by_both(ledger, session, begun, self._hybrid)
            return
        only_directly = not (self._by_batch or ledger.live_shards())
        if only_directly or await self._send_batches(ledger, session, begun):
            await self._send_directly(ledger, session, begun)

    async def _send_by_both(
        self, ledger: Ledger, session: int, begun: Counts, terms: HybridTerms
    ) -> None:
        from processor.sending.both import hybrid_of  # noqa: PLC0415 - most go directly

        both = hybrid_of(
            self._errand,
            terms,
            path=ledger.path,
            batch=self._terms,
            first=self._split.seqs if self._split is not None else (),
            left=lambda taken: allowance.left(ledger, self._errand.most, begun, sorted(taken)),
        )
        await self._together(ledger, session, both)

    async def _send_directly(self, ledger: Ledger, session: int, begun: Counts) -> None:
        most = allowance.left(ledger, self._errand.most, begun)
        waiting = ledger.counts().pending
        items = waiting if most is None else min(waiting, most)
        if self._by_batch and items:
            self._tell(Notice(event="fallback", facts={"items": items}))
        read = partial(_pending, ledger.path)
        direct = DirectSending(self._errand, pending=Renewable(read, most))
        await self._together(ledger, session, direct)

    async def _send_batches(self, ledger: Ledger, session: int, begun: Counts) -> bool:
        """Send by batch, and directly meanwhile, or before, what is urgent.

        Returns:
            Whether what is pending still may go directly now.
        """
        from processor.sending.batch import BatchSending  # noqa: PLC0415 - most go directly

        falls = self._errand.settings.fallback == "direct" and not self._is_moved
        sends = self._by_batch and not self._only_open
        split = self._split if sends else None
        beside: list[DirectSending] = []

        def waiting() -> Iterator[Pending]:
            others = split.seqs if split is not None else ()
            most = allowance.left(ledger, self._errand.most, begun, others)
            if split is None:
                return pending.read(ledger.path, most)
            return islice(split.background(pending.read(ledger.path)), most)

        batch = BatchSending(
            self._errand,
            terms=self._terms if self._by_batch else replace(self._terms, until=Until.FETCHED),
            pending=waiting if sends else None,
            by_calls_usd=lambda: sum(direct.claimed_usd for direct in beside),
            falls=falls,
            leaves=falls or not self._by_batch,
        )
        if split is not None:
            by_batch_usd = None if split.ahead else lambda: batch.claimed_usd
            urgent = partial(_chosen, ledger.path, split.seqs)
            direct = DirectSending(
                self._errand, pending=Renewable(urgent, None), by_batch_usd=by_batch_usd
            )
            if split.ahead:
                await self._together(ledger, session, direct)
                if self._ended or _is_over(direct):
                    return False
            else:
                beside.append(direct)
        await self._together(ledger, session, batch, *beside)
        if split is not None and self._may_try_again(direct, batch):
            once_more = DirectSending(self._errand, pending=Renewable(urgent, None))
            await self._together(ledger, session, once_more)
        leaves = not self._by_batch or batch.leaves_to_direct
        return leaves and not (self._only_open or self._ended or self.stopped is not None)

    def _may_try_again(self, direct: DirectSending, batch: LaneSending) -> bool:
        """Whether batches that held the budget have given some of it back by now."""
        stop = direct.stopped
        is_short = stop is not None and stop.code == BUDGET_CODE
        return is_short and batch.stopped is None and not self._ended

    async def _together(self, ledger: Ledger, session: int, *lanes: LaneSending) -> None:
        """Conduct lanes at once, to the end of all."""
        for lane in lanes:
            lane.heed(self.leeway)
            lane.prepare(ledger)
        self._lanes = lanes
        if self._ended:  # somebody told so before the lanes were here
            self.drain()
        recording = Recording(
            self._errand,
            session,
            traffic=self._traffic,
            committed=self._committed,
            drain=self.drain,
            abort=self.abort,
        )
        try:
            async with recording.writing(ledger) as writer, self._pulse(recording, writer):
                ways = (
                    (
                        f"lane-{lane.lane}",
                        self._conduct(lane, lane.run(ledger, writer, recording.tell)),
                    )
                    for lane in lanes
                )
                await together(*ways, abort=self.abort)
        finally:
            self._traffic_before = self._traffic()
        for lane in lanes:
            lane.conclude(ledger)
        recording.check()

    def _pulse(self, recording: Recording, writer: Writer) -> AbstractAsyncContextManager[None]:
        orders = Orders(
            self._errand.folder / LEDGER_NAME,
            writer,
            self,
            drain=self._leave,
            tell=recording.tell,
        )
        return recording.beating(writer, orders, self._gauge)

    async def _conduct(self, lane: LaneSending, sending: Coroutine[Any, Any, None]) -> None:
        """Conduct a lane; when the direct one stops for what somebody has to mend, all leave.

        They would hear of it when the last batch is done, a day later perhaps. It stays at the
        provider. A budget is another matter: batches may give some of it back.
        """
        await sending
        if lane.lane == Lane.DIRECT and _is_over(lane):
            for other in self._lanes:
                other.drain()

    def _tell(self, notice: Notice) -> None:
        for observer in self._errand.observers:
            observer.notice(notice)

    def _gauge(self) -> Gauges:
        """How it is sent now; of two direct lanes nobody knows."""
        gauges = (lane.gauge() for lane in self._lanes)
        gauge = next((each for each in gauges if each is not None), None)
        leeway = self.leeway
        state = PAUSED if leeway.paused else SENDING
        return Gauges(
            at=time.time(),
            state=DRAINING if self._ended else state,
            concurrency=leeway.concurrency,
            rpm=leeway.rpm,
            tpm=leeway.tpm,
            **({} if gauge is None else asdict(gauge)),
        )

    def _traffic(self) -> Traffic:
        return sum((lane.traffic for lane in self._lanes), self._traffic_before)

    def _committed(self, commit: Commit) -> None:
        if len(self._lanes) == 1:
            self._lanes[0].committed(commit.records)
            return
        for lane in self._lanes:
            records = [record for record in commit.records if record.lane == lane.lane]
            lane.committed(records)


def _pending(path: Path, elsewhere: Callable[[], Collection[int]]) -> Iterator[Pending]:
    return pending.read(path, elsewhere=elsewhere)


def _chosen(
    path: Path, seqs: Sequence[int], elsewhere: Callable[[], Collection[int]]
) -> Iterator[Pending]:
    return pending.read_chosen(path, seqs, elsewhere=elsewhere)


def _is_over(lane: LaneSending) -> bool:
    """Whether it stopped for what somebody has to mend; batches may give a budget back."""
    return lane.stopped is not None and lane.stopped.code != BUDGET_CODE
