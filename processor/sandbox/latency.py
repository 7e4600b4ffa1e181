"""How long an answer takes."""

import math
from statistics import NormalDist

from processor.sandbox.seeded import draw

_NORMAL = NormalDist()
# A draw of exactly 0 has no place on the bell curve.
_SMALLEST = 2.0**-54


def lognormal_s(median_ms: float, sigma: float, seed: int, *name: object) -> float:
    """Seconds drawn from a lognormal distribution, the same for the same seed and name.

    Args:
        median_ms: Half of the answers take less; 0 makes every answer instant.
        sigma: Spread of the logarithm; 0 makes every answer take the median, 1 is heavy-tailed.
        seed: Of the sandbox.
        name: What the draw is for.
    """
    if median_ms == 0 or sigma == 0:
        return median_ms / 1000
    bell = _NORMAL.inv_cdf(max(draw(seed, "latency", *name), _SMALLEST))
    return median_ms / 1000 * math.exp(sigma * bell)
