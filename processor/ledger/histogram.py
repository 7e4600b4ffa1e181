"""Latencies in geometric buckets: exact enough for percentiles, small enough for one table."""

import math
from collections.abc import Mapping

# Bucket n holds latencies up to RATIO ** n ms; a percentile is off by at most half of 5 %.
RATIO = 1.05
_LOG_RATIO = math.log(RATIO)
_LEAST_MS = 0.001


def bucket(latency_ms: float) -> int:
    """The bucket that counts a latency."""
    return math.ceil(math.log(max(latency_ms, _LEAST_MS)) / _LOG_RATIO)


def percentile(counts: Mapping[int, int], share: float) -> float | None:
    """The latency in ms that `share` (0-1) of the calls do not exceed; None without calls."""
    total = sum(counts.values())
    if not total:
        return None
    rank = share * total
    seen = 0
    number = 0
    for number in sorted(counts):
        seen += counts[number]
        if seen >= rank:
            break
    return float(RATIO ** (number - 0.5))
