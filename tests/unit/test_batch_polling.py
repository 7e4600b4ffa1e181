"""When batches are looked at, and how many may be created in an hour."""

import random

import pytest
from hypothesis import given, strategies as st

from processor.batch.creations import Creations
from processor.batch.polling import wait_s

SEEDS = st.integers(0, 10_000)


@pytest.mark.parametrize(
    ("quiet_s", "failures", "usual_s"),
    [
        (0, 0, 1),
        (-5, 0, 1),
        (4, 0, 1),
        (20, 0, 5),
        (240, 0, 60),
        (86_400, 0, 60),
        (0, 1, 2),
        (0, 3, 8),
        (86_400, 1, 60),
        (0, 9, 300),
        (0, 100_000, 300),  # 69
    ],
)
def test_the_wait_grows_with_quiet_and_with_failures(
    quiet_s: float, failures: int, usual_s: float
) -> None:
    rng = random.Random(1)
    waits = [wait_s(quiet_s, rng, failures=failures) for _ in range(200)]
    assert 0.9 * usual_s <= min(waits) < 0.92 * usual_s
    assert 1.08 * usual_s < max(waits) <= 1.1 * usual_s


@pytest.mark.parametrize(
    ("asked_s", "least_s", "most_s"),
    [(None, 0.9, 1.1), (0, 0.9, 1.1), (-1, 0.9, 1.1), (30, 30, 30), (864_000, 3_600, 3_600)],
)
def test_the_provider_may_ask_for_more_within_an_hour(
    asked_s: float | None, least_s: float, most_s: float
) -> None:
    assert least_s <= wait_s(0, random.Random(1), retry_after_s=asked_s) <= most_s


@given(quiet_s=st.floats(-1e9, 1e12), failures=st.integers(0, 10**9), seed=SEEDS)
def test_a_wait_is_always_between_a_second_and_minutes(
    quiet_s: float, failures: int, seed: int
) -> None:
    assert 0.9 <= wait_s(quiet_s, random.Random(seed), failures=failures) <= 330


def looks(changes_s: list[float], seed: int) -> tuple[int, float]:
    """How many looks a batch takes whose status changes at these times, and when the last is."""
    rng = random.Random(seed)
    now_s = seen_s = 0.0
    count = seen = 0
    while seen < len(changes_s):
        now_s += wait_s(now_s - seen_s, rng)
        count += 1
        changed = sum(change <= now_s for change in changes_s)
        if changed > seen:
            seen, seen_s = changed, now_s
    return count, now_s


@given(
    phases_s=st.tuples(st.floats(0.1, 1.5), st.floats(0.1, 4), st.floats(0.1, 1.5)),
    seed=SEEDS,
)
def test_what_ends_within_seconds_takes_ten_looks_at_most(
    phases_s: tuple[float, float, float], seed: int
) -> None:
    validated_s, worked_s, finalized_s = phases_s
    changes_s = [validated_s, validated_s + worked_s, validated_s + worked_s + finalized_s]
    count, ended_s = looks(changes_s, seed)
    assert count <= 10
    assert ended_s <= changes_s[-1] + 1.2


@given(length_s=st.floats(60, 86_400), seed=SEEDS)
def test_an_end_is_seen_a_quarter_late_or_a_minute(length_s: float, seed: int) -> None:
    count, ended_s = looks([1.0, length_s], seed)
    assert ended_s - length_s <= min(66.0, 0.28 * length_s + 1)
    assert count <= 30 + length_s / 54


def test_creations_are_bounded_in_any_hour() -> None:
    creations = Creations(most=3)
    for now_s in (0.0, 10.0, 20.0):
        assert creations.wait_s(now_s) == 0
        creations.note(now_s)
    assert creations.wait_s(20.0) == 3_580
    assert creations.wait_s(3_599.0) == 1
    assert creations.wait_s(3_600.0) == 0
    creations.note(3_600.0)
    assert creations.wait_s(3_600.0) == 10


def test_creations_of_an_earlier_start_count() -> None:
    creations = Creations([5.0, -20.0, 5.0], most=3)
    assert creations.wait_s(6.0) == 3_574
    assert Creations([-9_000.0] * 5, most=3).wait_s(0.0) == 0


@pytest.mark.fault(76)
@given(steps=st.lists(st.floats(0, 2_000), max_size=80), most=st.integers(1, 8))
def test_no_window_ever_holds_more(steps: list[float], most: int) -> None:
    creations, now_s, times = Creations(most=most), 0.0, list[float]()
    for step_s in steps:
        now_s += step_s
        now_s += creations.wait_s(now_s)
        assert creations.wait_s(now_s) <= 1e-6
        creations.note(now_s)
        times.append(now_s)
    for place, time_s in enumerate(times[most:]):
        assert time_s - times[place] >= 3_600 - 1e-6
