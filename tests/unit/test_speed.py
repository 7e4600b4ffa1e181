"""How fast the direct lane is, as a run sees it."""

import pytest

from processor.plan.speed import Estimate, Speed


def seen(*looks: tuple[float, int, bool]) -> Estimate:
    """The estimate after looks: the time, what was done since the one before, whether busy."""
    speed = Speed(believed_per_s=4.0)
    for now_s, done, busy in looks:
        speed.look(now_s, done, busy=busy)
    return speed.estimate


@pytest.mark.parametrize(
    ("looks", "per_s", "is_measured"),
    [
        pytest.param([], 2.0, False, id="only-believed"),
        pytest.param([(0, 0, False), (50, 0, False)], 2.0, False, id="nothing-to-do"),
        pytest.param([(0, 0, False), (10, 100, True)], 8.0, True, id="quicker-than-believed"),
        pytest.param([(0, 0, False), (10, 1, True)], 2.0, True, id="it-has-hardly-begun"),
        pytest.param([(0, 0, False), (40, 50, True)], 1.0, True, id="a-sample-is-enough"),
        pytest.param([(0, 0, False), (100, 50, True)], 0.4, True, id="slower-than-believed"),
        pytest.param(
            [(0, 0, False), (100, 0, True), (200, 100, True)], 0.4, True, id="an-outage-counts"
        ),
        pytest.param(
            [(0, 0, False), (900, 0, False), (1_000, 100, True)], 0.8, True, id="idling-does-not"
        ),
        pytest.param(
            [(0, 0, False), (100, 1_000, True), (500, 400, True)], 0.8, True, id="the-latest-count"
        ),
    ],
)
def test_the_speed(looks: list[tuple[float, int, bool]], per_s: float, is_measured: bool) -> None:
    found = seen(*looks)
    assert found.per_s == pytest.approx(per_s)
    assert found.is_measured is is_measured


OUT_S = 600.0


def after_an_outage(*since: tuple[float, int]) -> Estimate:
    """Ten a second for a hundred seconds, an outage, and what was done in so many seconds since."""
    speed = Speed(believed_per_s=4.0)
    speed.look(0.0, 0, busy=True)
    speed.look(100.0, 1_000, busy=True)
    now_s = 100.0
    while now_s < 100.0 + OUT_S:
        now_s += 1.0
        speed.look(now_s, 0, busy=True, out=True)
    for seconds, done in since:
        now_s += seconds
        speed.look(now_s, done, busy=True)
    return speed.estimate


@pytest.mark.parametrize(
    ("since", "per_s"),
    [
        pytest.param([], 5.0, id="during-it"),
        pytest.param([(1.0, 0)], 0.5 * 1_000 / 101, id="it-has-hardly-ended"),
        pytest.param([(100.0, 1_000)], 5.0, id="as-fast-as-before"),
        pytest.param([(150.0, 0), (150.0, 0)], 0.5 * 1_000 / 400, id="slower-than-before"),
        pytest.param([(290.0, 2_900), (290.0, 2_900)], 8.0, id="long-ago"),
    ],
)
def test_an_outage_that_ends_leaves_a_lane_as_fast_as_it_was(
    since: list[tuple[float, int]], per_s: float
) -> None:
    found = after_an_outage(*since)
    assert found.is_measured
    assert found.per_s == pytest.approx(per_s)


def test_answers_of_calls_that_were_in_flight_count_during_an_outage() -> None:
    speed = Speed(believed_per_s=4.0)
    speed.look(0.0, 0, busy=True)
    speed.look(100.0, 100, busy=True, out=True)
    assert speed.estimate.per_s == pytest.approx(0.8)
