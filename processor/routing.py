"""A start's route: what is known of the work is gathered, a lane chosen, and the choice kept."""

import asyncio
import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

from processor import folders, history, spending
from processor.errors import DeadlineError
from processor.experience import gather
from processor.ledger import pending, route as kept_route, shards
from processor.ledger.ledger import Ledger
from processor.notice import Notice
from processor.plan.beyond import beyond
from processor.plan.latency import Latencies
from processor.plan.offer import Pace, direct_time
from processor.plan.prices import FLEX
from processor.plan.route import (
    Bounds,
    Demand,
    Lane,
    Route,
    Wishes,
    choose,
    hangs_on_tokens,
    is_tight,
    moved,
)
from processor.sending.split import Split
from processor.sending.terms import HybridTerms, ItemCosts
from processor.settings import Settings
from processor.sizing import Load, Scales, usual_of
from processor.stop import Stop
from processor.tasks.task import Task
from processor.urgency import is_urgent
from processor.watch import snapshot

_SAMPLED_ITEMS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The lanes of a start.

    Attributes:
        split: What goes directly while the rest goes by batch; None for nothing.
        hybrid: What a start that mixes the lanes begins with; None for one that does not.
    """

    route: Route
    split: Split | None
    hybrid: HybridTerms | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """When a start is to be done.

    Attributes:
        at_s: Seconds since 1970.
        left_s: Until then.
    """

    at_s: float
    left_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """What an earlier start chose for work that is not done yet.

    Attributes:
        lane: None when there was none.
        through_seq: The last item of those that went directly as the first ones.
    """

    lane: Lane | None = None
    through_seq: int | None = None


_NO_EARLIER = Earlier()


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What earlier starts did; `usd` is None where a price is unknown."""

    items: int
    usd: float | None


def wishes_of(settings: Settings, *, streamed: bool = False) -> Wishes:
    """What a person asks for; `streamed` when every outcome is taken as it comes."""
    return Wishes(
        route=settings.route,
        urgent=settings.urgent,
        urgent_field=settings.urgent_field,
        direct_first=settings.direct_first,
        streamed=streamed,
        deadline=settings.deadline is not None,
    )


def earlier_of(ledger: Ledger, wishes: Wishes, allowed: int | None) -> Earlier:
    """What an earlier start chose for the same work.

    Its lane holds for the same wishes; work that went directly is another once it has grown, as
    what was little may be much now. The first rows stay the same for whoever wants as many.
    """
    kept = kept_route.kept_in(ledger.meta())
    if not kept.get("open"):
        return _NO_EARLIER
    wished, lane = kept["wishes"], Lane(kept["lane"])
    has_grown = lane is Lane.DIRECT and _items(ledger, allowed) > kept["items"]
    return Earlier(
        lane=lane if wished == asdict(wishes) and not has_grown else None,
        through_seq=kept["through_seq"] if wished["direct_first"] == wishes.direct_first else None,
    )


def split_of(ledger: Ledger, settings: Settings, allowed: int | None, earlier: Earlier) -> Split:
    """The items for which somebody waits; reads all that are pending where a column tells it.

    Args:
        ledger: Of the run.
        settings: With what a person asks for.
        allowed: How many items this start may finish; None for all.
        earlier: What an earlier start chose.
    """
    if not settings.may_batch:  # then everything goes the same way
        return Split()
    path, first, field = ledger.path, settings.direct_first, settings.urgent_field
    through_seq = earlier.through_seq
    if through_seq is None:
        through_seq = pending.last_of(path, first) if first else 0
    if not through_seq and field is None:
        return Split()
    last_seq = sys.maxsize
    if allowed is not None:
        _, held = shards.pending(path)
        last_seq = pending.last_of(path, max(0, allowed - held))
    seqs = set(pending.seqs_through(path, min(through_seq, last_seq)))
    if field is not None:
        seqs.update(pending.seqs_where(path, field, is_urgent, last_seq))
    return Split(seqs=sorted(seqs), through_seq=through_seq)


async def chosen(
    ledger: Ledger,
    *,
    task: Task,
    settings: Settings,
    allowed: int | None,
    streamed: bool,
    goes_on: bool,
    due: Due | None,
    tell: Callable[[Notice], None],
) -> Choice:
    """Choose the lanes of a start; the choice is told, and kept in the ledger for the next one.

    Args:
        ledger: Of the run; all rows are in it.
        task: What is asked.
        settings: With what a person asks for, and what holds the lanes back.
        allowed: How many items this start may finish; None for all.
        streamed: Whether every outcome is taken as it comes.
        goes_on: Whether it only ends what others began: what they chose stays kept.
        due: When it is to be done; None without a deadline.
        tell: Takes what happens.

    Raises:
        DeadlineError: Nothing was sent yet, and no lane can make the deadline.
    """
    wishes = wishes_of(settings, streamed=streamed)
    earlier = earlier_of(ledger, wishes, allowed)
    split, demand, bounds, done = await asyncio.to_thread(
        _gathered, ledger, task, settings, allowed, earlier
    )
    route = choose(wishes, demand, bounds, earlier.lane)
    if route.lane in (Lane.BATCH, Lane.HYBRID) and not await _has_batches(ledger, settings):
        bounds = replace(bounds, has_batches=False)
        route = choose(wishes, demand, bounds)
    terms = await asyncio.to_thread(_terms, ledger, task, settings, route, demand, bounds, due)
    if terms is not None and due is not None and not _is_begun(ledger):
        _refuse_beyond(demand, bounds, terms, settings, due.left_s)
    facts = _facts(route, demand, settings)
    if not goes_on:
        basis = {"wishes": asdict(wishes), "demand": asdict(demand), "bounds": asdict(bounds)}
        basis["done"] = asdict(done)
        through_seq = split.through_seq if route.lane is Lane.BATCH else None
        kept_route.keep(ledger, {**facts, **basis, "at": time.time(), "through_seq": through_seq})
    tell(Notice(event="route", facts=facts))
    return Choice(
        route=route,
        split=replace(split, ahead=is_tight(demand, bounds)) if route.split else None,
        hybrid=terms,
    )


def _is_begun(ledger: Ledger) -> bool:
    """Whether anything was sent: then as much as possible is done by a deadline."""
    counts = ledger.counts()
    return counts.pending < counts.total or bool(ledger.live_shards())


def _refuse_beyond(
    demand: Demand, bounds: Bounds, terms: HybridTerms, settings: Settings, left_s: float
) -> None:
    """Raise `DeadlineError` for a deadline that certainly cannot be made."""
    latencies = terms.latencies if terms.takes_batches else None
    found = beyond(demand, bounds, latencies, left_s)
    if found is not None:
        raise DeadlineError(
            f"--deadline {settings.deadline} cannot be made: {found.reason}", way_out=found.way_out
        )


async def moves(
    ledger: Ledger,
    *,
    settings: Settings,
    streamed: bool,
    goes_on: bool,
    lane: Lane,
    stop: Stop,
    tell: Callable[[Notice], None],
) -> bool:
    """Whether the rest of a start goes by batch, as its calls ended; if so, that is told and kept.

    Args:
        ledger: Of the run.
        settings: With what a person asks for.
        streamed: Whether every outcome is taken as it comes.
        goes_on: Whether the start only ends what others began: what they chose stays kept.
        lane: Of the start until now.
        stop: Why its calls are over.
        tell: Takes what happens.
    """
    wishes = wishes_of(settings, streamed=streamed)
    route = moved(wishes, lane, stop.code, stop.message)
    if route is None or not await _has_batches(ledger, settings):
        return False
    facts = {"lane": str(route.lane), "split": False, "reason": route.reason, "moved": True}
    if not goes_on:
        kept = kept_route.kept_in(ledger.meta())
        kept_route.keep(ledger, {**kept, **facts, "at": time.time(), "through_seq": None})
    items = ledger.counts().pending
    tell(Notice(event="route_changed", serious=True, facts={**facts, "items": items}))
    return True


def hybrid_terms(
    route: Route,
    demand: Demand,
    bounds: Bounds,
    settings: Settings,
    model: str,
    deadline_s: float | None,
    pace: Pace | None,
) -> HybridTerms | None:
    """What it takes to mix the lanes, or to end at a deadline whatever the lane; else None."""
    if route.lane is not Lane.HYBRID and (route.lane is not Lane.DIRECT or deadline_s is None):
        return None
    background = max(1, demand.background)
    believed = direct_time(demand, bounds, pace=pace, concurrency=settings.concurrency)
    return HybridTerms(
        deadline_s=deadline_s,
        latencies=latencies_of(settings, model),
        expected=ItemCosts(
            direct_usd=_each(demand.direct_usd, background),
            batch_usd=_each(demand.batch_usd, background),
        ),
        believed_per_s=background / believed.most_s,
        takes_batches=route.lane is Lane.HYBRID and bounds.has_batches,
    )


def _terms(
    ledger: Ledger,
    task: Task,
    settings: Settings,
    route: Route,
    demand: Demand,
    bounds: Bounds,
    due: Due | None,
) -> HybridTerms | None:
    """As `hybrid_terms`, with the speed that calls of this run and of those beside it had."""
    if due is None and route.lane is not Lane.HYBRID:
        return None
    runs = dict.fromkeys([ledger.folder, *folders.all_of(ledger.folder.parent)])
    pace = gather(runs, task=task.name, model=task.model, settings=settings).pace
    at_s = None if due is None else due.at_s
    return hybrid_terms(route, demand, bounds, settings, task.model, at_s, pace)


def latencies_of(settings: Settings, model: str) -> Latencies:
    """How long the provider's batches of a model took."""
    return history.latencies(history.place(os.environ), settings.host, model)


def _each(usd: float | None, items: int) -> float | None:
    return None if usd is None else usd / items


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
        flex_usd=total.flex_usd,
        batch_usd=total.batch_usd,
        least_usd=total.least_usd,
        most_usd=total.most_usd,
    )


def bounds_of(settings: Settings, *, spent_usd: float) -> Bounds:
    """What holds the lanes back, as far as is known without asking."""
    limit_usd = settings.budget_usd
    return Bounds(
        has_flex=settings.is_of_openai and not settings.access.is_azure,
        rpm=settings.rpm,
        tpm=settings.tpm,
        left_usd=None if limit_usd is None else limit_usd - spent_usd,
    )


def _gathered(
    ledger: Ledger, task: Task, settings: Settings, allowed: int | None, earlier: Earlier
) -> tuple[Split, Demand, Bounds, Done]:
    """What a choice is made from; the load is told from some of the items."""
    shot = snapshot.take(ledger.folder)
    bounds = bounds_of(settings, spent_usd=shot.spent_usd)
    items = _items(ledger, allowed)
    split = split_of(ledger, settings, allowed, earlier)

    def demand(*, counts: bool) -> Demand:
        scales = Scales(task, spending.prices_of(settings), usual_of(shot), counts=counts)
        load = scales.total(split.background(pending.sample(ledger.path, _SAMPLED_ITEMS)))
        return demand_of(items, items - len(split.seqs), load)

    found = demand(counts=False)
    decides = settings.may_batch or settings.route == FLEX or settings.deadline is not None
    if decides and settings.route != "batch" and hangs_on_tokens(found, bounds):
        found = demand(counts=True)  # which takes a moment
    return split, found, bounds, Done(items=shot.finished, usd=shot.overall.cost_usd)


def _facts(route: Route, demand: Demand, settings: Settings) -> dict[str, object]:
    """What is told of a choice."""
    return {
        "lane": str(route.lane),
        "split": route.split,
        "reason": route.reason,
        "asked": settings.route,
        "items": demand.items,
        "background": demand.background,
    }


def _items(ledger: Ledger, allowed: int | None) -> int:
    """How many a start is about."""
    count = ledger.counts().pending
    return count if allowed is None else min(count, allowed)


async def _has_batches(ledger: Ledger, settings: Settings) -> bool:
    """Whether the provider has a Batch API; it is asked where that is not known."""
    if settings.is_of_openai or settings.route == "batch" or ledger.live_shards():
        return True
    from processor.sending.provider import has_batches  # noqa: PLC0415 - loads the batch lane

    return await has_batches(settings)
