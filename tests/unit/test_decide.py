"""What is done under a deadline: a table of moments, and what holds in every moment."""

from dataclasses import replace

import pytest
from hypothesis import given, strategies as st

from processor.plan.decide import CANCEL_S, Decision, Open, View, decide
from processor.plan.latency import Latencies, Seen

HOUR_S = 3_600.0
NOW = View(
    now_s=0.0,
    deadline_s=10 * HOUR_S,
    fresh=10_000,
    per_s=10.0,  # seventeen minutes for all
    direct_usd=1.0,
    batch_usd=0.5,
)


def shard(number: int, items: int, **others: float) -> Open:
    return Open(number=number, items=items, age_s=HOUR_S, **others)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("view", "direct", "batch"),
    [
        pytest.param(NOW, 0, 10_000, id="everything-is-tried-by-batch"),
        pytest.param(replace(NOW, deadline_s=None), 0, 10_000, id="nobody-waits"),
        pytest.param(replace(NOW, has_batches=False), 10_000, 0, id="there-are-none"),
        pytest.param(replace(NOW, deadline_s=1_500.0), 10_000, 0, id="no-time-to-take-back"),
        pytest.param(replace(NOW, deadline_s=-1.0), 0, 0, id="too-late"),
        pytest.param(replace(NOW, is_measured=False), 50, 9_950, id="a-sample-tells-the-speed"),
        pytest.param(
            replace(NOW, fresh=100, is_measured=False), 5, 95, id="a-small-job-has-a-small-sample"
        ),
        pytest.param(
            replace(NOW, fresh=0, returned=70), 70, 0, id="what-a-batch-has-left-goes-directly"
        ),
        pytest.param(
            replace(NOW, deadline_s=2_400.0, fresh=40_000),
            22_800,
            17_200,
            id="what-the-direct-lane-cannot-do-is-tried",
        ),
        pytest.param(replace(NOW, left_usd=5_000.0), 0, 10_000, id="enough-for-batches"),
        pytest.param(replace(NOW, left_usd=100.0), 0, 200, id="enough-for-some"),
        pytest.param(
            replace(NOW, deadline_s=1_500.0, left_usd=100.0), 100, 0, id="enough-for-some-calls"
        ),
        pytest.param(
            replace(NOW, left_usd=5_000.0, is_measured=False), 0, 10_000, id="no-money-for-a-sample"
        ),
        pytest.param(
            replace(NOW, has_direct=False, returned=70, deadline_s=1_500.0, is_measured=False),
            0,
            10_070,
            id="calls-are-over",
        ),
        pytest.param(
            replace(NOW, has_direct=False, left_usd=100.0), 0, 200, id="calls-are-over-and-money"
        ),
        pytest.param(
            replace(NOW, has_direct=False, deadline_s=0.0), 0, 0, id="calls-are-over-and-time"
        ),
    ],
)
def test_where_items_go(view: View, direct: int, batch: int) -> None:
    decision = decide(view)
    assert (decision.direct, decision.batch) == (direct, batch)


# Half an hour before everything must go directly; fifteen hundred seconds are what 15,000 take.
OPEN = replace(NOW, fresh=0, open=(shard(1, 7_500), shard(2, 7_500)))
LAST_S = 1_500 + CANCEL_S + 120


@pytest.mark.parametrize(
    ("view", "cancel"),
    [
        pytest.param(OPEN, (), id="there-is-time"),
        pytest.param(replace(OPEN, deadline_s=1.05 * LAST_S), (2,), id="one-at-a-time"),
        pytest.param(
            replace(OPEN, deadline_s=1.05 * LAST_S, queued=9_000), (), id="the-direct-lane-is-busy"
        ),
        pytest.param(
            replace(
                OPEN,
                deadline_s=1.05 * LAST_S,
                open=(shard(1, 9_000), shard(2, 12_000, answered=6_000)),
            ),
            (1,),
            id="the-one-that-ends-less-probably",
        ),
        pytest.param(
            replace(
                OPEN,
                deadline_s=1.05 * LAST_S,
                open=(shard(1, 7_500), shard(2, 7_500, cancelling=True)),
            ),
            (),
            id="one-is-coming",
        ),
        pytest.param(
            replace(
                OPEN,
                deadline_s=1.05 * LAST_S,
                open=(shard(1, 7_500), shard(2, 7_500, cancelling=True, back_s=CANCEL_S + 121)),
            ),
            (1,),
            id="one-should-have-come",
        ),
        pytest.param(
            replace(
                OPEN,
                deadline_s=1.05 * LAST_S,
                is_still=True,
                open=(shard(1, 9_000), shard(2, 12_000, answered=6_000)),
            ),
            (1,),
            id="no-calls-are-made-but-it-would-be-late-anyway",
        ),
        pytest.param(
            replace(
                OPEN,
                deadline_s=1.05 * LAST_S,
                is_still=True,
                open=(shard(1, 7_500, answered=5_500), shard(2, 16_000, answered=11_000)),
            ),
            (),
            id="no-calls-are-made-and-they-are-in-time",
        ),
        pytest.param(
            replace(OPEN, deadline_s=1.05 * LAST_S, left_usd=0.0), (), id="no-money-for-calls"
        ),
        pytest.param(replace(OPEN, deadline_s=None), (), id="nobody-waits"),
        pytest.param(
            replace(OPEN, deadline_s=1.05 * LAST_S, has_direct=False), (), id="calls-are-over"
        ),
    ],
)
def test_what_is_taken_back(view: View, cancel: tuple[int, ...]) -> None:
    assert decide(view).cancel == cancel


def test_the_same_moment_gives_the_same_decision() -> None:
    assert decide(NOW) == decide(replace(NOW)) == decide(NOW)
    assert decide(NOW) == Decision(
        batch=10_000,
        shard_items=6_000,
        look_again_s=60.0,
        reason="10,000 by batch: 553 min to spare if all went directly at 10.0/s",
    )


views = st.builds(
    View,
    now_s=st.just(0.0),
    deadline_s=st.one_of(st.none(), st.floats(-100, 2 * 86_400)),
    fresh=st.integers(0, 10**6),
    returned=st.integers(0, 10**5),
    queued=st.integers(0, 10**5),
    per_s=st.floats(0.01, 1_000),
    is_measured=st.booleans(),
    direct_usd=st.one_of(st.none(), st.floats(0.001, 1)),
    batch_usd=st.one_of(st.none(), st.floats(0.0001, 0.0009)),
    left_usd=st.one_of(st.none(), st.floats(0, 10**6)),
    open=st.lists(
        st.builds(
            Open,
            number=st.integers(1, 99),
            items=st.integers(1, 50_000),
            answered=st.just(0),
            age_s=st.floats(0, 86_400),
            cancelling=st.booleans(),
            back_s=st.floats(0, 3_600),
        ),
        max_size=5,
        unique_by=lambda each: each.number,
    ).map(tuple),
    has_batches=st.booleans(),
    has_direct=st.booleans(),
)


@given(views)
def test_no_item_goes_two_ways_and_no_budget_is_broken(view: View) -> None:
    decision = decide(view)
    assert decision.direct >= 0
    assert decision.batch >= 0
    assert decision.direct + decision.batch <= view.fresh + view.returned
    assert view.has_batches or not decision.batch
    assert view.has_direct or not (decision.direct or decision.cancel)
    assert set(decision.cancel) <= {each.number for each in view.open if not each.cancelling}
    assert 0 < decision.look_again_s <= 60
    if view.left_usd is not None and view.direct_usd and view.batch_usd:
        cost_usd = decision.direct * view.direct_usd + decision.batch * view.batch_usd
        assert cost_usd <= view.left_usd * (1 + 1e-6) + 1e-6


def test_more_experience_counts_more() -> None:
    assert Latencies().chance(10_000, 1_800) < 0.01
    quick = Latencies([Seen(10_000, 900.0)] * 20)
    assert len(quick.seen) == 20
    assert quick.chance(10_000, 1_800) > 0.8
    assert quick.chance(500, 1_800) > 0.8  # fewer take no longer
    assert quick.chance(50_000, 1_800) > 0.8  # alike
    assert quick.chance(1_000_000, 1_800) < 0.01  # that tells nothing of a hundred times more


@pytest.mark.parametrize(
    ("requests", "hours"),
    [(100, (1, 3)), (300, (2, 6)), (1_000, (4, 12)), (10_000, (8, 24))],
)
def test_without_experience_eight_in_ten_end_as_users_report(
    requests: int, hours: tuple[int, int]
) -> None:
    least_s, most_s = (each * HOUR_S for each in hours)
    latencies = Latencies()
    assert latencies.quantile_s(requests, 0.1) == pytest.approx(least_s, rel=0.01)
    assert latencies.chance(requests, most_s) == pytest.approx(0.9, abs=0.01)


@given(st.integers(1, 10**6), st.floats(1, 86_400), st.floats(0, 86_400), st.floats(0, 86_400))
def test_a_chance_is_one_and_grows_with_time(
    requests: int, within_s: float, more_s: float, age_s: float
) -> None:
    latencies = Latencies([Seen(1_000, 7_200.0), Seen(300, float("inf"))])
    one = latencies.chance(requests, within_s, age_s=age_s)
    assert 0 <= one <= latencies.chance(requests, within_s + more_s, age_s=age_s) <= 1
    assert latencies.chance(requests, 0.0) == 0.0
