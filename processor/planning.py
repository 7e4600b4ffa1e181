"""What a run would do, and what each way of sending it takes and costs."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import floor
from pathlib import Path

from processor import folders, routing
from processor.experience import Experience, gather
from processor.ledger.database import LEDGER_NAME
from processor.plan.decide import View
from processor.plan.estimate import LEARNT_AFTER
from processor.plan.latency import Latencies
from processor.plan.mix import Mix, mix_of
from processor.plan.offer import (
    MIX,
    SHARD_ITEMS,
    Offer,
    Pace,
    Verdict,
    batch_time,
    direct_time,
    flex_time,
    offer_of,
    soonest,
)
from processor.plan.route import Lane, Route
from processor.plan.speed import Speed
from processor.rehearsal import Rehearsal, Rehearsed
from processor.routing import bounds_of, demand_of, hybrid_terms
from processor.settings import Settings
from processor.tasks.task import Task

_NAMED = 3  # of models
_ROUNDING = 1e-3  # items


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a run would do.

    Attributes:
        found: What would be sent.
        offers: Ways to send it; none where nothing would be sent.
        route: The one that it would take.
        choice: Name of its offer.
        left_usd: Of the budget; None without one.
        held_usd: What it holds for a batch until that is done; None where no batch would be, or
            batches of this run have told what they cost.
    """

    found: Rehearsed
    offers: Sequence[Offer]
    route: Route
    choice: str
    left_usd: float | None = None
    held_usd: float | None = None

    @property
    def is_late(self) -> bool:
        """Whether the way that is chosen cannot make the deadline."""
        return any(
            offer.verdict(self.found.left_s) is Verdict.NO
            for offer in self.offers
            if offer.name == self.choice
        )

    @property
    def possible_items(self) -> int:
        """How many the soonest way does before the deadline."""
        best = soonest(self.offers)
        if best is None or best.time is None or self.found.left_s is None:
            return self.found.total.items
        if best.name in (Lane.BATCH, MIX):  # fewer are hardly done sooner
            return 0
        share = min(1.0, self.found.left_s / best.time.most_s)
        return floor(share * self.found.total.items + _ROUNDING)

    def is_affordable(self, offer: Offer) -> bool | None:
        """Whether the budget is enough for an offer; None where nobody knows, or without one."""
        if self.left_usd is None or offer.cost_usd is None:
            return None
        held_usd = self.held_usd if offer.name == Lane.BATCH else None
        return max(offer.cost_usd, held_usd or 0.0) <= self.left_usd


class Planning:
    """Plans one start of a run; sends nothing, writes nothing, keeps nothing.

    Args:
        rehearsal: Of that start.
        folder: The run's, which is only read.
        task: What is asked.
        settings: What is in force; no key is needed.
    """

    def __init__(
        self,
        rehearsal: Rehearsal,
        *,
        folder: Path,
        task: Task,
        settings: Settings,
    ) -> None:
        self._rehearsal = rehearsal
        self._folder = folder
        self._task = task
        self._settings = settings

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
        return plan_of(found, experience, settings=self._settings, model=self._task.model)

    def _runs(self) -> list[Path]:
        """Those that may tell something, the run itself first."""
        own = [self._folder] if (self._folder / LEDGER_NAME).exists() else []
        return list(dict.fromkeys(each.resolve() for each in [*own, *folders.all_of()]))


def plan_of(found: Rehearsed, experience: Experience, *, settings: Settings, model: str) -> Plan:
    """The plan for what would be sent.

    Args:
        found: That.
        experience: What earlier runs tell.
        settings: What is in force.
        model: The task's.
    """
    bounds = bounds_of(settings, spent_usd=found.snapshot.spent_usd)
    plan = Plan(
        found=found,
        offers=(),
        route=found.route,
        choice=offer_of(found.route),
        left_usd=bounds.left_usd,
        held_usd=_held_usd(found, settings),
    )
    if not found.total.items:
        return plan
    latencies = routing.latencies_of(settings, model)
    directly = _directly(found, experience, settings)
    ways = [directly, _flex(found, settings, directly), _by_batch(found, settings, latencies)]
    if found.route.lane is not Lane.HYBRID:
        return replace(plan, offers=[*ways, *_split(found, settings, latencies)])
    mix = _mix(found, directly, settings, model, experience.pace)
    route = replace(found.route, reason=f"{found.route.reason}; {mix.decision.reason}")
    if not mix.decision.batch:
        return replace(plan, offers=ways, route=route, choice=str(Lane.DIRECT))
    return replace(plan, offers=[*ways, mix.offer], route=route)


def _held_usd(found: Rehearsed, settings: Settings) -> float | None:
    total, by_batch = found.total, found.snapshot.lanes[Lane.BATCH]
    held_usd = demand_of(total.items, total.items, total).held_usd
    if held_usd is None or by_batch.succeeded >= LEARNT_AFTER:
        return None
    return held_usd * min(1.0, (settings.shard_size or SHARD_ITEMS) / total.items)


def _directly(found: Rehearsed, experience: Experience, settings: Settings) -> Offer:
    total = found.total
    time = direct_time(
        demand_of(total.items, total.items, total),
        bounds_of(settings, spent_usd=found.snapshot.spent_usd),
        pace=experience.pace,
        concurrency=settings.concurrency,
    )
    return Offer(name=Lane.DIRECT, cost_usd=total.direct_usd, time=time)


def _flex(found: Rehearsed, settings: Settings, directly: Offer) -> Offer:
    assert directly.time is not None
    without = [model for model, load in found.loads.items() if load.flex_usd is None]
    note = ""
    if not settings.is_of_openai:
        note = f"{settings.provider} is not known to have it"
    elif without:
        note = f"no flex price of {', '.join(without[:_NAMED])} is known"
    if note and settings.route != Lane.FLEX.value:
        return Offer(name=Lane.FLEX, note=note)
    cost_usd = found.total.cost_usd(Lane.FLEX)
    return Offer(name=Lane.FLEX, cost_usd=cost_usd, time=flex_time(directly.time), note=note)


def _by_batch(found: Rehearsed, settings: Settings, latencies: Latencies) -> Offer:
    total, note = found.total, ""
    if not settings.is_of_openai:
        note = f"if {settings.provider} has batches"
    time = batch_time(total.items, settings.shard_size, latencies)
    return Offer(name=Lane.BATCH, cost_usd=total.batch_usd, time=time, note=note)


def _split(found: Rehearsed, settings: Settings, latencies: Latencies) -> Iterator[Offer]:
    """All by batch but those for which somebody waits, where there are some."""
    urgent, background = found.urgent.items, found.total.items - found.urgent.items
    if urgent and background:
        yield Offer(
            name=MIX,
            cost_usd=found.mixed_usd,
            time=batch_time(background, settings.shard_size, latencies),
            note=f"{urgent:,} directly, {background:,} by batch",
        )


def _mix(
    found: Rehearsed, directly: Offer, settings: Settings, model: str, pace: Pace | None
) -> Mix:
    """Both lanes at once, as a run would begin."""
    total, urgent = found.total, found.urgent
    bounds = bounds_of(settings, spent_usd=found.snapshot.spent_usd)
    demand = demand_of(total.items, total.items - urgent.items, total)
    deadline_s = found.deadline_s
    terms = hybrid_terms(found.route, demand, bounds, settings, model, deadline_s, pace)
    assert terms is not None
    assert directly.time is not None
    left_usd = bounds.left_usd
    view = View(
        now_s=found.begun_s,
        deadline_s=terms.deadline_s,
        fresh=demand.background,
        per_s=Speed(believed_per_s=terms.believed_per_s).estimate.per_s,
        is_measured=False,
        direct_usd=terms.expected.direct_usd,
        batch_usd=terms.expected.batch_usd,
        left_usd=None if left_usd is None else left_usd - (urgent.direct_usd or 0.0),
        has_batches=terms.takes_batches,
        latencies=terms.latencies,
    )
    return mix_of(
        view,
        directly=directly.time,
        batches=batch_time(demand.background, settings.shard_size, terms.latencies),
        urgent=urgent.items,
        urgent_usd=urgent.direct_usd,
    )
