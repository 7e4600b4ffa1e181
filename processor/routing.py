"""A start's route: what is known of the work is gathered, a lane chosen, and the choice kept."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from processor import spending
from processor.ledger import pending, route as kept_route
from processor.ledger.ledger import Ledger
from processor.notice import Notice
from processor.plan.route import Bounds, Demand, Lane, Route, Wishes, choose
from processor.sending.split import Split
from processor.settings import Settings
from processor.sizing import Load, Scales, usual_output_tokens
from processor.tasks.task import Task
from processor.urgency import is_urgent
from processor.watch import snapshot

_SAMPLED_ITEMS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The lanes of a start.

    Attributes:
        split: What goes directly while the rest goes by batch; None for nothing.
    """

    route: Route
    split: Split | None


def wishes_of(settings: Settings, *, streamed: bool = False) -> Wishes:
    """What a person asks for; `streamed` when every outcome is taken as it comes."""
    return Wishes(
        route=settings.route,
        urgent=settings.urgent,
        urgent_field=settings.urgent_field,
        direct_first=settings.direct_first,
        streamed=streamed,
    )


def split_of(
    ledger: Ledger, settings: Settings, allowed: int | None, through_seq: int | None = None
) -> Split:
    """The items for which somebody waits.

    Args:
        ledger: Of the run.
        settings: With what a person asks for.
        allowed: How many items this start may finish; None for all.
        through_seq: The last of those that go directly as the first ones, as an earlier start
            counted them.
    """
    first = settings.direct_first if allowed is None else min(settings.direct_first, allowed)
    if through_seq is None:
        through_seq = pending.last_of(ledger.path, first) if first else 0
    asked = first or settings.urgent_field is not None
    return Split(
        through_seq=through_seq,
        field=settings.urgent_field,
        last_seq=pending.last_of(ledger.path, allowed) if asked and allowed is not None else None,
    )


async def chosen(
    ledger: Ledger,
    *,
    task: Task,
    settings: Settings,
    allowed: int | None,
    streamed: bool,
    tell: Callable[[Notice], None],
) -> Choice:
    """Choose the lanes of a start; the choice is told, and kept in the ledger.

    Args:
        ledger: Of the run; all rows are in it.
        task: What is asked.
        settings: With what a person asks for, and what holds the lanes back.
        allowed: How many items this start may finish; None for all.
        streamed: Whether every outcome is taken as it comes.
        tell: Takes what happens.
    """
    wishes = wishes_of(settings, streamed=streamed)
    kept = _kept(ledger, wishes)
    split = split_of(ledger, settings, allowed, kept.get("through_seq"))
    before = Lane(kept["lane"]) if kept else None
    demand = await asyncio.to_thread(_demand, ledger, task, settings, allowed, split)
    bounds = _bounds(ledger, settings)
    route = choose(wishes, demand, bounds, before)
    if route.lane is Lane.BATCH and settings.route == "auto" and not await _has_batches(settings):
        bounds = Bounds(**{**asdict(bounds), "has_batches": False})
        route = choose(wishes, demand, bounds)
    facts = {
        "lane": str(route.lane),
        "split": route.split,
        "reason": route.reason,
        "asked": settings.route,
        "items": demand.items,
        "background": demand.background,
    }
    kept_route.keep(
        ledger,
        {
            **facts,
            "at": time.time(),
            "through_seq": split.through_seq,
            "wishes": asdict(wishes),
            "demand": asdict(demand),
            "bounds": asdict(bounds),
        },
    )
    tell(Notice(event="route", facts=facts))
    return Choice(route=route, split=split if route.split else None)


def demand_of(items: int, background: int, load: Load) -> Demand:
    """What is to be sent.

    Args:
        items: Without an outcome.
        background: Those among them for which nobody waits.
        load: Of the latter, or of some of them.
    """
    total = load.of(background)
    return Demand(
        items=items,
        background=background,
        input_tokens=total.input_tokens,
        output_tokens=total.output_tokens,
        direct_usd=total.direct_usd,
        batch_usd=total.batch_usd,
        least_usd=total.least_usd,
    )


def bounds_of(settings: Settings, *, spent_usd: float) -> Bounds:
    """What holds the lanes back, as far as is known without asking."""
    limit_usd = settings.budget_usd
    return Bounds(
        rpm=settings.rpm,
        tpm=settings.tpm,
        left_usd=None if limit_usd is None else limit_usd - spent_usd,
    )


def _bounds(ledger: Ledger, settings: Settings) -> Bounds:
    return bounds_of(settings, spent_usd=snapshot.take(ledger.folder).spent_usd)


def _demand(
    ledger: Ledger, task: Task, settings: Settings, allowed: int | None, split: Split
) -> Demand:
    """What is to be sent, told from some of the items."""
    counts = ledger.counts()
    items = counts.pending if allowed is None else min(counts.pending, allowed)
    background = items - min(items, _waited_for(ledger, settings, split))
    if not settings.may_batch:  # the rest decides nothing
        return Demand(items=items, background=background)
    usual = usual_output_tokens(snapshot.take(ledger.folder))
    scales = Scales(task, spending.prices_of(settings), usual)
    sample = split.background(pending.sample(ledger.path, _SAMPLED_ITEMS))
    return demand_of(items, background, scales.total(sample))


def _waited_for(ledger: Ledger, settings: Settings, split: Split) -> int:
    """How many items somebody waits for."""
    first = pending.up_to(ledger.path, split.through_seq) if split.through_seq else 0
    if settings.urgent_field is None:
        return first
    with ledger.guard():
        found = pending.values_of(
            ledger.connection, settings.urgent_field, after_seq=split.through_seq
        )
        return first + sum(count for value, _, count in found if is_urgent(value))


async def _has_batches(settings: Settings) -> bool:
    """Whether the provider has a Batch API; it is asked where that is not known."""
    if settings.provider in ("openai", "sandbox") or settings.access.is_azure:
        return True
    from processor.sending.provider import has_batches  # noqa: PLC0415 - loads the batch lane

    return await has_batches(settings)


def _kept(ledger: Ledger, wishes: Wishes) -> Mapping[str, Any]:
    """What an earlier start chose for the same work and the same wishes; empty for nothing."""
    kept = kept_route.kept_in(ledger.meta())
    return kept if kept.get("open") and kept["wishes"] == asdict(wishes) else {}
