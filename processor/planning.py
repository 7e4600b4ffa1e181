"""What a run would do, and what each way of sending it takes and costs."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from math import floor
from pathlib import Path

from processor import folders
from processor.experience import Experience, gather
from processor.ledger.database import LEDGER_NAME
from processor.plan.decide import View
from processor.plan.mix import Mix, mix_of
from processor.plan.offer import (
    ASSUMED,
    MIX,
    Offer,
    Verdict,
    batch_time,
    direct_time,
    flex_time,
    offer_of,
    soonest,
)
from processor.plan.route import Lane, Route
from processor.rehearsal import Rehearsal, Rehearsed
from processor.routing import bounds_of, demand_of
from processor.settings import Settings
from processor.tasks.task import Task

_AUTO = "auto"
_NAMED = 3  # of models


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
        return 0 if best.name in (Lane.BATCH, MIX) else floor(share * self.found.total.items)

    def is_affordable(self, offer: Offer) -> bool | None:
        """Whether the budget is enough for an offer; None where nobody knows, or without one."""
        if self.left_usd is None or offer.cost_usd is None:
            return None
        return offer.cost_usd <= self.left_usd


class Planning:
    """Plans one start of a run; sends nothing, writes nothing, keeps nothing.

    Args:
        rehearsal: Of that start.
        folder: The run's, which is only read.
        task: What is asked.
        settings: What is in force; no key is needed.
        deadline: When it must be done.
    """

    def __init__(
        self,
        rehearsal: Rehearsal,
        *,
        folder: Path,
        task: Task,
        settings: Settings,
        deadline: Deadline | None = None,
    ) -> None:
        self._rehearsal = rehearsal
        self._folder = folder
        self._task = task
        self._settings = settings
        self._deadline = deadline

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
        return list(dict.fromkeys(each.resolve() for each in [*own, *folders.all_of()]))


def plan_of(
    found: Rehearsed,
    experience: Experience,
    *,
    settings: Settings,
    deadline: Deadline | None = None,
) -> Plan:
    """The plan for what would be sent."""
    left_usd = bounds_of(settings, spent_usd=found.snapshot.spent_usd).left_usd
    plan = Plan(
        found=found,
        offers=(),
        route=found.route,
        choice=offer_of(found.route),
        deadline=deadline,
        left_usd=left_usd,
    )
    if not found.total.items:
        return plan
    directly = _directly(found, experience, settings)
    offers = [directly, _flex(found, settings, directly), *_batches(found, settings)]
    if deadline is None or settings.route != _AUTO or not settings.may_batch:
        return replace(plan, offers=offers)
    mix = _mix(found, directly, settings, deadline, left_usd)
    route = replace(found.route, reason=mix.decision.reason)
    offers = [offer for offer in offers if offer.name != MIX]
    if not mix.decision.batch:
        return replace(plan, offers=offers, route=route, choice=str(Lane.DIRECT))
    return replace(plan, offers=[*offers, mix.offer], route=route, choice=MIX)


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


def _batches(found: Rehearsed, settings: Settings) -> Iterator[Offer]:
    """All by batch; and all but those for which somebody waits."""
    total, urgent = found.total, found.urgent
    shard_items, note = settings.shard_size, ""
    if not settings.is_of_openai:
        note = f"if {settings.provider} has batches"
    time = batch_time(total.items, shard_items)
    yield Offer(name=Lane.BATCH, cost_usd=total.batch_usd, time=time, note=note)
    background = total.items - urgent.items
    if 0 < background < total.items:
        yield Offer(
            name=MIX,
            cost_usd=found.mixed_usd,
            time=batch_time(background, shard_items),
            note=f"{urgent.items:,} directly, {background:,} by batch",
        )


def _mix(
    found: Rehearsed,
    directly: Offer,
    settings: Settings,
    deadline: Deadline,
    left_usd: float | None,
) -> Mix:
    """Both lanes at once, as a run would begin."""
    total, urgent = found.total, found.urgent
    assert directly.time is not None
    now_s = deadline.at.timestamp() - deadline.left_s
    view = View(
        now_s=now_s,
        deadline_s=deadline.at.timestamp(),
        fresh=total.items - urgent.items,
        per_s=total.items / directly.time.most_s,
        is_measured=directly.time.by != ASSUMED,
        direct_usd=_each(total.direct_usd, total.items),
        batch_usd=_each(total.batch_usd, total.items),
        left_usd=None if left_usd is None else left_usd - (urgent.direct_usd or 0.0),
    )
    batches = batch_time(total.items, settings.shard_size)
    return mix_of(view, batches=batches, urgent=urgent.items, urgent_usd=urgent.direct_usd)


def _each(usd: float | None, items: int) -> float | None:
    return None if usd is None else usd / items
