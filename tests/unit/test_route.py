"""Which lane a run takes: a table of wishes, work and bounds."""

from dataclasses import replace

import pytest
from hypothesis import given, strategies as st

from processor.plan.prior import batch_hours
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

DIRECT, BATCH = Lane.DIRECT, Lane.BATCH


def work(
    background: int, urgent: int = 0, *, usd: float | None = None, least_usd: float | None = None
) -> Demand:
    """So much; `usd` is what the background costs directly, `least_usd` what of it is sure.

    A budget holds a fifth more for it.
    """
    return Demand(
        items=background + urgent,
        background=background,
        input_tokens=700 * background,
        output_tokens=5 * background,
        direct_usd=usd,
        batch_usd=None if usd is None else usd / 2,
        least_usd=usd if least_usd is None else least_usd,
        most_usd=None if usd is None else 1.2 * usd,
    )


@pytest.mark.parametrize(
    ("wishes", "demand", "bounds", "before", "lane"),
    [
        pytest.param(Wishes(), work(1), Bounds(), None, DIRECT, id="one"),
        pytest.param(Wishes(), work(275), Bounds(), None, DIRECT, id="hundreds"),
        pytest.param(Wishes(), work(999), Bounds(), None, DIRECT, id="just-fewer"),
        pytest.param(Wishes(), work(1_000), Bounds(), None, BATCH, id="just-enough"),
        pytest.param(Wishes(), work(10_000_000, usd=9.0), Bounds(), None, BATCH, id="millions"),
        pytest.param(Wishes(), work(999, urgent=500), Bounds(), None, DIRECT, id="background"),
        pytest.param(Wishes(), work(0, urgent=5_000), Bounds(), None, DIRECT, id="all-urgent"),
        pytest.param(Wishes(urgent=True), work(5_000), Bounds(), None, DIRECT, id="urgent"),
        pytest.param(Wishes(urgent=True), work(5_000), Bounds(), BATCH, DIRECT, id="urgent-now"),
        pytest.param(Wishes(streamed=True), work(5_000), Bounds(), None, DIRECT, id="streamed"),
        pytest.param(
            Wishes(route="batch", streamed=True), work(5), Bounds(), None, BATCH, id="asked"
        ),
        pytest.param(Wishes(route="direct"), work(5_000), Bounds(), None, DIRECT, id="direct"),
        pytest.param(Wishes(route="flex"), work(5_000), Bounds(), BATCH, Lane.FLEX, id="flex"),
        pytest.param(Wishes(route="batch"), work(1), Bounds(), None, BATCH, id="batch"),
        pytest.param(
            Wishes(route="batch"), work(1), Bounds(has_batches=False), None, BATCH, id="insists"
        ),
        pytest.param(
            Wishes(), work(5_000), Bounds(has_batches=False), None, DIRECT, id="no-batches"
        ),
        pytest.param(Wishes(), work(20), Bounds(), BATCH, BATCH, id="goes-on-by-batch"),
        pytest.param(Wishes(), work(5_000), Bounds(), DIRECT, DIRECT, id="goes-on-directly"),
        pytest.param(Wishes(), work(500, usd=19.99), Bounds(), None, DIRECT, id="cheap"),
        pytest.param(Wishes(), work(500, usd=20.0), Bounds(), None, BATCH, id="dear"),
        pytest.param(
            Wishes(), work(500, usd=3.0), Bounds(left_usd=3.0), None, DIRECT, id="affordable"
        ),
        pytest.param(
            Wishes(), work(500, usd=3.0), Bounds(left_usd=2.0), None, BATCH, id="only-by-batch"
        ),
        pytest.param(
            Wishes(), work(500, usd=3.0), Bounds(left_usd=1.0), None, DIRECT, id="neither"
        ),
        pytest.param(
            Wishes(),
            replace(work(500, usd=3.0), most_usd=4.2),
            Bounds(left_usd=2.0),
            None,
            DIRECT,
            id="no-batch-would-be-made",
        ),
        pytest.param(
            Wishes(), work(500, usd=99.0, least_usd=1), Bounds(), None, DIRECT, id="unsure"
        ),
        pytest.param(
            Wishes(),
            work(500, usd=3.0, least_usd=1.9),
            Bounds(left_usd=2.0),
            None,
            DIRECT,
            id="may-be-affordable",
        ),
        pytest.param(Wishes(), work(300), Bounds(rpm=1), None, DIRECT, id="five-hours"),
        pytest.param(Wishes(), work(600), Bounds(rpm=1), None, BATCH, id="ten-hours"),
        pytest.param(Wishes(), work(300), Bounds(rpm=60, tpm=500), None, BATCH, id="tokens"),
        pytest.param(Wishes(), work(300), Bounds(rpm=60), None, DIRECT, id="fast-enough"),
    ],
)
def test_the_lane(
    wishes: Wishes, demand: Demand, bounds: Bounds, before: Lane | None, lane: Lane
) -> None:
    assert choose(wishes, demand, bounds, before).lane is lane


@pytest.mark.parametrize(
    ("wishes", "demand", "bounds", "reason"),
    [
        (Wishes(), work(275), Bounds(), "275 items, fewer than 1,000"),
        (Wishes(), work(1), Bounds(), "1 item, fewer than 1,000"),
        (
            Wishes(),
            work(2_000, usd=0.4),
            Bounds(),
            "2,000 items for which nobody waits, about $0.20 by batch, $0.40 directly",
        ),
        (Wishes(), work(2_000), Bounds(), "2,000 items for which nobody waits, for half the price"),
        (
            Wishes(direct_first=20),
            work(2_000, urgent=20),
            Bounds(),
            (
                "2,000 items for which nobody waits, for half the price; "
                "20 for which somebody waits directly"
            ),
        ),
        (
            Wishes(),
            work(500, usd=3.0),
            Bounds(left_usd=2.0),
            "about $1.50 by batch, $3.00 directly; $2.00 of the budget is left",
        ),
        (
            Wishes(),
            work(600),
            Bounds(rpm=1),
            "the limits let it take 10 h directly, a batch takes 3–9 h",
        ),
        (Wishes(route="direct"), work(5, usd=3.0), Bounds(), "as asked for (--route direct)"),
        (Wishes(route="flex"), work(5), Bounds(), "as asked for (--route flex)"),
        (
            Wishes(route="flex"),
            replace(work(5, usd=3.0), flex_usd=1.5),
            Bounds(),
            "as asked for (--route flex), about $1.50, $3.00 at the standard tier",
        ),
        (
            Wishes(route="flex"),
            work(5, usd=3.0),
            Bounds(),
            "as asked for (--route flex); that it costs less there is not known of this model",
        ),
        (
            Wishes(route="flex"),
            replace(work(5, usd=3.0), flex_usd=1.5),
            Bounds(has_flex=False),
            (
                "as asked for (--route flex); whether this provider has that tier, "
                "its answers will tell"
            ),
        ),
    ],
)
def test_the_reason(wishes: Wishes, demand: Demand, bounds: Bounds, reason: str) -> None:
    assert choose(wishes, demand, bounds).reason == reason


@pytest.mark.parametrize(
    ("wishes", "demand", "split"),
    [
        (Wishes(), work(5_000), False),
        (Wishes(direct_first=20), work(5_000, urgent=20), True),
        (Wishes(urgent_field="now"), work(5_000, urgent=3), True),
        (Wishes(urgent_field="now", route="batch"), work(5), False),
        (Wishes(direct_first=20), work(500, urgent=20), False),
        (Wishes(direct_first=20, route="direct"), work(5_000, urgent=20), False),
    ],
)
def test_what_is_split(wishes: Wishes, demand: Demand, split: bool) -> None:
    assert choose(wishes, demand, Bounds()).split is split


@pytest.mark.parametrize(
    ("demand", "left_usd", "tight"),
    [
        (work(500, usd=3.0), None, False),
        (work(500, usd=3.0), 3.5, True),
        (work(500, usd=3.0), 3.6, False),
        (work(500, urgent=500, usd=3.0), 3.6, True),
        (work(500), 1_000.0, True),
        (work(0, urgent=5), 1_000.0, True),
    ],
)
def test_whether_the_budget_may_not_do_for_all(
    demand: Demand, left_usd: float | None, tight: bool
) -> None:
    assert is_tight(demand, Bounds(left_usd=left_usd)) is tight


@pytest.mark.parametrize(
    ("demand", "bounds", "hangs"),
    [
        (work(999, usd=4.9), Bounds(), False),
        (work(999, usd=5.0), Bounds(), True),
        (work(999, usd=99.0, least_usd=4.9), Bounds(), False),
        (work(1_000), Bounds(), True),
        (work(10), Bounds(), False),
        (work(10), Bounds(rpm=1), False),
        (work(10), Bounds(tpm=1), True),
        (work(10), Bounds(left_usd=1.0), True),
    ],
)
def test_whether_a_choice_hangs_on_how_many_tokens_there_are(
    demand: Demand, bounds: Bounds, hangs: bool
) -> None:
    assert hangs_on_tokens(demand, bounds) is hangs


@pytest.mark.parametrize(
    ("wishes", "lane", "code", "to"),
    [
        pytest.param(Wishes(), DIRECT, "daily_limit", BATCH, id="a-day"),
        pytest.param(Wishes(), DIRECT, "blocked", BATCH, id="hours"),
        pytest.param(Wishes(), BATCH, "daily_limit", BATCH, id="what-batches-left"),
        pytest.param(Wishes(direct_first=5), DIRECT, "daily_limit", BATCH, id="some-are-first"),
        pytest.param(
            Wishes(deadline=True), Lane.HYBRID, "daily_limit", Lane.HYBRID, id="a-deadline"
        ),
        pytest.param(Wishes(route="hybrid"), Lane.HYBRID, "blocked", Lane.HYBRID, id="a-mix"),
        pytest.param(Wishes(), DIRECT, "rate_limited", None, id="a-minute"),
        pytest.param(Wishes(), DIRECT, "auth", None, id="another-reason"),
        pytest.param(Wishes(), DIRECT, "budget", None, id="money"),
        pytest.param(Wishes(urgent=True), DIRECT, "daily_limit", None, id="urgent"),
        pytest.param(Wishes(streamed=True), DIRECT, "daily_limit", None, id="streamed"),
        pytest.param(Wishes(route="direct"), DIRECT, "daily_limit", None, id="directly"),
        pytest.param(Wishes(route="flex"), Lane.FLEX, "daily_limit", None, id="flex"),
        pytest.param(Wishes(route="batch"), BATCH, "daily_limit", None, id="batch"),
    ],
)
def test_where_the_rest_goes_when_calls_are_over(
    wishes: Wishes, lane: Lane, code: str, to: Lane | None
) -> None:
    found = moved(wishes, lane, code, "No more today.")
    assert (found and found.lane) == to
    if found is not None:
        said = f"({code}: No more today)"
        assert found.reason == f"calls are over for now {said}: the rest goes by batch"


def test_a_choice_has_a_reason_whatever_is_known() -> None:
    assert choose(Wishes(), work(0), Bounds()) == Route(
        lane=DIRECT, reason="somebody waits for every row"
    )


@pytest.mark.parametrize(
    ("requests", "hours"),
    [(1, "1–3 h"), (100, "1–3 h"), (300, "2–6 h"), (1_000, "4–12 h"), (10_000, "8–24 h")],
)
def test_the_hours_that_users_report(requests: int, hours: str) -> None:
    assert str(batch_hours(requests)) == hours


@given(st.integers(1, 10**8), st.integers(1, 10**8))
def test_more_requests_take_no_less_time(one: int, other: int) -> None:
    few, many = batch_hours(min(one, other)), batch_hours(max(one, other))
    assert 1 <= few.least <= many.least <= 8
    assert few.most <= many.most <= 24
