"""When to look at open batches next. Pure: times are arguments."""

import random

_LEAST_S = 1.0
_MOST_S = 60.0
_SHARE = 0.25  # of the time for which nothing has changed
_BACKOFF_MOST_S = 300.0
_DOUBLINGS_MOST = 9
_ASKED_MOST_S = 3_600.0
_JITTER = 0.1


def wait_s(
    quiet_s: float, rng: random.Random, *, failures: int = 0, retry_after_s: float | None = None
) -> float:
    """Seconds until the next look: about a second at first, a minute after four.

    Looking never ends: a provider that cannot be asked for hours may be at work all the same.

    Args:
        quiet_s: For how long the status of every open batch has been what it is; of several the
            shortest, from their creation on.
        rng: Where the jitter comes from: a tenth to either side.
        failures: Looks in a row that failed.
        retry_after_s: The provider asks for nothing earlier; an hour at most is kept.
    """
    wait_s = min(_MOST_S, max(_LEAST_S, _SHARE * quiet_s))
    if failures:
        backoff_s = min(_BACKOFF_MOST_S, 2.0 ** min(failures, _DOUBLINGS_MOST))
        wait_s = max(wait_s, backoff_s)
    jittered_s = wait_s * rng.uniform(1 - _JITTER, 1 + _JITTER)
    return max(jittered_s, min(retry_after_s or 0.0, _ASKED_MOST_S))
