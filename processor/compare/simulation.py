"""How the local server is told to play a provider of given speed, in time that runs faster."""

import math

from processor.compare.terms import Simulation

SIGMA = 0.4  # of the calls' times, lognormal
# Of a batch job's time.
_VALIDATING, _IN_PROGRESS, _FINALIZING = 0.25, 0.5, 0.25


def sandbox_options(simulation: Simulation) -> list[str]:
    """The options of `processor sandbox`."""
    median_ms = 1_000 * simulation.call_s / math.exp(SIGMA**2 / 2)  # so that the mean is call_s
    job_s = simulation.job_s / simulation.scale
    return [
        *("--latency-ms", f"{median_ms / simulation.scale:.6g}", "--latency-sigma", f"{SIGMA}"),
        *("--validating-s", f"{_VALIDATING * job_s:.6g}"),
        *("--in-progress-s", f"{_IN_PROGRESS * job_s:.6g}"),
        *("--finalizing-s", f"{_FINALIZING * job_s:.6g}"),
        *simulation.options,
    ]
