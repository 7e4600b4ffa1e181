"""The direct lane between pending items and the ledger."""

from processor import spending
from processor.direct.lane import DirectLane
from processor.direct.retry import RetryPolicy
from processor.direct.rules import LaneRules
from processor.direct.transport import CONNECT_S, Transport
from processor.ledger import allowance
from processor.ledger.commit import Commit
from processor.ledger.ledger import Ledger
from processor.plan.budget import Shortfall
from processor.sending.errand import Errand
from processor.sending.recording import Recording, Traffic
from processor.settings import Settings
from processor.spending import Spending
from processor.stop import Stop


class DirectSending:
    """Conducts the direct lane; implements `Sending`."""

    def __init__(self, errand: Errand) -> None:
        self._errand = errand
        self._lane: DirectLane | None = None
        self._spending: Spending | None = None
        self._ended = False

    @property
    def stopped(self) -> Stop | None:
        """Why the job had to stop."""
        return self._lane.stopped if self._lane else None

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

    async def run(self, ledger: Ledger, session: int) -> None:
        """Send what is pending."""
        errand, settings = self._errand, self._errand.settings
        async with Transport(
            settings.access,
            trust_env=not settings.local,
            connect_s=min(CONNECT_S, settings.timeout_s / 2),
        ) as transport:
            recording = Recording(
                errand,
                session,
                traffic=lambda: Traffic(
                    sent=transport.bytes_sent, received=transport.bytes_received
                ),
                committed=self._committed,
                drain=self.drain,
                abort=self.abort,
            )
            model = errand.task.model
            opening = spending.begin(
                ledger, limit_usd=settings.budget_usd, prices=errand.prices, model=model
            )
            async with recording.writing(ledger) as writer:
                if opening is not None:
                    self._spending = Spending(
                        ledger,
                        opening,
                        prices=errand.prices,
                        model=model,
                        keep=writer.keep,
                        granted=self._granted,
                    )
                self._lane = DirectLane(
                    task=errand.task,
                    transport=transport,
                    pending=ledger.pending(errand.most),
                    recorder=writer,
                    rules=_rules(settings),
                    clock=errand.clock,
                    tell=recording.tell,
                    purse=self._spending.purse if self._spending else None,
                )
                if (witness := ledger.succeeded()) is not None:
                    self._lane.trust(witness)
                if not self._ended:
                    await self._lane.run()
        ledger.settle_calls()
        if self._spending is not None:
            self._spending.settle()
        recording.check()

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

    def _committed(self, commit: Commit) -> None:
        assert self._lane is not None
        self._lane.committed(commit.records)


def _rules(settings: Settings) -> LaneRules:
    return LaneRules(
        concurrency=settings.concurrency,
        rpm=settings.rpm,
        tpm=settings.tpm,
        wait_s=settings.wait_s,
        timeout_s=settings.timeout_s,
        give_up_s=settings.give_up_s,
        retry=RetryPolicy(attempts_max=settings.retries + 1),
        keep_bodies=settings.keep_bodies,
        seed=settings.seed,
    )
