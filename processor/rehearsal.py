"""A run without its calls: the input read and checked, every item rendered, nothing left behind.

What a run folder knows already counts: its ledger is copied, and the import goes into the copy. So
what is told is what the same command would send now.
"""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from processor import due, fitness, identity, routing, spending
from processor.data.source import Source
from processor.direct.backlog import Work
from processor.errors import InterruptedRunError
from processor.exports.output import Delivered, Output, deliver_all
from processor.identity import Consent
from processor.importing import Import
from processor.items import Failure
from processor.ledger.database import LEDGER_NAME
from processor.ledger.duplicate import duplicate
from processor.ledger.intake import Intake
from processor.ledger.ledger import Ledger, open_ledger
from processor.notice import Notice
from processor.plan.answers import Usual
from processor.plan.prices import FLEX
from processor.plan.route import Lane, Route, choose
from processor.routing import Earlier
from processor.sending.split import Split
from processor.settings import Settings
from processor.sizing import NOTHING, Basis, Load, Scales, usual_of
from processor.tasks.task import Task
from processor.watch import snapshot
from processor.watch.snapshot import Snapshot

_UNFIT_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsed:
    """What a run would do.

    Attributes:
        snapshot: The run as it would begin to send.
        intake: What would be imported; None when the source is known as it is.
        first: The first request, as JSON; None when nothing would be sent.
        route: The lanes that it would take, if the provider has what they need.
        loads: Model to what it would be sent.
        urgent: What of all that goes directly while the rest goes by batch.
        unfit: Items that would fail unsent, as (id, reason); the first ones.
        unfit_items: How many.
        in_batches: Items that wait in batches of earlier starts, which would be fetched first.
        basis: What the loads were told from.
        deadline_s: When it is to be done, in seconds since 1970; None without a deadline.
        begun_s: When it would begin, which is now.
        outputs: Name to what it would get of the results that are there already; None of a file,
            which would be written at the end.
    """

    snapshot: Snapshot
    intake: Intake | None
    first: bytes | None
    route: Route
    loads: Mapping[str, Load]
    urgent: Load
    unfit: Sequence[tuple[str | int, str]]
    unfit_items: int
    in_batches: int
    basis: Basis
    deadline_s: float | None
    begun_s: float
    outputs: Mapping[str, Delivered | None]

    @property
    def total(self) -> Load:
        """For all models."""
        return sum(self.loads.values(), NOTHING)

    @property
    def left_s(self) -> float | None:
        """Until the deadline; None without one."""
        return None if self.deadline_s is None else self.deadline_s - self.begun_s

    @property
    def later_items(self) -> int:
        """Items that this start would leave to later ones."""
        now = self.total.items + self.unfit_items + self.in_batches
        return max(0, self.snapshot.pending - now)

    @property
    def mixed_usd(self) -> float | None:
        """Where somebody waits directly, all else by batch; None when it is not known."""
        rest_usd, urgent = self.total.batch_usd, self.urgent
        if rest_usd is None or urgent.direct_usd is None or urgent.batch_usd is None:
            return None
        return rest_usd - urgent.batch_usd + urgent.direct_usd

    @property
    def cost_usd(self) -> float | None:
        """By the lanes that it would take; None when it is not known."""
        is_batch = self.route.lane is Lane.BATCH
        return self.mixed_usd if is_batch else self.total.cost_usd(self.route.lane)


class Rehearsal:
    """Rehearses one start of a run.

    Args:
        folder: The run's, which is only read.
        task: What is asked.
        source: The rows.
        settings: What is in force; no key is needed.
        consent: What may have changed since the run began.
        outputs: Where results would go; those that are `live` must rehearse.
        afresh: Begin as if there were no run.
        tell: Takes what happens.
    """

    def __init__(
        self,
        *,
        folder: Path,
        task: Task,
        source: Source,
        settings: Settings,
        consent: Consent,
        outputs: Sequence[Output],
        afresh: bool,
        tell: Callable[[Notice], None],
    ) -> None:
        self._folder = folder
        self._task = task
        self._settings = settings
        self._consent = consent
        self._outputs = outputs
        self._afresh = afresh
        self._fitness = fitness.Fitness(settings, task)
        self._leaving = False
        self._import = Import(
            source=source,
            task=task,
            settings=settings,
            update=consent.rows,
            problem_with=self._fitness.problem_with,
            accept=self._accept,
            tell=tell,
        )

    def drain(self) -> None:
        """End it."""
        self._leaving = True
        self._import.leave()

    def abort(self) -> None:
        """End it."""
        self.drain()

    async def execute(self, usual: Usual | None = None) -> Rehearsed:
        """Do everything that a run would do but send, write and keep.

        Args:
            usual: Of answers of other runs, for a run that has none.

        Raises:
            ProcessorError: What the run would be refused for; that it was ended.
        """
        fitness.check(self._settings, self._task)
        with ExitStack() as stack:
            place = stack.enter_context(TemporaryDirectory(prefix="processor-rehearsal-"))
            for output in self._outputs:
                stack.callback(output.close)
                await asyncio.to_thread(output.reach)
            if not self._afresh and (self._folder / LEDGER_NAME).exists():
                duplicate(self._folder / LEDGER_NAME, Path(place) / LEDGER_NAME)
            with open_ledger(Path(place)) as ledger:
                return await self._rehearse(ledger, usual)

    async def _rehearse(self, ledger: Ledger, usual: Usual | None) -> Rehearsed:
        self._fitness.check(ledger)
        provider, begun_s = self._settings.provider, time.time()
        identity.keep(ledger, self._task, provider=provider, accept_change=self._consent.task)
        deadline_s = due.keep(ledger, self._settings.deadline, begun_s)
        intake, allowed = await self._import.run(ledger)
        shot = snapshot.take(ledger.folder)
        prices = spending.prices_of(self._settings)
        tier = FLEX if self._settings.route == FLEX else None
        scales = Scales(self._task, prices, usual_of(shot) or usual, counts=True, tier=tier)
        earlier = routing.earlier_of(ledger, routing.wishes_of(self._settings), allowed)
        split = await asyncio.to_thread(routing.split_of, ledger, self._settings, allowed, earlier)
        rendered = await asyncio.to_thread(self._render, ledger, allowed, scales, split)
        path = ledger.folder / LEDGER_NAME
        return Rehearsed(
            snapshot=shot,
            intake=intake,
            first=rendered.first,
            route=self._route(rendered, shot, earlier),
            loads=rendered.loads,
            urgent=rendered.urgent,
            unfit=rendered.unfit,
            unfit_items=rendered.unfit_items,
            in_batches=sum(shard.items for shard in ledger.live_shards()),
            basis=scales.basis,
            deadline_s=deadline_s,
            begun_s=begun_s,
            outputs={
                output.name: await asyncio.to_thread(deliver_all, output, path)
                if output.live
                else None
                for output in self._outputs
            },
        )

    def _accept(self, connection: sqlite3.Connection) -> None:
        for output in self._outputs:
            output.check(connection)

    def _route(self, rendered: "_Rendered", shot: Snapshot, earlier: Earlier) -> Route:
        total = sum(rendered.loads.values(), NOTHING)
        return choose(
            routing.wishes_of(self._settings),
            routing.demand_of(total.items, total.items - rendered.urgent.items, total),
            routing.bounds_of(self._settings, spent_usd=shot.spent_usd),
            earlier.lane,
        )

    def _render(
        self, ledger: Ledger, allowed: int | None, scales: Scales, split: Split
    ) -> "_Rendered":
        rendered = _Rendered()
        for work, load in scales.weigh(ledger.pending(allowed)):
            if self._leaving:
                raise InterruptedRunError("Interrupted; nothing was sent")
            if isinstance(load, Failure):
                rendered.refuse(work, load)
            else:
                rendered.add(work, load, urgent=split.is_direct(work.item))
        return rendered


class _Rendered:
    """Adds up what rendering brings."""

    def __init__(self) -> None:
        self.first: bytes | None = None
        self.loads: dict[str, Load] = {}
        self.urgent = NOTHING
        self.unfit: list[tuple[str | int, str]] = []
        self.unfit_items = 0

    def add(self, work: Work, load: Load, *, urgent: bool) -> None:
        """A request that can be sent."""
        self.first = self.first or work.body
        self.loads[work.model] = self.loads.get(work.model, NOTHING) + load
        if urgent:
            self.urgent += load

    def refuse(self, work: Work, failure: Failure) -> None:
        """An item that cannot."""
        self.unfit_items += 1
        if len(self.unfit) < _UNFIT_SHOWN:
            self.unfit.append((work.item.id, failure.message))
