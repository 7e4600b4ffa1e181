"""What a deadline means: a table of spans, hours and dates, and of what is none."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, strategies as st

from processor.errors import UsageError
from processor.plan.deadline import deadline_at

SEOUL = ZoneInfo("Asia/Seoul")
BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 21, 17, 30, tzinfo=SEOUL)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2h", "2026-11-21T19:30:00+09:00"),
        ("90m", "2026-11-21T19:00:00+09:00"),
        ("90min", "2026-11-21T19:00:00+09:00"),
        ("1h30m", "2026-11-21T19:00:00+09:00"),
        ("1.5h", "2026-11-21T19:00:00+09:00"),
        ("2 H", "2026-11-21T19:30:00+09:00"),
        ("45s", "2026-11-21T17:30:45+09:00"),
        ("1d", "2026-11-22T17:30:00+09:00"),
        ("18:00", "2026-11-21T18:00:00+09:00"),
        ("17:31", "2026-11-21T17:31:00+09:00"),
        ("17:30", "2026-11-22T17:30:00+09:00"),
        ("9:05", "2026-11-22T09:05:00+09:00"),
        ("00:00", "2026-11-22T00:00:00+09:00"),
        ("2026-11-22 06:00", "2026-11-22T06:00:00+09:00"),
        ("2026-11-22T06:00", "2026-11-22T06:00:00+09:00"),
        ("2026-11-22T06:00:00Z", "2026-11-22T06:00:00+00:00"),
    ],
)
def test_the_moment(text: str, at: str) -> None:
    assert deadline_at(text, NOW) == datetime.fromisoformat(at)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "neither a time nor a span"),
        ("soon", "neither a time nor a span"),
        ("2", "neither a time nor a span"),
        ("18", "neither a time nor a span"),
        ("6pm", "neither a time nor a span"),
        ("-2h", "neither a time nor a span"),
        ("2h 5", "neither a time nor a span"),
        ("24:00", "neither a time nor a span"),
        ("12:60", "neither a time nor a span"),
        ("2026-11-22", "neither a time nor a span"),
        ("2026-13-22 06:00", "neither a time nor a span"),
        ("٢h", "neither a time nor a span"),
        ("0h", "has passed"),
        ("2026-11-21 17:30", "has passed"),
        ("2026-11-21 06:00", "2026-11-21 06:00, which has passed"),
        ("31d", "more than 30 days"),
        ("99999999999999999999h", "more than 30 days"),
        ("2027-11-21 06:00", "more than 30 days"),
    ],
)
def test_what_is_none_is_refused_with_the_way_out(text: str, problem: str) -> None:
    with pytest.raises(UsageError, match=problem) as refused:
        deadline_at(text, NOW)
    assert "18:00" in str(refused.value)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("6h", "2026-10-25T05:00:00+01:00"),  # a span is a span, whatever the clock does
        ("05:00", "2026-10-25T05:00:00+01:00"),
        ("23:30", "2026-10-25T23:30:00+01:00"),
    ],
)
def test_a_clock_that_is_put_back_meanwhile(text: str, at: str) -> None:
    now = datetime(2026, 10, 25, 0, 0, tzinfo=BERLIN)
    assert deadline_at(text, now) == datetime.fromisoformat(at)


def test_a_span_over_the_hour_that_comes_twice() -> None:
    now = datetime(2026, 10, 25, 2, 45, tzinfo=BERLIN)
    at = deadline_at("30m", now)
    assert (at.hour, at.minute, at.fold) == (2, 15, 1)
    assert at.astimezone(UTC) - now.astimezone(UTC) == timedelta(minutes=30)


def test_without_a_zone_hours_are_those_of_this_machine() -> None:
    now = datetime(2026, 11, 21, 17, 30)  # noqa: DTZ001 - that is what is tested
    assert deadline_at("18:00", now) == datetime(2026, 11, 21, 18, 0).astimezone()
    assert deadline_at("2h", now) == datetime(2026, 11, 21, 19, 30).astimezone()


@given(st.datetimes(timezones=st.just(UTC)), st.integers(0, 23), st.integers(0, 59))
def test_an_hour_is_within_a_day(now: datetime, hour: int, minute: int) -> None:
    now = now.replace(year=2026)
    at = deadline_at(f"{hour}:{minute:02d}", now)
    assert timedelta(0) < at - now <= timedelta(days=1)
    assert (at.hour, at.minute, at.second) == (hour, minute, 0)
