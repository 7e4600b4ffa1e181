"""What a run would do, and what each way of sending it takes and costs."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import floor
from pathlib import Path

from processor import folders
from processor.data.source import Source
from processor.experience import Experience, gather
from processor.identity import Consent
from processor.ledger.database import LEDGER_NAME
from processor.notice import Notice
from processor.plan.offer import (
    BATCH,
    DIRECT,
    FLEX,
    MIX,
    Offer,
    Time,
    Verdict,
    batch_time,
    direct_time,
    flex_time,
    offer_of,
    soonest,
    timely,
)
from processor.plan.route import Route
from processor.rehearsal import Rehearsal, Rehearsed
from processor.routing import bounds_of, demand_of
from processor.settings import Settings
from processor.tasks.task import Task

_WITH_FLEX = ("openai", "sandbox")


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """When it must be done.

    Attributes:
        at: The moment, with its zone.
        left_s: Until then.
    """

    at: datetime
    left_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a run would do.

    Attributes:
        found: What would be sent.
        offers: Ways to send it; none where nothing would be sent.
        route: The one that it would take.
        choice: Name of its offer.
        deadline: None without one.
        left_usd: Of the budget; None without one.
    """

    found: Rehearsed
    offers: Sequence[Offer]
    route: Route
    choice: str
    deadline: Deadline | None = None
    left_usd: float | None = None

    @property
    def left_s(self) -> float | None:
        """Until the deadline; None without one."""
        return None if self.deadline is None else self.deadline.left_s

    @property
    def is_late(self) -> bool:
        """Whether the way that is chosen cannot make the deadline."""
        return any(
            offer.verdict(self.left_s) is Verdict.NO
            for offer in self.offers
            if offer.name == self.choice
        )

    @property
    def possible_items(self) -> int:
        """How many the soonest way does before the deadline."""
        best = soonest(self.offers)
        if best is None or best.time is None or self.left_s is None:
            return self.found.total.items
        share = min(1.0, self.left_s / best.time.most_s)
        return 0 if best.name in (BATCH, MIX) else floor(share * self.found.total.items)

    def is_affordable(self, offer: Offer) -> bool | None:
        """Whether the budget is enough for an offer; None where nobody knows, or without one."""
        if self.left_usd is None or offer.cost_usd is None:
            return None
        return offer.cost_usd <= self.left_usd


class Planning:
    """Plans one start of a run; sends nothing, writes nothing, keeps nothing.

    Args:
        folder: The run's, which is only read.
        task: What is asked.
        source: The rows.
        settings: What is in force; no key is needed.
        consent: What may have changed since the run began.
        afresh: Begin as if there were no run.
        deadline: When it must be done.
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
        afresh: bool,
        deadline: Deadline | None,
        tell: Callable[[Notice], None],
    ) -> None:
        self._folder = folder
        self._task = task
        self._settings = settings
        self._deadline = deadline
        self._rehearsal = Rehearsal(
            folder=folder,
            task=task,
            source=source,
            settings=settings,
            consent=consent,
            outputs=(),
            afresh=afresh,
            tell=tell,
        )

    def drain(self) -> None:
        """End it."""
        self._rehearsal.drain()

    def abort(self) -> None:
        """End it."""
        self._rehearsal.abort()

    async def execute(self) -> Plan:
        """Plan it.

        Raises:
            ProcessorError: As `Rehearsal.execute`.
        """
        experience = await asyncio.to_thread(
            gather,
            self._runs(),
            task=self._task.name,
            model=self._task.model,
            settings=self._settings,
        )
        found = await self._rehearsal.execute(experience.usual)
        return plan_of(found, experience, settings=self._settings, deadline=self._deadline)

    def _runs(self) -> list[Path]:
        """Those that may tell something, the run itself first."""
        own = [self._folder] if (self._folder / LEDGER_NAME).exists() else []
        return list(dict.fromkeys([*own, *folders.all_of()]))


def plan_of(
    found: Rehearsed,
    experience: Experience,
    *,
    settings: Settings,
    deadline: Deadline | None = None,
) -> Plan:
    """The plan for what would be sent."""
    offers = _offers(found, experience, settings) if found.total.items else ()
    route = found.route
    if offers and deadline is not None:
        route = timely(route, offers, asked=settings.route, left_s=deadline.left_s)
    left_usd = bounds_of(settings, spent_usd=found.snapshot.spent_usd).left_usd
    return Plan(
        found=found,
        offers=offers,
        route=route,
        choice=offer_of(route, settings.route),
        deadline=deadline,
        left_usd=left_usd,
    )


def _offers(found: Rehearsed, experience: Experience, settings: Settings) -> Sequence[Offer]:
    total, urgent = found.total, found.urgent
    bounds = bounds_of(settings, spent_usd=found.snapshot.spent_usd)
    directly = direct_time(
        demand_of(total.items, total.items, total),
        bounds,
        pace=experience.pace,
        concurrency=settings.concurrency,
    )
    offers = [
        Offer(name=DIRECT, cost_usd=total.direct_usd, time=directly),
        _flex(found, settings, directly),
        _by_batch(BATCH, total.batch_usd, total.items, settings),
    ]
    background = total.items - urgent.items
    if 0 < background < total.items:
        note = f"{urgent.items:,} directly, {background:,} by batch"
        offers.append(_by_batch(MIX, found.mixed_usd, background, settings, note))
    return offers


def _flex(found: Rehearsed, settings: Settings, directly: Time) -> Offer:
    if settings.provider not in _WITH_FLEX:
        return Offer(name=FLEX, note=f"{settings.provider} is not known to have it")
    without = [model for model, load in found.loads.items() if load.flex_usd is None]
    if without:
        return Offer(name=FLEX, note=f"no flex price of {', '.join(without[:3])} is known")
    return Offer(name=FLEX, cost_usd=found.total.flex_usd, time=flex_time(directly))


def _by_batch(
    name: str, cost_usd: float | None, items: int, settings: Settings, note: str = ""
) -> Offer:
    time = batch_time(items, settings.shard_size)
    return Offer(name=name, cost_usd=cost_usd, time=time, note=note)
