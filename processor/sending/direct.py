"""The direct lane between pending items and the ledger."""

from collections.abc import Callable, Iterator, Sequence
from math import inf

from processor import spending
from processor.direct.gauge import Gauge, Leeway
from processor.direct.lane import DirectLane
from processor.direct.retry import RetryPolicy
from processor.direct.rules import LaneRules, TierRules
from processor.direct.transport import CONNECT_S, Transport
from processor.items import Outcome
from processor.ledger import allowance
from processor.ledger.commit import Record
from processor.ledger.ledger import Ledger
from processor.ledger.pending import Pending
from processor.ledger.writer import Writer
from processor.notice import Notice
from processor.plan.budget import Shortfall
from processor.sending.errand import Errand, Traffic
from processor.sending.renewable import Renewable
from processor.settings import Settings
from processor.spending import Opening, Spending
from processor.stop import Stop


class DirectSending:
    """Conducts the direct lane; implements `LaneSending`.

    Args:
        errand: What is sent.
        pending: Gives the items.
        by_batch_usd: Tells what batches claim of the budget, if they are conducted meanwhile.
        hopes: Tells whether some of that may be given back, which is then waited for.
    """

    lane = "direct"

    def __init__(
        self,
        errand: Errand,
        *,
        pending: Iterator[Pending | None],
        by_batch_usd: Callable[[], float] | None = None,
        hopes: Callable[[], bool] = bool,
    ) -> None:
        self._errand = errand
        self._pending = pending
        self._by_batch_usd = by_batch_usd
        self._hopes = hopes
        self._opening: Opening | None = None
        self._witness: Pending | None = None
        self._lane: DirectLane | None = None
        self._transport: Transport | None = None
        self._spending: Spending | None = None
        settings = errand.settings
        self._leeway = Leeway(concurrency=settings.concurrency, rpm=settings.rpm, tpm=settings.tpm)
        self._ended = False

    @property
    def stopped(self) -> Stop | None:
        """Why the job had to stop."""
        return self._lane.stopped if self._lane else None

    @property
    def traffic(self) -> Traffic:
        """Bytes so far."""
        transport = self._transport
        if transport is None:
            return Traffic()
        return Traffic(sent=transport.bytes_sent, received=transport.bytes_received)

    @property
    def claimed_usd(self) -> float:
        """What counts as spent of a budget by now, but for batches; 0 without one."""
        return 0.0 if self._spending is None else self._spending.claimed_usd

    @property
    def unspent_usd(self) -> float:
        """What of that is only reserved."""
        return 0.0 if self._spending is None else self._spending.unspent_usd

    @property
    def calls_per_s(self) -> float:
        """What known limits allow; infinite where none is known."""
        return inf if self._lane is None else self._lane.calls_per_s

    @property
    def is_out(self) -> bool:
        """Whether no call gets through."""
        return self._lane is not None and self._lane.is_out

    def be_patient(self, *, patient: bool) -> None:
        """Wait for the end of an outage as long as something else is waited for, too."""
        if self._lane is not None:
            self._lane.be_patient(patient=patient)

    @property
    def is_idle(self) -> bool:
        """Whether it waits for something new with no call in flight or due."""
        return self._lane is not None and self._lane.is_idle

    def heed(self, leeway: Leeway) -> None:
        """Go on as somebody wants it."""
        if leeway != self._leeway:
            self._leeway = leeway
            if self._lane is not None:
                self._lane.heed(leeway)

    def renew(self, items: int) -> None:
        """Send items that are pending again, if they are among those that this lane reads."""
        if self._lane is not None and isinstance(self._pending, Renewable):
            self._pending.renew(items)
            self._lane.renew()

    def gauge(self) -> Gauge | None:
        """How calls are made."""
        return None if self._lane is None else self._lane.gauge()

    def wake(self) -> None:
        """There may be items again, or there will be none any more."""
        if self._lane is not None:
            self._lane.wake()

    def drain(self) -> None:
        """Start no call; those in flight finish."""
        self._ended = True
        if self._lane is not None:
            self._lane.drain()

    def abort(self) -> None:
        """End the calls in flight."""
        self._ended = True
        if self._lane is not None:
            self._lane.abort()

    def prepare(self, ledger: Ledger) -> None:
        """Read what the lane begins with, while the ledger is still free."""
        self._opening = spending.begin(
            ledger,
            limit_usd=self._errand.settings.budget_usd,
            prices=self._errand.prices,
            model=self._errand.task.model,
            by_batch_usd=self._by_batch_usd,
        )
        self._witness = ledger.succeeded()

    async def run(self, ledger: Ledger, writer: Writer, tell: Callable[[Notice], None]) -> None:
        """Send what is pending."""
        errand, settings = self._errand, self._errand.settings
        if self._opening is not None:
            self._spending = Spending(
                ledger,
                self._opening,
                prices=errand.prices,
                model=errand.task.model,
                keep=writer.keep,
                granted=self._granted,
                hopes=self._hopes,
            )
        async with Transport(
            settings.access,
            trust_env=not settings.local,
            connect_s=min(CONNECT_S, settings.timeout_at(errand.tier) / 2),
        ) as self._transport:
            self._lane = DirectLane(
                task=errand.task,
                transport=self._transport,
                pending=self._pending,
                recorder=writer,
                rules=_rules(settings, self._leeway, errand.tier),
                clock=errand.clock,
                tell=tell,
                purse=self._spending.purse if self._spending else None,
            )
            if self._witness is not None:
                self._lane.trust(self._witness)
            if self._leeway.paused:
                self._lane.heed(self._leeway)
            if not self._ended:
                await self._lane.run()

    def committed(self, records: Sequence[Record]) -> None:
        """What the lane handed over is durable."""
        if self._lane is not None:
            self._lane.committed(records)
        if isinstance(self._pending, Renewable):
            done = [record.item.seq for record in records if isinstance(record, Outcome)]
            self._pending.taken.difference_update(done)

    def conclude(self, ledger: Ledger) -> None:
        """Put down what was really sent and spent; the ledger is free again."""
        ledger.settle_calls()
        if self._spending is not None:
            self._spending.settle()

    def shortfall(self, ledger: Ledger) -> Shortfall | None:
        """What the budget lacks, when that ended the sending."""
        if self._spending is None:
            return None
        pending = ledger.counts().pending
        allowed = allowance.grant(ledger, self._errand.settings.limit)
        items = pending if allowed is None else min(pending, allowed)
        models = spending.waiting_by_model(ledger, self._errand.task)
        return self._spending.shortfall(items, models)

    def _granted(self) -> None:
        assert self._lane is not None
        self._lane.granted()


def _rules(settings: Settings, leeway: Leeway, tier: str | None) -> LaneRules:
    return LaneRules(
        concurrency=leeway.concurrency,
        rpm=leeway.rpm,
        tpm=leeway.tpm,
        wait_s=settings.wait_s,
        timeout_s=settings.timeout_at(tier),
        give_up_s=settings.give_up_s,
        tier=TierRules(
            name=tier,
            patience_s=settings.flex_patience_s,
            falls=settings.fallback == "direct",
        ),
        retry=RetryPolicy(attempts_max=settings.retries + 1),
        keep_bodies=settings.keep_bodies,
        seed=settings.seed,
    )
