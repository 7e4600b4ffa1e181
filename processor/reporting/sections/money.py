"""Lanes and costs: what each lane did, against the plan, and against all directly."""

from collections.abc import Iterator

from processor.console.words import counted
from processor.plan.prices import dollars
from processor.reporting import figures, timeline
from processor.reporting.document import (
    Block,
    Cell,
    Code,
    Foreign,
    Line,
    Pairs,
    Prose,
    Section,
    Table,
    cells,
)
from processor.reporting.gathering import Findings
from processor.reporting.plain import cut
from processor.watch.course import all_directly_usd
from processor.watch.snapshot import LaneTotals, Snapshot

_BATCHES_SHOWN = 12
_PROBLEM_CHARACTERS = 240


def section(found: Findings) -> Section | None:
    """None of a run that sent nothing."""
    if not found.shot.overall.requests_sent:
        return None
    return Section("costs", "Lanes and costs", list(_blocks(found)))


def _blocks(found: Findings) -> Iterator[Block]:
    shot = found.shot
    reason = shot.route.get("reason")
    if reason:
        lane = str(shot.route.get("lane"))
        yield Prose(("The route was ", lane, f": {reason}." if found.content else "."))
    used = {
        name: lane
        for name, lane in shot.lanes.items()
        if lane.requests_sent or lane.succeeded + lane.failed
    }
    rows = [_lane(name, lane) for name, lane in used.items()]
    if len(used) > 1:
        rows.append(_lane("overall", shot.overall, "together"))
    heads = ["lane", "succeeded", "failed", "requests", "retries", "tokens in", "out", "cost"]
    yield Table("What each lane did", heads, rows, frozenset(range(1, 8)))
    yield Pairs(list(_against(found)))
    if found.seen.batches:
        yield _batches(found)


def _lane(name: str, lane: LaneTotals, words: str = "") -> list[Cell]:
    place = name if name == "overall" else f"lanes.{name}"
    return cells(
        words or name,
        figures.count(f"{place}.succeeded", lane.succeeded),
        figures.count(f"{place}.failed", lane.failed),
        figures.count(f"{place}.requests_sent", lane.requests_sent),
        figures.count(f"{place}.retries", lane.retries),
        figures.count(f"{place}.prompt_tokens", lane.prompt_tokens),
        figures.count(f"{place}.completion_tokens", lane.completion_tokens),
        figures.usd(f"{place}.cost_usd", lane.cost_usd),
    )


def _batches(found: Findings) -> Table:
    """The batch jobs, the latest first."""
    shown = found.seen.batches[:_BATCHES_SHOWN]
    rows = []
    for held in shown:
        batch = held.batch
        created = "" if batch.created_at is None else timeline.clock(batch.created_at, dated=True)
        problem = batch.problem if found.content else None
        rows.append(
            cells(
                Code(batch.id),
                batch.status,
                created,
                _known(held.shard.items),
                _known(batch.completed),
                _known(batch.failed),
                () if problem is None else (Foreign(cut(problem, _PROBLEM_CHARACTERS)),),
            )
        )
    left = found.shot.jobs.batches - len(shown)
    title = f"Batch jobs; {left:,} earlier ones are left out" if left > 0 else "Batch jobs"
    heads = ["job", "status", "created", "requests", "answered", "failed", "problem"]
    if not any(row[-1].line for row in rows):
        heads, rows = heads[:-1], [row[:-1] for row in rows]
    return Table(title, heads, rows, frozenset({3, 4, 5}))


def _known(count: int | None) -> str:
    return "–" if count is None else f"{count:,}"


def _against(found: Findings) -> Iterator[tuple[str, Line]]:
    shot = found.shot
    cost_usd = shot.overall.cost_usd
    yield "paid", (figures.usd("overall.cost_usd", cost_usd), _listed(shot))
    planned = found.seen.planned
    if planned.usd is not None and planned.items:
        per_item = "" if cost_usd is None else _difference(shot, planned.usd / planned.items)
        usd = figures.usd("planned.usd", planned.usd)
        yield "planned", (usd, f" for {counted(planned.items, 'item')}{per_item}")
    whole_usd = all_directly_usd(shot)
    if whole_usd is not None and cost_usd is not None and shot.lanes["batch"].succeeded:
        line: Line = (figures.usd("all_direct_usd", whole_usd),)
        if whole_usd > cost_usd:
            line = (*line, "; saved ", figures.usd("saved_usd", whole_usd - cost_usd))
            line = (*line, " (", figures.share("saved", (whole_usd - cost_usd) / whole_usd), ")")
        yield "all directly", line
    if shot.session is not None and shot.session.budget_usd is not None:
        spent = figures.usd("spent_usd", shot.spent_usd)
        budget = figures.usd("budget_usd", shot.session.budget_usd)
        yield "budget", (spent, " of ", budget, " used")
    if shot.jobs.batches:
        batches = figures.count("jobs.batches", shot.jobs.batches)
        shards = figures.count("jobs.shards", shot.jobs.shards)
        yield "batch jobs", (batches, " made of ", shards, " input files")
    if shot.overall.cached_tokens:
        cached = figures.count("overall.cached_tokens", shot.overall.cached_tokens)
        yield "cached", (cached, " input tokens were billed at the lower price of cached ones")


def _difference(shot: Snapshot, planned_usd: float) -> str:
    """What an item was planned to cost, and what it cost."""
    if not shot.finished or shot.overall.cost_usd is None or not planned_usd:
        return ""
    per_item = shot.overall.cost_usd / shot.finished
    more = per_item / planned_usd - 1
    return (
        f": {dollars(planned_usd)} an item, and it came to {dollars(per_item)} "
        f"({abs(more):.0%} {'more' if more > 0 else 'less'})"
    )


def _listed(shot: Snapshot) -> str:
    return " at list price; the sandbox charges nothing" if shot.provider == "sandbox" else ""
