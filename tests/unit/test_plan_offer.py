"""What ways take: a table of limits, experience and what is assumed."""

from dataclasses import replace

import pytest
from hypothesis import given, strategies as st

from processor.plan.decide import View
from processor.plan.latency import Latencies, Seen
from processor.plan.mix import mix_of
from processor.plan.offer import (
    FLEX_FACTOR,
    Offer,
    Pace,
    Time,
    Verdict,
    batch_time,
    direct_time,
    flex_time,
    offer_of,
    soonest,
)
from processor.plan.route import Bounds, Demand, Lane, Route

HOUR_S = 3_600.0


def demand(items: int) -> Demand:
    return Demand(items=items, background=items, input_tokens=700 * items)


def spell(least_s: float, most_s: float | None = None) -> Time:
    most_s = least_s if most_s is None else most_s
    return Time(least_s=least_s, most_s=most_s, by="assumed", words="")


@pytest.mark.parametrize(
    ("items", "bounds", "pace", "concurrency", "span", "by"),
    [
        pytest.param(300, Bounds(), None, None, (30, 75), "assumed", id="as-users-report"),
        pytest.param(1, Bounds(), None, None, (2, 5), "assumed", id="one-call"),
        pytest.param(300, Bounds(), None, 100, (6, 15), "assumed", id="at-once-as-told"),
        pytest.param(600, Bounds(rpm=60), None, None, (600, 600), "limits", id="requests"),
        pytest.param(600, Bounds(tpm=42_000), None, None, (600, 600), "limits", id="tokens"),
        pytest.param(
            600, Bounds(rpm=60, tpm=21_000), None, None, (1_200, 1_200), "limits", id="both"
        ),
        pytest.param(1, Bounds(rpm=9_000), None, None, (2, 2), "limits", id="a-call-takes-a-while"),
        pytest.param(600, Bounds(rpm=60), None, 1, (1_200, 3_000), "assumed", id="one-at-a-time"),
        pytest.param(600, Bounds(rpm=1), None, 1, (36_000, 36_000), "assumed", id="slow-limit"),
        pytest.param(
            600, Bounds(), Pace(per_s=6, items=900), None, (100, 100), "measured", id="measured"
        ),
        pytest.param(
            600, Bounds(rpm=600), Pace(per_s=6, items=9), 5, (100, 100), "measured", id="below"
        ),
        pytest.param(
            600, Bounds(rpm=60), Pace(per_s=6, items=9), 5, (600, 600), "limits", id="above"
        ),
    ],
)
def test_how_long_it_takes_directly(
    items: int,
    bounds: Bounds,
    pace: Pace | None,
    concurrency: int | None,
    span: tuple[float, float],
    by: str,
) -> None:
    time = direct_time(demand(items), bounds, pace=pace, concurrency=concurrency)
    assert (time.least_s, time.most_s) == pytest.approx(span)
    assert time.by == by
    assert by == "limits" or by in time.words


def test_flex_is_slower_and_says_by_how_much_at_most() -> None:
    time = flex_time(spell(30, 75))
    assert (time.least_s, time.most_s, time.by) == (30, 75 * FLEX_FACTOR, "assumed")
    assert f"{FLEX_FACTOR} times" in time.words


@pytest.mark.parametrize(
    ("items", "shard_items", "hours"),
    [(100, None, (1, 3)), (300, None, (2, 6)), (10**6, None, (8, 24)), (10_000, 1_000, (4, 12))],
)
def test_batches_take_the_hours_that_users_report(
    items: int, shard_items: int | None, hours: tuple[float, float]
) -> None:
    time = batch_time(items, shard_items)
    assert (time.least_s / HOUR_S, time.most_s / HOUR_S) == pytest.approx(hours)
    assert time.by == "assumed"


def test_batches_that_were_seen_go_before_what_users_report() -> None:
    quick = Latencies([Seen(5_000, 600.0)] * 40)
    time = batch_time(10_000, None, quick)
    assert time.most_s < 2 * HOUR_S
    assert (time.by, time.words) == ("measured", "measured over 40 batches")
    never = batch_time(10_000, None, Latencies([Seen(5_000, float("inf"))] * 40))
    assert never.most_s == 24 * HOUR_S


@pytest.mark.parametrize(
    ("time", "left_s", "verdict"),
    [
        (spell(10, 20), 20, Verdict.YES),
        (spell(10, 20), 19, Verdict.PERHAPS),
        (spell(10, 20), 10, Verdict.PERHAPS),
        (spell(10, 20), 9, Verdict.NO),
    ],
)
def test_whether_it_is_done_by_then(time: Time, left_s: float, verdict: Verdict) -> None:
    offer = Offer(name="direct", time=time)
    assert offer.verdict(left_s) is verdict
    assert offer.verdict(None) is None
    assert Offer(name="flex").verdict(left_s) is None


@pytest.mark.parametrize(
    ("route", "name"),
    [
        (Route(lane=Lane.DIRECT, reason=""), "direct"),
        (Route(lane=Lane.FLEX, reason=""), "flex"),
        (Route(lane=Lane.BATCH, reason=""), "batch"),
        (Route(lane=Lane.BATCH, split=True, reason=""), "mix"),
        (Route(lane=Lane.HYBRID, reason=""), "mix"),
    ],
)
def test_the_offer_of_a_route(route: Route, name: str) -> None:
    assert offer_of(route) == name


def test_the_soonest_is_the_one_that_is_surely_done_first() -> None:
    slow, fast = Offer(name="a", time=spell(1, 9)), Offer(name="b", time=spell(5))
    assert soonest([slow, Offer(name="c"), fast]) is fast
    assert soonest([Offer(name="c")]) is None


def view(hours: float, *, seen: tuple[Seen, ...] = (), left_usd: float | None = None) -> View:
    """Ten thousand items, of which a second does ten, so that all take seventeen minutes."""
    return View(
        now_s=0.0,
        deadline_s=hours * HOUR_S,
        fresh=10_000,
        per_s=10.0,
        direct_usd=0.002,
        batch_usd=0.001,
        left_usd=left_usd,
        latencies=Latencies(seen),
    )


DIRECTLY, BATCHES = spell(500, 1_000), batch_time(10_000)


def test_with_no_time_for_a_batch_all_goes_directly() -> None:
    mix = mix_of(view(0.4), directly=DIRECTLY, batches=BATCHES)
    assert (mix.decision.direct, mix.decision.batch) == (10_000, 0)
    assert mix.offer.cost_usd == pytest.approx(20.0)
    assert mix.offer.verdict(0.4 * HOUR_S) is Verdict.YES


def test_with_time_for_a_batch_it_costs_less_the_surer_the_batch_is() -> None:
    unsure = mix_of(view(10), directly=DIRECTLY, batches=BATCHES).offer
    quick = tuple(Seen(6_000, 600.0) for _ in range(50))
    sure = mix_of(view(10, seen=quick), directly=DIRECTLY, batches=BATCHES).offer
    assert unsure.cost_usd is not None
    assert sure.cost_usd is not None
    assert 10 <= sure.cost_usd < 11 < unsure.cost_usd < 20
    assert unsure.verdict(10 * HOUR_S) is Verdict.YES
    assert "0 directly, 10,000 by batch; at most $20.0" in unsure.note


def test_what_the_budget_does_not_do_for_is_told() -> None:
    mix = mix_of(view(10, left_usd=4.0), directly=DIRECTLY, batches=BATCHES)
    assert mix.offer.cost_usd == pytest.approx(4.0)
    assert "4,000 by batch, 6,000 not at all: the budget is not enough" in mix.offer.note


def test_who_waits_goes_directly_in_any_case() -> None:
    mix = mix_of(view(10), directly=DIRECTLY, batches=BATCHES, urgent=30, urgent_usd=0.06)
    plain = mix_of(view(10), directly=DIRECTLY, batches=BATCHES)
    assert mix.offer.cost_usd == pytest.approx((plain.offer.cost_usd or 0) + 0.06)
    assert mix.offer.note.startswith("30 directly, 10,000 by batch")


def test_without_a_deadline_all_goes_by_batch() -> None:
    known = view(10)
    mix = mix_of(replace(known, deadline_s=None), directly=DIRECTLY, batches=BATCHES)
    assert (mix.decision.direct, mix.decision.batch) == (0, 10_000)
    assert mix.offer.cost_usd == pytest.approx(10.0)
    assert mix.offer.time == BATCHES


def test_an_unknown_price_stays_unknown() -> None:
    unknown = replace(view(10), direct_usd=None, batch_usd=None)
    mix = mix_of(unknown, directly=DIRECTLY, batches=BATCHES)
    assert mix.offer.cost_usd is None
    assert "$" not in mix.offer.note


def test_what_neither_lane_can_make() -> None:
    mix = mix_of(view(0.2), directly=DIRECTLY, batches=BATCHES)
    assert mix.offer.verdict(0.2 * HOUR_S) is Verdict.NO


@given(
    st.integers(1, 10**6),
    st.floats(0.1, 100),
    st.floats(60, 200_000),
    st.one_of(st.none(), st.floats(0, 10_000)),
)
def test_a_mix_costs_between_all_by_batch_and_all_directly(
    items: int, per_s: float, left_s: float, left_usd: float | None
) -> None:
    some = View(
        now_s=0.0,
        deadline_s=left_s,
        fresh=items,
        per_s=per_s,
        direct_usd=0.002,
        batch_usd=0.001,
        left_usd=left_usd,
    )
    mix = mix_of(some, directly=spell(items / per_s), batches=batch_time(items))
    done = mix.decision.direct + mix.decision.batch
    assert mix.offer.cost_usd is not None
    assert 0.001 * done - 1e-6 <= mix.offer.cost_usd <= 0.002 * done + 1e-6
    if left_usd is not None:
        assert mix.offer.cost_usd <= left_usd + 1e-6
    assert mix.offer.time is not None
    assert 0 <= mix.offer.time.least_s <= mix.offer.time.most_s
