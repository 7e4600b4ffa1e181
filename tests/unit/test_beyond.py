"""Deadlines that no lane can make, for limits that were told."""

from dataclasses import replace
from math import inf

import pytest
from hypothesis import given, strategies as st

from processor.plan.beyond import beyond
from processor.plan.latency import Latencies, Seen
from processor.plan.route import Bounds, Demand

HOUR_S = 3_600.0
MUCH = Demand(items=2_000, background=2_000, input_tokens=1_000_000)
SLOW = Bounds(rpm=5)  # 6 h 40 min
NEVER = Latencies([Seen(2_000, inf)] * 50)
QUICK = Latencies([Seen(2_000, 600.0)] * 50)
NO_BATCHES = None


@pytest.mark.parametrize(
    ("demand", "bounds", "latencies", "left_s", "is_beyond"),
    [
        pytest.param(MUCH, SLOW, NO_BATCHES, HOUR_S, True, id="calls-are-too-slow"),
        pytest.param(MUCH, SLOW, NO_BATCHES, 7 * HOUR_S, False, id="calls-are-not"),
        pytest.param(MUCH, Bounds(), NO_BATCHES, 1.0, False, id="nobody-told-a-limit"),
        pytest.param(MUCH, Bounds(tpm=1_000), NO_BATCHES, HOUR_S, True, id="so-many-tokens"),
        pytest.param(MUCH, SLOW, NEVER, HOUR_S, True, id="batches-never-end-so-soon"),
        pytest.param(MUCH, SLOW, QUICK, HOUR_S, False, id="a-batch-may-do-it"),
        pytest.param(MUCH, SLOW, Latencies(), 6 * HOUR_S, False, id="one-may-by-what-users-say"),
        pytest.param(MUCH, SLOW, Latencies(), 600.0, True, id="none-does-in-ten-minutes"),
        pytest.param(
            replace(MUCH, background=1_000), SLOW, NO_BATCHES, 6 * HOUR_S, True,
            id="those-for-whom-somebody-waits-count",
        ),
        pytest.param(
            Demand(items=0, background=0), SLOW, NO_BATCHES, HOUR_S, False, id="nothing-to-do"
        ),
    ],
)  # fmt: skip
def test_what_is_beyond_all_lanes(
    demand: Demand, bounds: Bounds, latencies: Latencies | None, left_s: float, is_beyond: bool
) -> None:
    assert (beyond(demand, bounds, latencies, left_s) is not None) is is_beyond


def test_it_is_said_with_what_is_possible() -> None:
    found = beyond(MUCH, SLOW, NEVER, HOUR_S)
    assert found is not None
    assert found.reason == (
        "2,000 items take at least 6h40m directly, for the limits that --rpm and --tpm tell, "
        "and batches hardly ever end so soon"
    )
    assert found.way_out == "Possible: --deadline 8h05m, --limit 300, or none."


@given(items=st.integers(1, 10**6), rpm=st.integers(1, 10_000), left_s=st.floats(1, 10**6))
def test_the_limit_that_is_named_is_possible(items: int, rpm: int, left_s: float) -> None:
    demand, bounds = Demand(items=items, background=items), Bounds(rpm=rpm)
    found = beyond(demand, bounds, None, left_s)
    if found is None:
        assert items <= rpm / 60 * left_s * (1 + 1e-9)
        return
    name, _, told = found.way_out.partition("--limit ")
    possible = int(told.split(",")[0]) if told else 0
    assert "--deadline" in name
    assert possible < items
    if possible:
        fewer = Demand(items=possible, background=possible)
        assert beyond(fewer, bounds, None, left_s) is None
