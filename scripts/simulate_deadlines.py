#!/usr/bin/env python3
"""Whether deadlines are made, and what that costs: 200 jobs in simulated time.

    python scripts/simulate_deadlines.py
    python scripts/simulate_deadlines.py --job 017-quick      one job, decision by decision

The jobs stand in deadline_scenarios.json. Every strategy sees what a run sees; the measure is a
plan that knows the future: which batches end in time, and how far the others will be.
"""

import argparse
import json
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from _bench import Figure, report, table
from _deadline_world import BATCH_USD, DIRECT_USD, STEP_S, Scenario, World

from processor.plan.decide import Decision, View, decide

FILE = Path(__file__).with_name("deadline_scenarios.json")
COST_MOST = 1.15
Strategy = Callable[[View], Decision]


@dataclass(frozen=True, slots=True)
class Ended:
    """How a job stood at its deadline, or when it was done.

    Attributes:
        made: Whether every item was answered.
        left: Items that were not.
    """

    made: bool
    left: float
    cost_usd: float
    over_budget: bool


def all_direct(view: View) -> Decision:
    """Everything directly, as far as the budget goes."""
    items = view.fresh + view.returned
    if view.left_usd is not None and view.direct_usd:
        items = min(items, int(max(0.0, view.left_usd) / view.direct_usd))
    return Decision(direct=items, reason="all directly")


def all_batch(view: View) -> Decision:
    """Everything by batch."""
    items = view.fresh + view.returned
    if view.left_usd is not None and view.batch_usd:
        items = min(items, int(max(0.0, view.left_usd) / view.batch_usd))
    return Decision(batch=items, reason="all by batch")


def half_time(view: View) -> Decision:
    """Everything by batch; what is not there at half time goes directly."""
    assert view.deadline_s is not None
    if view.now_s < view.deadline_s / 2:
        return all_batch(view)
    taken = tuple(shard.number for shard in view.open if not shard.cancelling)
    return Decision(direct=all_direct(view).direct, cancel=taken, reason="half time")


_HEAD = (
    *("strategy", "made", "missed that all directly makes", "missed that foresight makes"),
    *("mean cost, of foresight", "worst", "over budget"),
)
STRATEGIES: Mapping[str, Strategy] = {
    "processor": decide,
    "all directly": all_direct,
    "all by batch": all_batch,
    "switch at half time": half_time,
}


def simulate(
    job: Scenario, strategy: Strategy, tell: Callable[[str], None] = lambda _: None
) -> Ended:
    """Run a job to its deadline."""
    world, due_s = World(job), 0.0
    while not world.done and world.now_s < job.deadline_s:
        if world.now_s >= due_s:
            decision = strategy(world.view())
            world.act(decision)
            due_s = world.now_s + min(60.0, decision.look_again_s)
            if decision.direct or decision.batch or decision.cancel:
                tell(f"{world.now_s / 60:8.1f} min  {decision.reason}")
        world.pass_time(STEP_S)
    budget_usd = job.budget_usd
    return Ended(
        made=world.done,
        left=job.items - world.done_direct - world.done_batch,
        cost_usd=world.spent_usd,
        over_budget=budget_usd is not None and world.spent_usd > budget_usd + 1e-6,
    )


def foreseen_usd(job: Scenario) -> float | None:
    """The least cost when the future is known; None when no plan makes deadline and budget.

    Batches that end in time are waited for; each of the others is taken back as late as the direct
    lane can still do what it leaves, one after the other.
    """
    shard_items = decide(World(job).view()).shard_items
    cost_usd, end_s = 0.0, job.deadline_s
    for number in range(1, ceil(job.items / shard_items) + 1):
        items = min(shard_items, job.items - (number - 1) * shard_items)
        if job.kind != "fails" and job.duration_s(number) <= job.deadline_s:
            left = items * job.unanswered_share
        else:
            left = items - items * _share_at_last(job, number, items, end_s)
            end_s -= left / job.per_s
        cost_usd += (items - left) * BATCH_USD + left * DIRECT_USD
    if end_s < 0 or (job.budget_usd is not None and cost_usd > job.budget_usd):
        return None
    return cost_usd


def _share_at_last(job: Scenario, number: int, items: int, end_s: float) -> float:
    """How much a batch has done at the last moment at which it can be taken back."""
    share = 0.0
    for _ in range(20):  # the more it has done, the later that is
        taken_s = end_s - job.cancel_s - items * (1 - share) / job.per_s
        known = 0.0 if job.kind == "fails" else job.progress(number, max(0.0, taken_s))
        share = known if taken_s > 0 else 0.0
    return share


def _row(
    ended: Sequence[Ended], best: Sequence[float | None], direct: Sequence[Ended]
) -> list[str]:
    ratios = _ratios(ended, best)
    return [
        f"{sum(each.made for each in ended)}",
        f"{sum(d.made and not e.made for e, d in zip(ended, direct, strict=True))}",
        f"{sum(b is not None and not e.made for e, b in zip(ended, best, strict=True))}",
        f"{statistics.mean(ratios):.3f}",
        f"{max(ratios):.2f}",
        f"{sum(each.over_budget for each in ended)}",
    ]


def _ratios(ended: Sequence[Ended], best: Sequence[float | None]) -> list[float]:
    """Cost against a plan that knew the future, of the jobs that made it."""
    return [e.cost_usd / b for e, b in zip(ended, best, strict=True) if e.made and b]


def _show(job: Scenario) -> int:
    print(job)
    ended, best = simulate(job, decide, print), foreseen_usd(job)
    print(ended)
    print("no plan makes it" if best is None else f"with the future known: {best:,.1f}")
    return 0


def main() -> int:
    """Print the table; 1 when a figure is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--job", help="only this one, decision by decision")
    options = parser.parse_args()
    jobs = [Scenario(**told) for told in json.loads(FILE.read_text(encoding="utf-8"))]
    if options.job:
        return _show(next(job for job in jobs if job.name == options.job))
    ended = {name: [simulate(job, way) for job in jobs] for name, way in STRATEGIES.items()}
    best = [foreseen_usd(job) for job in jobs]
    direct = ended["all directly"]
    rows = [(name, *_row(results, best, direct)) for name, results in ended.items()]
    print(table(_HEAD, rows))
    known = sum(each is not None for each in best)
    print(f"\n{known} of {len(jobs)} jobs can be done in time and budget if the future is known.")
    ours = ended["processor"]
    for job, result, usd in zip(jobs, ours, best, strict=True):
        if usd is not None and not result.made:
            print(f"Missed though foresight makes it: {job.name}, {result.left:,.0f} items left.")
    missed = sum(d.made and not o.made for o, d in zip(ours, direct, strict=True))
    cost, exceeded = statistics.mean(_ratios(ours, best)), sum(each.over_budget for each in ours)
    return report(
        [
            Figure(name="deadlines missed that all directly makes", value=missed, target=0),
            Figure(name="mean cost, of foresight", value=cost, target=COST_MOST),
            Figure(name="budgets exceeded", value=exceeded, target=0),
        ]
    )


if __name__ == "__main__":
    raise SystemExit(main())
