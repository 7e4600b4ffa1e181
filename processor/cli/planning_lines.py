"""A plan, told: as lines for people, as JSON for programs."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from processor.cli import rehearsing
from processor.console.words import duration, money
from processor.plan.answers import NOTHING, thinks
from processor.plan.offer import ASSUMED, MIX, Offer, Time, Verdict, soonest
from processor.planning import Plan
from processor.settings import Settings

_FORMAT = 1
_NAMED = 3  # of models
_HEAD = ("lane", "cost", "time", "confidence")
_VERDICTS = {Verdict.YES: "", Verdict.PERHAPS: " · perhaps by then", Verdict.NO: " · not by then"}
_HOUR_S = 3_600.0


def lines(plan: Plan, settings: Settings) -> Iterator[str]:
    """A plan, a line at a time."""
    found = plan.found
    yield rehearsing.headline(found, settings, "planned")
    yield from rehearsing.items(found)
    if not plan.offers:
        return
    yield rehearsing.row("tokens", rehearsing.tokens(found.total, found.basis))
    yield from _table([_HEAD, *(_cells(offer, plan) for offer in plan.offers)])
    yield from _notes(plan)
    yield rehearsing.row("route", f"{plan.route.lane}: {plan.route.reason}")
    yield from rehearsing.costs_by_model(found)
    if found.total.direct_usd is None:
        yield rehearsing.row("cost", "not known; --price IN,OUT tells it")
    if found.deadline_s is not None:
        at = datetime.fromtimestamp(found.deadline_s, UTC).astimezone()
        yield rehearsing.row("deadline", f"{at:%Y-%m-%d %H:%M}, in {duration(found.left_s)}")
    if plan.left_usd is not None:
        yield rehearsing.row("budget", _budget(plan, plan.left_usd))


def _notes(plan: Plan) -> Iterator[str]:
    for offer in plan.offers:
        if offer.time is not None and offer.note:
            yield rehearsing.row("note", f"{offer.name}: {offer.note}")
    thinking = [model for model in plan.found.loads if thinks(model)]
    if thinking and _cost_by(plan) == ASSUMED:
        models = ", ".join(thinking[:_NAMED])
        yield rehearsing.row("note", f"what {models} may think first is charged, and not assumed")


def remedy(plan: Plan) -> str:
    """What is possible where the deadline is not."""
    best = soonest(plan.offers)
    assert best is not None
    assert best.time is not None
    ways = [f"{best.name} takes {span(best.time)}: a later --deadline"]
    if 0 < plan.possible_items < plan.found.total.items:
        ways.append(f"--limit {plan.possible_items}")
    if plan.choice != best.name and best.verdict(plan.found.left_s) is not Verdict.NO:
        ways.append(f"--route {best.name}")
    return f"Possible: {', or '.join(ways)}."


def document(plan: Plan, settings: Settings) -> Mapping[str, Any]:
    """A plan as JSON values; what is not known is null."""
    found, shot, total = plan.found, plan.found.snapshot, plan.found.total
    return {
        "format": _FORMAT,
        "task": shot.task,
        "model": shot.model,
        "provider": settings.provider,
        "items": {
            "to_send": total.items,
            "finished": shot.finished,
            "in_batches": found.in_batches,
            "later": found.later_items,
            "unfit": found.unfit_items,
            "left_out": shot.skipped,
        },
        "tokens": {
            "input": total.input_tokens,
            "output": total.output_tokens,
            "input_by": list(found.basis.input_by),
            "output_by": [each.words for each in found.basis.output_by],
            "pictured_requests": found.basis.pictured,
        },
        "lanes": [_lane(offer, plan) for offer in plan.offers],
        "models": {
            model: {
                "items": load.items,
                "input_tokens": load.input_tokens,
                "output_tokens": load.output_tokens,
                "direct_usd": _rounded(load.direct_usd),
                "flex_usd": _rounded(load.flex_usd),
                "batch_usd": _rounded(load.batch_usd),
            }
            for model, load in found.loads.items()
        },
        "route": _route(plan) if plan.offers else None,
        "deadline": _moment(found.deadline_s),
        "deadline_made": None if found.deadline_s is None else not plan.is_late,
        "budget_usd": settings.budget_usd,
        "held_usd": _rounded(plan.held_usd),
        "spent_usd": shot.spent_usd,
    }


def _route(plan: Plan) -> Mapping[str, Any]:
    route = plan.route
    return {
        "lane": str(route.lane),
        "split": route.split,
        "choice": plan.choice,
        "reason": route.reason,
    }


def _moment(at_s: float | None) -> str | None:
    return None if at_s is None else datetime.fromtimestamp(at_s, UTC).isoformat()


def _lane(offer: Offer, plan: Plan) -> Mapping[str, Any]:
    time, verdict = offer.time, offer.verdict(plan.found.left_s)
    return {
        "lane": offer.name,
        "cost_usd": _rounded(offer.cost_usd),
        "least_s": None if time is None else time.least_s,
        "most_s": None if time is None else time.most_s,
        "confidence": _confidence(offer, plan) if time is not None else None,
        "cost_by": _cost_by(plan) if offer.cost_usd is not None else None,
        "time_by": None if time is None else time.by,
        "note": offer.note,
        "by_deadline": None if verdict is None else str(verdict),
        "within_budget": plan.is_affordable(offer),
    }


def span(time: Time) -> str:
    """`53s`, `30s–1m15s`, `2–6 h`."""
    if time.least_s >= _HOUR_S and time.most_s - time.least_s >= _HOUR_S:
        return f"{time.least_s / _HOUR_S:.0f}–{time.most_s / _HOUR_S:.0f} h"
    least, most = duration(time.least_s), duration(time.most_s)
    return most if least == most else f"{least}–{most}"


def _cells(offer: Offer, plan: Plan) -> Sequence[str]:
    if offer.time is None:
        return (offer.name, "–", "–", offer.note)
    cost = "unknown" if offer.cost_usd is None else money(offer.cost_usd)
    if plan.is_affordable(offer) is False:
        is_held = offer.cost_usd is not None and offer.cost_usd <= (plan.left_usd or 0.0)
        cost += " · more is held" if is_held else " · over budget"
    verdict = offer.verdict(plan.found.left_s)
    time = span(offer.time) + ("" if verdict is None else _VERDICTS[verdict])
    return (offer.name, cost, time, _confidence(offer, plan))


def _confidence(offer: Offer, plan: Plan) -> str:
    """How sure cost and time are."""
    assert offer.time is not None
    cost = _cost_by(plan)
    if offer.cost_usd is None or cost == NOTHING or cost == offer.time.by == ASSUMED:
        return offer.time.words
    costs = ", ".join(each.words for each in plan.found.basis.output_by[:1])
    return f"answers {costs}; time {offer.time.words}"


def _cost_by(plan: Plan) -> str:
    """What the cost hangs on most: how long answers will be."""
    return next((each.basis for each in plan.found.basis.output_by), ASSUMED)


def _budget(plan: Plan, left_usd: float) -> str:
    shot = plan.found.snapshot
    told = f"{money(shot.spent_usd)} used, {money(max(0.0, left_usd))} left"
    lanes = [offer for offer in plan.offers if offer.name != MIX]
    known = [offer.cost_usd for offer in lanes if offer.cost_usd is not None]
    if known and min(known) > left_usd:
        told += f": not enough; the cheapest way costs about {money(min(known))}"
    elif plan.held_usd is not None and plan.held_usd > left_usd:
        told += (
            f"; {money(plan.held_usd)} is held for a batch until it is done, so that none is made: "
            "--max-output-tokens and --shard-size lower that"
        )
    return told


def _rounded(usd: float | None) -> float | None:
    """Without what adding up a million of them leaves behind."""
    return None if usd is None else round(usd, 9)


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(len(row[place]) for row in rows) for place in range(len(_HEAD) - 1)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        yield rehearsing.row(cells[0].rstrip(), "  ".join([*cells[1:], row[-1]]))
