"""The seconds of a limiter, as refusals tell of them."""

from collections.abc import Sequence

import pytest

from processor.direct.seconds import Seconds


def told(ends_s: Sequence[float]) -> Seconds:
    """After refusals that asked to wait until these times."""
    seconds = Seconds()
    for end_s in ends_s:
        seconds.refused_until(end_s)
    return seconds


@pytest.mark.parametrize(
    ("ends_s", "known"),
    [
        ((), False),
        ((10.3, 11.3), False),
        ((10.3, 11.3, 17.3), True),
        ((10.31, 11.29, 12.32), True),
        ((10.98, 12.01, 13.0), True),  # a second that begins about here
        ((10.3, 11.5, 12.7), False),  # a bucket
        ((10.3, 11.3, 13.7), False),
        ((10.3, 11.3, 12.3, 13.7), True),  # one that was read late
        ((10.3, 11.3, 12.3, 13.7, 14.7, 15.6), False),  # they have become others
    ],
)
def test_refusals_that_end_alike_tell_where_seconds_begin(
    ends_s: Sequence[float], known: bool
) -> None:
    assert told(ends_s).known is known


def sent(seconds: Seconds, from_s: float, to_s: float, per_s: float) -> list[float]:
    """When calls go, as soon as they may."""
    times: list[float] = []
    now_s = from_s
    while (now_s := seconds.opens_s(now_s)) < to_s:
        times.append(now_s)
        now_s = seconds.take(now_s, len(times) - 1, per_s)
    return times


@pytest.mark.parametrize(
    ("per_s", "in_seconds"),
    [(6.0, [6, 6, 6]), (6.4, [6, 6, 7]), (6.7, [6, 7, 7]), (0.5, [1, 1, 1])],
)
def test_a_second_takes_whole_calls_and_fractions_are_saved_up(
    per_s: float, in_seconds: list[int]
) -> None:
    """Under one call a second another limit is nearer: this one only counts within seconds."""
    times = sent(told([0.3, 1.3, 2.3]), 10.3, 13.3, per_s)
    assert [sum(int(time_s - 0.3) == second for time_s in times) for second in (10, 11, 12)] == (
        in_seconds
    )
    assert all((time_s - 0.3) % 1 < 0.8 for time_s in times)


def test_what_came_before_a_refusal_is_what_fits() -> None:
    seconds = told([0.0, 1.0, 2.0])
    seconds.take(5.0, 100, 9.0)
    seconds.take(5.1, 101, 9.0)
    seconds.take(5.2, 102, 9.0)
    assert seconds.accepted(103) == 2
    assert seconds.accepted(100) == 0  # of the second before


def test_nothing_goes_at_the_end_of_a_second() -> None:
    seconds = told([0.3, 1.3, 2.3])
    assert seconds.opens_s(5.2) == pytest.approx(5.3)
    assert seconds.opens_s(5.4) == 5.4
