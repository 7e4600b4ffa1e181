"""How many batches may be created in an hour. Pure: times are arguments, on one clock."""

from collections import deque
from collections.abc import Iterable

_MOST = 2_000  # OpenAI's limit
_WINDOW_S = 3_600.0


class Creations:
    """Counts creations in a window that slides.

    Args:
        earlier: When batches were created before; in seconds, in any order.
        most: Creations in a window.
    """

    def __init__(self, earlier: Iterable[float] = (), *, most: int = _MOST) -> None:
        self._times = deque(sorted(earlier), maxlen=most)

    def wait_s(self, now_s: float) -> float:
        """Seconds until a batch may be created; 0 means now."""
        if len(self._times) < (self._times.maxlen or 0):
            return 0.0
        return max(0.0, self._times[0] + _WINDOW_S - now_s)

    def note(self, now_s: float) -> None:
        """A batch is about to be created."""
        self._times.append(now_s)
