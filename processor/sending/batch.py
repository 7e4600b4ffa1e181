"""The batch lane between pending items and the ledger."""

import os
import random
from collections.abc import Callable, Iterator, Sequence
from math import inf

from processor import history, spending
from processor.batch.answer import Settler
from processor.batch.halt import Halt
from processor.batch.lane import BatchLane
from processor.batch.purse import Purse
from processor.batch.rules import BatchRules
from processor.batch.sharding import LINES_MOST, ShardRules
from processor.batch.store import Store
from processor.batch.tools import Tools
from processor.direct.gauge import Leeway
from processor.errors import UsageError
from processor.items import Usage
from processor.ledger import allowance, shards
from processor.ledger.account import Account
from processor.ledger.commit import Record
from processor.ledger.ledger import Ledger
from processor.ledger.pending import Pending
from processor.ledger.shards import Batch
from processor.ledger.writer import Writer
from processor.notice import Notice
from processor.plan.budget import Shortfall
from processor.plan.latency import Seen
from processor.plan.prices import SANDBOX
from processor.sending.errand import Errand, Traffic
from processor.sending.provider import remote_of
from processor.sending.terms import BatchTerms
from processor.stop import Stop

FOLDER_NAME = "batches"


class BatchSending:
    """Conducts the batch lane; implements `LaneSending`.

    Args:
        errand: What is sent.
        terms: Of this start.
        pending: Gives the items that may be sent and no shard holds; None when nothing new is: what
            is at the provider is taken in.
        by_calls_usd: Tells what calls that are made meanwhile have spent or reserved.
        falls: What no batch takes or answers goes directly: no shard gets it again.
        leaves: What a batch does not answer may go by another lane.
        serves: Somebody tells what is sent, by `conducted`, and when the lane is over.
    """

    lane = "batch"
    traffic = Traffic()  # nobody counts the bytes of files

    def __init__(
        self,
        errand: Errand,
        *,
        terms: BatchTerms,
        pending: Callable[[], Iterator[Pending]] | None,
        by_calls_usd: Callable[[], float],
        falls: bool,
        leaves: bool,
        serves: bool = False,
    ) -> None:
        self._errand = errand
        self._terms = terms
        self._pending = pending
        self._by_calls_usd = by_calls_usd
        self._falls = falls
        self._leaves = leaves
        self._serves = serves
        self._lane: BatchLane | None = None
        self._purse: Purse | None = None
        self._held_usd = 0.0
        self._run_id = ""
        self._begun_s = 0.0
        self._spent_usd: Callable[[Account], float]
        self._paused = False
        self._ended = False

    @property
    def stopped(self) -> Stop | None:
        """Why the job had to stop."""
        return self._lane.stopped if self._lane else None

    @property
    def conducted(self) -> BatchLane | None:
        """The lane, to be told what to do; None before it runs."""
        return self._lane

    @property
    def used_usd(self) -> float:
        """What counts as spent of a budget, reservations of both lanes too."""
        return 0.0 if self._purse is None else self._purse.used_usd

    @property
    def is_holding(self) -> bool:
        """Whether a batch may still give some of the budget back."""
        return self._purse is not None and self._purse.is_holding

    @property
    def leaves_to_direct(self) -> bool:
        """Whether what is pending is for the direct lane: nothing of it waits for a batch."""
        if self._lane is None or self._lane.full:
            return False
        return self._falls or bool(self._lane.left_for_direct)

    @property
    def claimed_usd(self) -> float:
        """What shards hold, and what answers have cost since this lane began."""
        return self._held_usd if self._purse is None else self._purse.claimed_usd

    def heed(self, leeway: Leeway) -> None:
        """Send nothing new while that is paused; ceilings of calls are none of batches."""
        self._paused = leeway.paused
        if self._lane is not None:
            self._lane.pause(paused=leeway.paused)

    def renew(self, items: int) -> None:  # noqa: ARG002 - all that are pending are read again
        """Put items that are pending again into shards, too."""
        if self._lane is not None:
            self._lane.renew()

    def gauge(self) -> None:
        """No calls are made that anybody waits for."""

    def drain(self) -> None:
        """Start nothing new; what is under way is recorded."""
        self._ended = True
        if self._lane is not None:
            self._lane.drain()

    def abort(self) -> None:
        """End calls that are under way."""
        self._ended = True
        if self._lane is not None:
            self._lane.abort()

    def prepare(self, ledger: Ledger) -> None:
        """Read what the lane begins with, while the ledger is still free.

        Raises:
            UsageError: Batches of another key are open.
        """
        self._check_account(ledger)
        self._begun_s = self._errand.clock.time()
        self._run_id = ledger.meta()["run_id"]
        self._held_usd = spending.held_by_batches_usd(ledger)
        self._spent_usd = spending.begin_batches(
            ledger,
            prices=self._errand.prices,
            model=self._errand.task.model,
            by_calls_usd=self._by_calls_usd,
        )

    async def run(self, ledger: Ledger, writer: Writer, tell: Callable[[Notice], None]) -> None:
        """Send what is pending, and settle what is at the provider."""
        errand, settings = self._errand, self._errand.settings
        store = Store(ledger.path, writer)
        async with remote_of(settings) as remote:
            self._purse = Purse(
                store, limit_usd=settings.budget_usd, price=self._price, spent_usd=self._spent_usd
            )
            tools = Tools(
                remote=remote,
                store=store,
                purse=self._purse,
                rules=self._rules(),
                clock=errand.clock,
                halt=Halt(errand.clock),
                rng=random.Random(settings.seed),  # noqa: S311 - jitter needs no secrecy
                tell=tell,
                at=self._terms.at,
            )
            self._lane = BatchLane(
                tools,
                task=errand.task,
                settler=Settler(
                    task=errand.task,
                    keep_bodies=settings.keep_bodies,
                    rounds=settings.rounds,
                    direct_after=self._leaves,
                ),
                pending=self._pending or _nothing,
            )
            self._lane.pause(paused=self._paused)
            if not self._ended:
                await self._lane.run()

    def committed(self, records: Sequence[Record]) -> None:
        """The lane waits for each of its records by itself."""

    def conclude(self, ledger: Ledger) -> None:
        """Remember, for other runs, how long the batches took that have ended meanwhile."""
        settings = self._errand.settings
        if settings.provider == SANDBOX:
            return
        with ledger.guard():
            batches = shards.batches(ledger.connection)
        models = {shard.number: shard.model for shard in self._all_shards(ledger)}
        for batch in batches:
            seen = _seen(batch, self._begun_s)
            if seen is not None:
                path = history.place(os.environ)
                history.add(path, settings.host, models[batch.shard], [seen])

    def _all_shards(self, ledger: Ledger) -> list[shards.Shard]:
        with ledger.guard():
            return shards.all_of(ledger.connection)

    def shortfall(self, ledger: Ledger) -> Shortfall | None:
        """What the budget lacks, when that ended the sending."""
        limit_usd = self._errand.settings.budget_usd
        if self._purse is None or limit_usd is None or (refused := self._purse.refused) is None:
            return None
        items = ledger.counts().pending
        if (allowed := allowance.rest(ledger, self._errand.settings.limit)) is not None:
            items = min(items, allowed)
        return Shortfall(
            limit_usd=limit_usd,
            used_usd=self._purse.used_usd,
            items=items,
            rest_usd=items * refused.reserved_usd / refused.items,
            call_usd=refused.reserved_usd / refused.items,
        )

    def _price(self, model: str, usage: Usage) -> float | None:
        prices = self._errand.prices
        by_batch = prices.cost_usd(model, None, "batch", usage)
        return prices.cost_usd(model, None, "direct", usage) if by_batch is None else by_batch

    def _rules(self) -> BatchRules:
        settings = self._errand.settings
        return BatchRules(
            run_id=self._run_id,
            folder=self._errand.folder / FOLDER_NAME,
            account=self._errand.account,
            until=self._terms.until,
            shards=ShardRules(items_most=settings.shard_size or LINES_MOST),
            grace_s=settings.grace_s,
            give_up_s=settings.give_up_s,
            leftovers_stay=self._falls,
            sends=self._pending is not None,
            adopts=self._terms.adopts,
            description=settings.description,
            serves=self._serves,
            gives_way=self._falls,
            validating_most_s=self._validating_most_s(),
        )

    def _validating_most_s(self) -> float:
        """How long a batch may be validated; under a deadline that is for `decide` to tell."""
        settings = self._errand.settings
        is_bound = self._falls and settings.deadline is None
        return settings.validating_most_s if is_bound else inf

    def _check_account(self, ledger: Ledger) -> None:
        """Refuse batches of another key or provider: nobody knows whether this one sees them."""
        with ledger.guard():
            live = shards.live(ledger.connection)
        others = [
            shard
            for shard in live
            if shard.state in shards.AT_PROVIDER and shard.account != self._errand.account
        ]
        if others and not self._terms.new_account:
            raise UsageError(
                f"{len(others)} of this run's batches were made with another key or elsewhere",
                way_out="Use that key and address until they are settled, or say --new-account if "
                "this one belongs to the same project.",
            )


def _seen(batch: Batch, since_s: float) -> Seen | None:
    """How long a batch took that has ended since; None for one that tells nothing."""
    if batch.seen_at < since_s or not batch.total or batch.created_at is None:
        return None
    if batch.status == "expired":
        return Seen(batch.total, inf)
    if batch.status != "completed":
        return None
    seconds = batch.seen_at - batch.created_at
    return Seen(batch.total, seconds) if seconds >= 0 else None  # clocks differ


def _nothing() -> Iterator[Pending]:
    return iter(())
