"""Rate-limit and retry headers, read into numbers. Pure; bad values read as absent.

Headers come as a case-insensitive mapping, as HTTP clients give them.
"""

import math
import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from msgspec import Struct

from processor.verdict import NO_HINTS, Hints

_PART = re.compile(r"(\d+(?:\.\d+)?)(h|ms|m|s|us|µs|μs|ns)")
_DURATION = re.compile(rf"(?:{_PART.pattern})+")
_UNIT_S = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "μs": 1e-6}
_UNIT_S["ns"] = 1e-9
_PERIOD_S = 60.0


class Limit(Struct, frozen=True, gc=False):
    """One dimension of a rate limit.

    Attributes:
        limit: What the period allows.
        remaining: What is left of it; may be below 0.
        reset_s: Until it stands at `limit` again if nothing more is sent.
    """

    limit: float
    remaining: float
    reset_s: float


class RateLimits(Struct, frozen=True, kw_only=True, gc=False):
    """The dimensions that an answer's headers report; None for those that it does not."""

    requests: Limit | None = None
    tokens: Limit | None = None
    project_tokens: Limit | None = None


NO_LIMITS = RateLimits()


def read_limits(headers: Mapping[str, str]) -> RateLimits:
    """The `x-ratelimit-*` headers; `NO_LIMITS` itself when there are none."""
    requests = _read_limit(headers, *_REQUESTS)
    tokens = _read_limit(headers, *_TOKENS)
    project_tokens = _read_limit(headers, *_PROJECT_TOKENS)
    if requests is None and tokens is None and project_tokens is None:
        return NO_LIMITS
    return RateLimits(requests=requests, tokens=tokens, project_tokens=project_tokens)


def read_hints(headers: Mapping[str, str], now_s: float) -> Hints:
    """What the headers of a failed call ask for.

    Args:
        headers: Of the answer.
        now_s: Seconds since the epoch, which HTTP dates are compared with.
    """
    resets = [_exhausted_reset_s(headers, names) for names in _DIMENSIONS]
    hints = Hints(
        retry_after_s=read_retry_after_s(headers, now_s),
        should_retry=_SHOULD_RETRY.get(headers.get("x-should-retry", "").strip().lower()),
        limits_known=any(name in headers for names in _DIMENSIONS for name in names),
        exhausted_reset_s=max((reset for reset in resets if reset is not None), default=None),
    )
    return NO_HINTS if hints == NO_HINTS else hints


def read_retry_after_s(headers: Mapping[str, str], now_s: float) -> float | None:
    """Seconds that `retry-after-ms` or `retry-after` asks for; None for 0 and for nonsense.

    Args:
        headers: Of the answer.
        now_s: Seconds since the epoch, which HTTP dates are compared with.
    """
    in_ms = _positive(headers.get("retry-after-ms"))
    if in_ms is not None:
        return in_ms / 1000
    asked = headers.get("retry-after")
    if asked is None:
        return None
    in_s = _positive(asked)
    return in_s if in_s is not None else _until(asked, now_s)


def parse_duration_s(text: str) -> float | None:
    """Seconds in a Go duration (`6m0s`, `1m2.5s`, `20ms`, `1µs`) or in a bare number.

    Returns:
        None for anything else, for negative and for unbounded values.
    """
    text = text.strip()
    if _DURATION.fullmatch(text):
        seconds = sum(float(amount) * _UNIT_S[unit] for amount, unit in _PART.findall(text))
        return seconds if math.isfinite(seconds) else None
    return _number(text)


_REQUESTS = (
    "x-ratelimit-limit-requests",
    "x-ratelimit-remaining-requests",
    "x-ratelimit-reset-requests",
)
_TOKENS = (
    "x-ratelimit-limit-tokens",
    "x-ratelimit-remaining-tokens",
    "x-ratelimit-reset-tokens",
)
_PROJECT_TOKENS = (
    "x-ratelimit-limit-project-tokens",
    "x-ratelimit-remaining-project-tokens",
    "x-ratelimit-reset-project-tokens",
)
_DIMENSIONS = (_REQUESTS, _TOKENS, _PROJECT_TOKENS)
_SHOULD_RETRY = {"true": True, "false": False}


def _read_limit(headers: Mapping[str, str], limit: str, remaining: str, reset: str) -> Limit | None:
    stated = headers.get(limit)
    if stated is None:
        return None
    allowed = _number(stated)
    left = _finite(headers.get(remaining, ""))
    if not allowed or left is None:
        return None
    reset_s = parse_duration_s(headers.get(reset, ""))
    if reset_s is None:  # Azure leaves it out: as of a bucket that a minute fills
        reset_s = max(0.0, (allowed - left) / allowed * _PERIOD_S)
    return Limit(allowed, left, reset_s)


def _exhausted_reset_s(headers: Mapping[str, str], names: tuple[str, str, str]) -> float | None:
    """The reset of a dimension with nothing left, even where its limit is not stated."""
    _, remaining, reset = names
    if reset not in headers:
        return None
    left = _finite(headers.get(remaining, "0"))
    return parse_duration_s(headers[reset]) if left is not None and left <= 0 else None


def _finite(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _number(text: str) -> float | None:
    value = _finite(text)
    return value if value is not None and value >= 0 else None


def _positive(text: str | None) -> float | None:
    return (_number(text) or None) if text is not None else None


def _until(text: str, now_s: float) -> float | None:
    try:
        seconds = parsedate_to_datetime(text).timestamp() - now_s
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
    return seconds if seconds > 0 else None
