"""Some of the simulated jobs; scripts/simulate_deadlines.py does all of them."""

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))
from _deadline_world import Scenario
from simulate_deadlines import FILE, all_direct, foreseen_usd, simulate

from processor.plan.decide import decide

JOBS = [
    Scenario(**told)
    for told in json.loads(FILE.read_text(encoding="utf-8"))
    if told["deadline_s"] < 12 * 3_600
][::8]


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.name)
def test_a_deadline_that_all_directly_makes_is_made(job: Scenario) -> None:
    ended = simulate(job, decide)
    assert ended.made or not simulate(job, all_direct).made
    assert not ended.over_budget


def test_it_costs_hardly_more_than_foresight() -> None:
    pairs = [(simulate(job, decide), foreseen_usd(job)) for job in JOBS]
    ratios = [ended.cost_usd / best for ended, best in pairs if ended.made and best]
    assert sum(ratios) / len(ratios) < 1.15
