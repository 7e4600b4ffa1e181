"""How the window grows, stops and narrows, against closed-loop servers in simulated time."""

import heapq
import math
import random
from collections.abc import Callable

import pytest
from hypothesis import given, strategies as st

from processor.direct.window import Window

Latency = Callable[[random.Random, int], float]


def drive(window: Window, calls: int, latency: Latency, seed: int = 0) -> list[int]:
    """Keep the window full for so many answers; its size after each.

    `latency` gives seconds from the calls in flight when one is sent.
    """
    rng = random.Random(seed)
    now_s = 0.0
    flying: list[tuple[float, float]] = []
    sizes = []
    for _ in range(calls):
        while len(flying) < window.size:
            latency_s = latency(rng, len(flying) + 1)
            heapq.heappush(flying, (now_s + latency_s, latency_s))
        in_flight = len(flying)
        now_s, latency_s = heapq.heappop(flying)
        window.succeed(latency_s, in_flight)
        sizes.append(window.size)
    return sizes


def test_constant_latency_reaches_the_ceiling_by_doubling() -> None:
    sizes = drive(Window(start=8, ceiling=500), 1000, lambda _rng, _n: 1.0)
    assert sizes[7] == 16
    assert sizes[-1] == 500
    assert sizes.index(500) == 491


@pytest.mark.parametrize("seed", range(20))
def test_heavy_tails_do_not_stop_the_growth(seed: int) -> None:
    sizes = drive(
        Window(start=8, ceiling=500), 2000, lambda rng, _n: rng.lognormvariate(0, 1), seed
    )
    assert sizes[-1] == 500


@pytest.mark.parametrize("capacity", [20, 100])
@pytest.mark.parametrize("sigma", [0.0, 0.3])
@pytest.mark.parametrize("seed", range(5))
def test_a_server_that_queues_stops_the_growth_near_its_capacity(
    capacity: int, sigma: float, seed: int
) -> None:
    def latency(rng: random.Random, in_flight: int) -> float:
        return max(1.0, in_flight / capacity) * rng.lognormvariate(0, sigma)

    sizes = drive(Window(start=8, ceiling=5000), 20_000, latency, seed)
    assert capacity <= sizes[-1] <= 2.5 * capacity
    assert sizes[-1] == sizes[-10_000]  # settled


def test_rising_latency_alone_never_narrows_below_what_was_proven() -> None:
    window = Window(start=64, ceiling=64)
    sizes = drive(window, 500, lambda _rng, _n: 1.0)
    sizes += drive(window, 5000, lambda _rng, _n: 60.0)
    assert set(sizes) == {64}


def test_congestion_narrows_once_a_round_trip() -> None:
    window = Window(start=100, ceiling=200)
    for _ in range(50):
        window.congest(sent_s=1.0, now_s=2.0)
    assert window.size == 70
    window.congest(sent_s=1.9, now_s=2.5)  # had been sent before the window was narrowed
    assert window.size == 70
    window.congest(sent_s=2.1, now_s=3.0)
    assert window.size == 49


@pytest.mark.parametrize(
    ("pace_per_s", "size"), [(0.0, 70), (30.0, 70), (40.0, 80), (200.0, 100), (math.inf, 70)]
)
def test_congestion_does_not_narrow_below_what_a_pace_needs(pace_per_s: float, size: int) -> None:
    """Twice the usual second for each call, but never more than there was."""
    window = Window(start=100, ceiling=200)
    for _ in range(100):
        window.succeed(1.0, in_flight=1)
    window.congest(sent_s=1.0, now_s=2.0, pace_per_s=pace_per_s)
    assert window.size == size


def test_after_congestion_the_window_grows_step_by_step() -> None:
    window = Window(start=160, ceiling=500)
    window.congest(sent_s=0.0, now_s=1.0)
    sizes = drive(window, 112, lambda _rng, _n: 1.0)
    assert sizes[-1] in {118, 119}  # 112 and a sixteenth
    assert drive(window, 20_000, lambda _rng, _n: 1.0)[-1] == 500


def test_a_window_that_is_not_used_does_not_grow() -> None:
    window = Window(start=40, ceiling=100)
    for _ in range(1000):
        window.succeed(1.0, in_flight=29)
    assert window.size == 40
    window.succeed(1.0, in_flight=30)
    assert window.size == 41


@pytest.mark.parametrize(
    ("concurrency", "size", "ceiling"),
    [(None, 8, 1000), (20, 20, 20), (1, 1, 1), (5000, 5000, 5000)],
)
def test_concurrency_is_start_and_ceiling(concurrency: int | None, size: int, ceiling: int) -> None:
    window = Window.of(concurrency, ceiling=1000)
    assert window.size == size
    assert max(drive(window, 3 * ceiling, lambda _rng, _n: 1.0)) == ceiling


@pytest.mark.parametrize(("start", "ceiling"), [(0, 5), (6, 5), (-1, -1)])
def test_a_window_that_cannot_be_is_refused(start: int, ceiling: int) -> None:
    with pytest.raises(ValueError, match="cannot be"):
        Window(start=start, ceiling=ceiling)


@given(
    events=st.lists(st.tuples(st.booleans(), st.floats(0, 1e6), st.integers(0, 300)), max_size=200),
    start=st.integers(1, 50),
    room=st.integers(0, 50),
)
def test_it_stays_between_one_and_the_ceiling(
    events: list[tuple[bool, float, int]], start: int, room: int
) -> None:
    window = Window(start=start, ceiling=start + room)
    for now_s, (good, latency_s, in_flight) in enumerate(events):
        if good:
            window.succeed(latency_s, in_flight)
        else:
            window.congest(now_s - latency_s, float(now_s))
        assert 1 <= window.size <= start + room


def test_a_ceiling_that_stays_leaves_what_was_learnt() -> None:
    window = Window.of(100, ceiling=1_000)
    window.congest(0.0, 1.0)
    narrowed = window.size
    assert narrowed < 100
    window.allow(100, ceiling=1_000)  # as a pause does
    assert window.size == narrowed
    window.allow(20, ceiling=1_000)
    assert window.size == 20
    window.allow(None, ceiling=1_000)
    assert window.size == 20
    window.allow(300, ceiling=1_000)
    assert window.size == 300
