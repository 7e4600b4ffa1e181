"""How long batches take: what was seen of them, on top of what users report. Pure.

Few batches tell little, so that the users' hours count as some batches seen.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, log
from statistics import NormalDist

from processor.plan.prior import batch_hours

_PRIOR_WEIGHT = 4.0  # batches that the users' hours count as
_LATEST = 50  # providers change
_ALIKE = 5.0  # sizes that differ by no more than this factor
_INSIDE = 0.8  # of all batches end within the users' hours
_HOUR_S = 3_600.0


@dataclass(frozen=True, slots=True)
class Seen:
    """A batch that has ended.

    Attributes:
        requests: Lines of its file.
        seconds: From its creation to its end; inf when it did not end by itself.
    """

    requests: int
    seconds: float


class Latencies:
    """What is known of how long batches take.

    Args:
        seen: Batches of this provider and model, the latest last.
    """

    def __init__(self, seen: Sequence[Seen] = ()) -> None:
        self._seen = tuple(seen)[-_LATEST:]

    @property
    def seen(self) -> tuple[Seen, ...]:
        """Batches that were seen, the latest last."""
        return self._seen

    def chance(self, requests: int, within_s: float, *, age_s: float = 0.0) -> float:
        """How probable it is that a batch ends in time.

        Args:
            requests: Its size.
            within_s: Time from now.
            age_s: How long it has been there.
        """
        if within_s <= 0:
            return 0.0
        left = 1 - self._ended(requests, age_s)
        if left <= 0:
            return 0.0
        return (self._ended(requests, age_s + within_s) - self._ended(requests, age_s)) / left

    def quantile_s(self, requests: int, share: float) -> float:
        """The time within which this share of such batches ends; inf when so many never do."""
        low, high = 0.0, 86_400.0
        if self._ended(requests, high) < share:
            return inf
        while high - low > 1:
            middle = (low + high) / 2
            low, high = (low, middle) if self._ended(requests, middle) >= share else (middle, high)
        return high

    def _ended(self, requests: int, seconds: float) -> float:
        """Share of such batches that have ended by then."""
        alike = [seen for seen in self._seen if _tells(seen, requests, seconds)]
        ended = sum(seen.seconds <= seconds for seen in alike)
        prior = _PRIOR_WEIGHT * _reported(requests, seconds)
        return (prior + ended) / (_PRIOR_WEIGHT + len(alike))


def _tells(seen: Seen, requests: int, seconds: float) -> bool:
    """Whether a batch tells of another size: a larger one that is done, a smaller that is not."""
    ratio, ended = seen.requests / max(1, requests), seen.seconds <= seconds
    return 1 / _ALIKE <= ratio <= _ALIKE or (ended if ratio > 1 else not ended)


def _reported(requests: int, seconds: float) -> float:
    """The same by the users' hours alone: their logarithms are taken as normal."""
    if seconds <= 0:
        return 0.0
    hours = batch_hours(requests)
    least, most = log(hours.least * _HOUR_S), log(hours.most * _HOUR_S)
    spread = NormalDist().inv_cdf((1 + _INSIDE) / 2)
    return NormalDist((least + most) / 2, (most - least) / 2 / spread).cdf(log(seconds))
