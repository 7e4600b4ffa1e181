"""Latencies in geometric buckets: exact enough for percentiles, small enough for one table."""

import math
from collections.abc import Mapping

# Bucket n holds latencies up to RATIO ** n ms; a percentile is off by at most half of 5 %.
RATIO = 1.05
_LOG_RATIO = math.log(RATIO)


def bucket(latency_ms: float) -> int:
    """The bucket that counts a latency."""
    return math.ceil(math.log(latency_ms) / _LOG_RATIO) if latency_ms > 1 else 0


def percentile(counts: Mapping[int, int], share: float) -> float | None:
    """The latency in ms below which `share` (0-1) of the calls lie; None without calls."""
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
