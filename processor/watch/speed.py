"""How fast a run goes at the moment, and when it will be done by that."""

import time
from dataclasses import dataclass

from processor.ledger.gauges import PAUSED
from processor.watch.course import timing_of
from processor.watch.snapshot import Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """How fast it goes at the moment; None until that can be told."""

    per_s: float | None
    eta_s: float | None


def speed_of(shot: Snapshot) -> Speed:
    """The speed of a run that works; when one that is paused will be done, nobody knows."""
    per_s = shot.recent_per_s
    if shot.now is not None and shot.now.state == PAUSED:
        return Speed(per_s=per_s, eta_s=None)
    timing = timing_of(shot)
    if timing is not None and timing.done_s is not None:  # which knows of batches, too
        return Speed(per_s=per_s, eta_s=max(0.0, timing.done_s - time.time()))
    if per_s is None:
        return Speed(per_s=None, eta_s=None)
    # It may have begun in haste, which limits that were set do not let it keep up.
    return Speed(per_s=per_s, eta_s=max(shot.pending / per_s, shot.pending_least_s))
