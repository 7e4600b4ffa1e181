"""Chance that repeats, and what is drawn by it."""

import statistics

import pytest
from hypothesis import given, strategies as st

from processor.sandbox.durations import go_duration
from processor.sandbox.latency import lognormal_s
from processor.sandbox.seeded import draw, pick
from processor.sandbox.tokens import count_tokens, cut


@given(st.integers(), st.text())
def test_a_draw_depends_on_seed_and_name_alone(seed: int, name: str) -> None:
    drawn = draw(seed, name, 1)
    assert 0 <= drawn < 1
    assert drawn == draw(seed, name, 1)


def test_draws_are_spread_evenly() -> None:
    drawn = [draw(7, number) for number in range(4000)]
    assert statistics.mean(drawn) == pytest.approx(0.5, abs=0.02)
    assert sum(value < 0.01 for value in drawn) == pytest.approx(40, abs=25)
    assert {pick("012", 7, number) for number in range(50)} == set("012")


def test_half_of_the_answers_take_less_than_the_median() -> None:
    drawn = [lognormal_s(200, 1, 0, number) for number in range(4000)]
    assert statistics.median(drawn) == pytest.approx(0.2, rel=0.08)
    # With sigma 1 the mean is exp(1/2) of the median: a heavy tail.
    assert statistics.mean(drawn) == pytest.approx(0.2 * 1.6487, rel=0.1)


def test_no_spread_is_the_median_and_no_median_is_instant() -> None:
    assert lognormal_s(200, 0, 0, "a") == 0.2
    assert lognormal_s(0, 1, 0, "a") == 0


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1, "0s"),
        (0, "0s"),
        (0.0001, "1ms"),
        (0.02, "20ms"),
        (0.1, "100ms"),
        (0.9991, "1s"),
        (1.1, "1.1s"),
        (8.64, "8.64s"),
        (59.9999, "1m0s"),
        (62.5, "1m2.5s"),
        (360, "6m0s"),
        (3600, "1h0m0s"),
        (86400.001, "24h0m0.001s"),
    ],
)
def test_durations_are_those_of_go(seconds: float, text: str) -> None:
    assert go_duration(seconds) == text


@given(st.text(), st.integers(0, 50))
def test_a_cut_text_has_the_tokens_it_may_have(text: str, most: int) -> None:
    kept = cut(text, most)
    assert text.startswith(kept)
    assert count_tokens(kept) <= most
    assert (kept == text) == (count_tokens(text) <= most)
