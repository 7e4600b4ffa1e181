"""Header values as servers send them, good and bad."""

import math
from email.utils import formatdate

import pytest
from hypothesis import given, strategies as st
from multidict import CIMultiDict

from processor.headers import (
    NO_LIMITS,
    Limit,
    parse_duration_s,
    read_hints,
    read_limits,
    read_retry_after_s,
)
from processor.verdict import NO_HINTS

NOW_S = 1_790_000_000.0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1s", 1),
        ("6m0s", 360),
        ("20ms", 0.02),
        ("1m2.5s", 62.5),
        ("1h0m0s", 3600),
        ("1µs", 1e-6),
        ("1μs", 1e-6),
        ("3us", 3e-6),
        ("0s", 0),
        ("8.64s", 8.64),
        ("240h0m0s", 864_000),
        ("12", 12),
        (" 1.5 ", 1.5),
        ("", None),
        ("s", None),
        ("1x", None),
        ("1s!", None),
        ("-1s", None),
        ("nan", None),
        ("inf", None),
        ("9" * 400 + "s", None),
    ],
)
def test_durations(text: str, seconds: float | None) -> None:
    assert parse_duration_s(text) == (None if seconds is None else pytest.approx(seconds))


@given(hours=st.integers(0, 99), minutes=st.integers(0, 59), ms=st.integers(0, 59_999))
def test_durations_as_go_writes_them(hours: int, minutes: int, ms: int) -> None:
    expected = hours * 3600 + minutes * 60 + ms / 1000
    assert parse_duration_s(f"{hours}h{minutes}m{ms / 1000}s") == pytest.approx(expected)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "2"}, 2),
        ({"Retry-After": "0.5"}, 0.5),
        ({"retry-after-ms": "50"}, 0.05),  # 17
        ({"retry-after-ms": "50", "Retry-After": "1"}, 0.05),
        ({"retry-after-ms": "rubbish", "Retry-After": "1"}, 1),
        ({"Retry-After": formatdate(NOW_S + 30, usegmt=True)}, 30),  # 18
        ({"Retry-After": formatdate(NOW_S - 30, usegmt=True)}, None),
        ({"Retry-After": "864000"}, 864_000),  # 20
        ({"Retry-After": "0"}, None),  # 21
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "NaN"}, None),
        ({"Retry-After": "inf"}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "Mon, 99 Foo 2026 00:00:00 GMT"}, None),
        ({"Retry-After": ""}, None),
        ({}, None),
    ],
)
def test_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    assert read_retry_after_s(CIMultiDict(headers), NOW_S) == seconds


@given(st.text(max_size=40))
def test_retry_after_is_positive_or_nothing(text: str) -> None:
    seconds = read_retry_after_s({"retry-after": text}, NOW_S)
    assert seconds is None or (seconds > 0 and math.isfinite(seconds))


def test_limits() -> None:
    limits = read_limits(
        CIMultiDict(
            {
                "X-RateLimit-Limit-Requests": "600",
                "X-RateLimit-Remaining-Requests": "599",
                "X-RateLimit-Reset-Requests": "100ms",
                "x-ratelimit-limit-tokens": "200000",
                "x-ratelimit-remaining-tokens": "-3",
                "x-ratelimit-reset-tokens": "1m0s",
                "x-ratelimit-limit-project-tokens": "1e6",
                "x-ratelimit-remaining-project-tokens": "1000000",
                "x-ratelimit-reset-project-tokens": "0s",
            }
        )
    )
    assert limits.requests == Limit(600, 599, 0.1)
    assert limits.tokens == Limit(200_000, -3, 60)
    assert limits.project_tokens == Limit(1_000_000, 1_000_000, 0)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"content-type": "application/json"},
        {"x-ratelimit-limit-requests": "600"},
        {
            "x-ratelimit-limit-requests": "0",
            "x-ratelimit-remaining-requests": "0",
            "x-ratelimit-reset-requests": "1s",
        },
        {
            "x-ratelimit-limit-requests": "600",
            "x-ratelimit-remaining-requests": "nan",
            "x-ratelimit-reset-requests": "1s",
        },
    ],
)
def test_limits_that_say_nothing(headers: dict[str, str]) -> None:
    assert read_limits(CIMultiDict(headers)) is NO_LIMITS


@pytest.mark.parametrize(("remaining", "reset_s"), [("150", 45), ("600", 0), ("700", 0), ("0", 60)])
@pytest.mark.parametrize("reset", [{}, {"x-ratelimit-reset-requests": "soon"}])
def test_a_reset_that_is_not_said_is_that_of_a_bucket(
    remaining: str, reset_s: float, reset: dict[str, str]
) -> None:
    told = {"x-ratelimit-limit-requests": "600", "x-ratelimit-remaining-requests": remaining}
    assert read_limits(told | reset).requests == Limit(600, float(remaining), reset_s)


def test_hints() -> None:
    assert read_hints(CIMultiDict({"server": "x"}), NOW_S) is NO_HINTS
    hints = read_hints(
        CIMultiDict(
            {
                "retry-after": "3",
                "x-should-retry": "false",
                "x-ratelimit-limit-requests": "600",
                "x-ratelimit-remaining-requests": "0",
                "x-ratelimit-reset-requests": "6s",
                "x-ratelimit-remaining-tokens": "10",
                "x-ratelimit-reset-tokens": "8h0m0s",
            }
        ),
        NOW_S,
    )
    assert hints.retry_after_s == 3
    assert hints.should_retry is False
    assert hints.limits_known
    assert hints.exhausted_reset_s == 6


def test_a_reset_alone_counts_as_exhausted() -> None:  # 26
    hints = read_hints({"x-ratelimit-reset-requests": "8h0m0s"}, NOW_S)
    assert hints.exhausted_reset_s == 8 * 3600


@pytest.mark.parametrize(("text", "said"), [("true", True), (" False ", False), ("maybe", None)])
def test_should_retry(text: str, said: bool | None) -> None:
    assert read_hints({"x-should-retry": text}, NOW_S).should_retry is said
