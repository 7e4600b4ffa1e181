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
