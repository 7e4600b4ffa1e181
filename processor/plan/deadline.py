"""When somebody wants it done: `2h`, `90m`, `18:00`, `2026-11-22 06:00`."""

import re
from datetime import UTC, datetime, time, timedelta
from math import ceil

from processor.errors import UsageError

_SPAN = re.compile(
    r"(?:(?P<days>\d+(?:\.\d+)?)d)?(?:(?P<hours>\d+(?:\.\d+)?)h)?"
    r"(?:(?P<minutes>\d+(?:\.\d+)?)m(?:in)?)?(?:(?P<seconds>\d+(?:\.\d+)?)s)?",
    re.ASCII,
)
_HOUR = re.compile(r"(\d{1,2}):(\d{2})", re.ASCII)
_MOST = timedelta(days=30)
_MARGIN = 1.2  # one is made with some time to spare, or not at all
_BEGIN_S = 120.0
_STEP_M = 5
_WAY_OUT = (
    "Give a span (2h, 90m, 1h30m), the next such hour of local time (18:00), "
    "or a date with it (2026-11-22 06:00)."
)


def deadline_at(text: str, now: datetime) -> datetime:
    """The moment that a deadline names.

    Args:
        text: A span from now, an hour, or a date with its hour.
        now: With the zone in which hours are meant; without one in this machine's.

    Returns:
        A moment with its zone, later than now.

    Raises:
        UsageError: It is none, has passed, or is too far away.
    """
    local = now if now.tzinfo is not None else now.astimezone()
    at = _span(text, local) or _hour(text, now) or _date(text, now)
    if at is None:
        raise UsageError(f"--deadline {text!r} is neither a time nor a span", way_out=_WAY_OUT)
    left = at.astimezone(UTC) - local.astimezone(UTC)  # the clock may be put back meanwhile
    if left <= timedelta(0):
        raise UsageError(
            f"--deadline {text}: that is {at:%Y-%m-%d %H:%M}, which has passed", way_out=_WAY_OUT
        )
    if left > _MOST:
        raise _too_far(text)
    return at


def deadline_for(seconds: float) -> str:
    """A deadline that is enough for what takes so long at least, as people type it: `1h05m`."""
    least = (_BEGIN_S + _MARGIN * seconds) / 60
    return span_of(min(_MOST // timedelta(minutes=1), _STEP_M * ceil(least / _STEP_M)))


def span_of(minutes: int) -> str:
    """`45m`, `2h`, `1h05m`."""
    hours, rest = divmod(minutes, 60)
    if not hours:
        return f"{rest}m"
    return f"{hours}h{rest:02d}m" if rest else f"{hours}h"


def _span(text: str, local: datetime) -> datetime | None:
    found = _SPAN.fullmatch(text.replace(" ", "").lower())
    if found is None or not any(found.groups()):
        return None
    parts = {unit: float(value) for unit, value in found.groupdict(default="0").items()}
    try:
        span = timedelta(**parts)
        # Not on the clock, which may be put on or back meanwhile.
        return (local.astimezone(UTC) + span).astimezone(local.tzinfo)
    except OverflowError:
        raise _too_far(text) from None


def _hour(text: str, now: datetime) -> datetime | None:
    found = _HOUR.fullmatch(text.strip())
    if found is None or int(found[1]) > 23 or int(found[2]) > 59:
        return None
    hour = time(int(found[1]), int(found[2]))
    today = _placed(datetime.combine(now.date(), hour), now)
    if today > _placed(now, now):
        return today
    return _placed(datetime.combine(now.date() + timedelta(days=1), hour), now)


def _date(text: str, now: datetime) -> datetime | None:
    if ":" not in text:  # a day alone, or digits that can be read as one
        return None
    try:
        return _placed(datetime.fromisoformat(text.strip()), now)
    except (ValueError, OverflowError):
        return None


def _placed(at: datetime, now: datetime) -> datetime:
    """With the zone of now, unless it has one."""
    if at.tzinfo is not None:
        return at
    return at.astimezone() if now.tzinfo is None else at.replace(tzinfo=now.tzinfo)


def _too_far(text: str) -> UsageError:
    return UsageError(
        f"--deadline {text}: more than {_MOST.days} days are no deadline", way_out=_WAY_OUT
    )
