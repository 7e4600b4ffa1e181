"""What the limits let through, second by second."""

from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

_KEPT_SECONDS = 7_200


@dataclass(slots=True, kw_only=True)
class Second:
    """One second of the clock in which requests came.

    Attributes:
        second: Whole seconds of the sandbox's monotonic clock.
        left: What was left when it began, by unit, as the headers tell it.
        admitted: Requests that the limits let through.
        tokens: What those were charged.
        refused: Requests that got a 429.
    """

    second: int
    left: Mapping[str, float]
    admitted: int = 0
    tokens: int = 0
    refused: int = 0


class Timeline:
    """The last two hours of one model's limits."""

    def __init__(self) -> None:
        self._seconds: deque[Second] = deque(maxlen=_KEPT_SECONDS)

    def has(self, now_s: float) -> bool:
        """Whether the present second was begun."""
        return bool(self._seconds) and self._seconds[-1].second == int(now_s)

    def begin(self, now_s: float, left: Mapping[str, float]) -> None:
        """The first request of a second comes."""
        self._seconds.append(Second(second=int(now_s), left=left))

    def admit(self, tokens: int) -> None:
        """A request is let through, in the second that was begun last."""
        self._seconds[-1].admitted += 1
        self._seconds[-1].tokens += tokens

    def refuse(self) -> None:
        """A request is refused, in the second that was begun last."""
        self._seconds[-1].refused += 1

    def report(self) -> list[dict[str, Any]]:
        """As `/sandbox/limits` tells it, oldest first; seconds without a request are left out."""
        return [asdict(second) for second in self._seconds]
