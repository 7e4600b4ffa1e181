"""The brake before limiters that no header tells of."""

import math

import pytest

from processor.direct.brake import Brake


def send(brake: Brake, from_s: float, to_s: float, per_s: float) -> int:
    """Calls at an even pace, or as fast as the brake allows; returns how many."""
    now_s, calls = from_s, 0
    while now_s < to_s:
        wait_s = brake.wait_s(now_s)
        if wait_s <= 0:
            brake.take(now_s)
            calls += 1
            wait_s = 1 / per_s
        now_s += wait_s
    return calls


def refuse(brake: Brake, now_s: float, *, retry_after_s: float | None = None) -> None:
    """The call that went last is refused at once."""
    brake.refuse(brake.sent, now_s, math.inf, retry_after_s)


def test_without_a_refusal_nothing_waits() -> None:
    brake = Brake()
    assert send(brake, 0, 10, 1000) == pytest.approx(10_000, abs=1)
    assert brake.per_s == math.inf


def test_the_first_refusal_takes_little_for_the_rate_may_have_been_rising() -> None:
    brake = Brake()
    send(brake, 0, 10, 100)
    refuse(brake, 10)
    assert 95 <= brake.per_s <= 100


def test_the_second_tells_what_is_accepted() -> None:
    brake = Brake()
    send(brake, 0, 10, 100)
    refuse(brake, 10, retry_after_s=0.2)
    # From the end of one period to the end of the next 60 calls are let through, the 61st is not.
    assert brake.wait_s(10.0) == pytest.approx(0.2)
    assert send(brake, 10.2, 10.81, 100) == 61
    refuse(brake, 10.81, retry_after_s=0.39)
    assert brake.per_s == pytest.approx(60 * 0.99, rel=0.01)
    assert brake.wait_s(10.81) == pytest.approx(0.39)


@pytest.mark.parametrize(
    ("retry_after_s", "pause_s"), [(None, 0.0), (0.0, 0.0), (0.3, 0.3), (1.0, 1.0), (20.0, 0.0)]
)
def test_a_short_wait_is_kept_by_all_and_a_long_one_by_its_item(
    retry_after_s: float | None, pause_s: float
) -> None:
    brake = Brake()
    send(brake, 0, 5, 100)
    refuse(brake, 5, retry_after_s=retry_after_s)
    assert brake.wait_s(5) == pytest.approx(pause_s)


def test_calls_that_had_gone_before_a_cut_prove_nothing_new() -> None:
    brake = Brake()
    send(brake, 0, 10, 100)
    refuse(brake, 10)
    once = brake.per_s
    for sent in range(900, brake.sent + 1):
        brake.refuse(sent, 10.01, math.inf, None)
    assert brake.per_s == pytest.approx(once, rel=1e-3)


@pytest.mark.parametrize("per_s", [10, 1000])
def test_refusals_of_everything_halve_the_rate_each_time_and_never_end_it(per_s: float) -> None:
    brake = Brake()
    send(brake, 0, 10, per_s)
    refuse(brake, 10)
    rates = [brake.per_s]
    now_s = 10.0
    for _ in range(40):
        before = brake.sent
        begun_s = now_s
        now_s += max(1.0, 2 / brake.per_s)
        send(brake, begun_s, now_s, per_s)
        for sent in range(before + 1, brake.sent + 1):
            brake.refuse(sent, now_s, math.inf, None)
        rates.append(brake.per_s)
    assert rates[1] == pytest.approx(rates[0] / 2, rel=0.01)
    assert 0.01 <= rates[-1] < 0.1


def test_rare_refusals_cost_a_pause_and_nothing_else() -> None:
    brake = Brake()
    for second in range(1, 31):
        send(brake, second - 1, second, 1000)
    for event in range(4):
        refuse(brake, 30 + event, retry_after_s=0.1)
        assert brake.per_s == math.inf
        assert brake.wait_s(30 + event) == pytest.approx(0.1)
        send(brake, 30.1 + event, 31 + event, 1000)
    refuse(brake, 34, retry_after_s=0.1)
    assert brake.per_s < math.inf  # the fifth within 5,000 calls


def test_it_rises_slowly_then_faster_and_is_let_go_at_last() -> None:
    brake = Brake()
    send(brake, 0, 10, 100)
    refuse(brake, 10)
    at_s, cut = 10, brake.per_s
    after: dict[int, float] = {}
    for second in range(at_s, at_s + 300):
        send(brake, second, second + 1, 1000)
        after[second + 1 - at_s] = brake.per_s
    assert after[20] == pytest.approx(cut * math.exp(0.02), rel=0.005)
    assert after[60] == pytest.approx(cut * math.exp(0.03 + 0.3), rel=0.01)
    assert after[300] == math.inf
