"""Durations as Go prints them, which is how rate-limit headers give them."""

import math


def whole_ms(seconds: float) -> int:
    """Milliseconds, rounded up; the rounding errors of floats are none."""
    return math.ceil(round(seconds * 1000, 6))


def go_duration(seconds: float) -> str:
    """Such as `20ms`, `8.64s`, `6m0s`, `1h0m0.5s`; rounded up to whole milliseconds.

    Rounded up, because a client that waits exactly this long must not be too early.
    """
    ms = whole_ms(seconds)
    if ms <= 0:
        return "0s"
    if ms < 1000:
        return f"{ms}ms"
    minutes, rest_ms = divmod(ms, 60_000)
    hours, minutes = divmod(minutes, 60)
    text = f"{rest_ms / 1000:.3f}".rstrip("0").rstrip(".") + "s"
    if hours:
        return f"{hours}h{minutes}m{text}"
    return f"{minutes}m{text}" if minutes else text
