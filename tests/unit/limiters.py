"""Limiters that no header tells of, and a client before them, in a time of their own."""

import heapq
import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from processor.direct.headers import NO_LIMITS
from processor.direct.pace import Pace, Ticket

_CALLS_MOST_PER_S = 1_000  # a client's, whatever is allowed
_LEAST_S = 1e-4


class Limiter(Protocol):
    """Counts calls."""

    def ask(self, now_s: float) -> float:
        """0 for a call that is accepted, else how long to wait."""


@dataclass(slots=True)
class Seconds:
    """So many calls in each second, which begins somewhere."""

    per_s: float
    begins_s: float = 0.37
    second: int = -1
    used: int = 0

    def ask(self, now_s: float) -> float:
        second = math.floor(now_s - self.begins_s)
        if second != self.second:
            self.second, self.used = second, 0
        self.used += 1
        return self.begins_s + second + 1 - now_s if self.used > self.per_s else 0.0


@dataclass(slots=True)
class Bucket:
    """Holds what flows in within a second."""

    per_s: float
    left: float = 1.0
    at_s: float = 0.0

    def ask(self, now_s: float) -> float:
        self.left = min(self.per_s, self.left + (now_s - self.at_s) * self.per_s)
        self.at_s = now_s
        if self.left < 1:
            return (1 - self.left) / self.per_s
        self.left -= 1
        return 0.0


@dataclass(slots=True)
class Sliding:
    """So many calls in whatever second."""

    per_s: float
    accepted_s: list[float] = field(default_factory=list)

    def ask(self, now_s: float) -> float:
        self.accepted_s = [at_s for at_s in self.accepted_s if at_s > now_s - 1]
        if len(self.accepted_s) >= self.per_s:
            return self.accepted_s[0] + 1 - now_s
        self.accepted_s.append(now_s)
        return 0.0


Told = Callable[[float], float | None]
"""What is said of the time to wait."""


def used(
    limiter: Limiter, told: Told, *, lag_s: float, from_s: float, to_s: float
) -> tuple[float, float]:
    """Calls a second that are accepted between two times, and the share that is refused.

    Args:
        lag_s: How long a call and its refusal take, a little more or less.
    """
    chance = random.Random(1)
    pace, accepted, refused = Pace(), 0, 0
    events: list[tuple[float, int, Ticket | None, float | None]] = [(0.0, 0, None, 0.0)]
    while events[0][0] < to_s:
        now_s, number, ticket, wait_s = heapq.heappop(events)
        if ticket is None:  # the client's turn
            due_s = pace.turn(now_s)
            if due_s <= 0:
                arrives_s = now_s + lag_s * chance.uniform(0.4, 0.6)
                heapq.heappush(events, (arrives_s, number + 1, pace.ticket, None))
                due_s = 1 / _CALLS_MOST_PER_S
            heapq.heappush(events, (now_s + max(due_s, _LEAST_S), number + 2, None, 0.0))
        elif wait_s is None:  # a call arrives
            wait_s = limiter.ask(now_s)
            accepted += now_s >= from_s and not wait_s
            refused += now_s >= from_s and wait_s > 0
            if wait_s:
                back_s = now_s + lag_s * chance.uniform(0.4, 0.6)
                heapq.heappush(events, (back_s, number, ticket, wait_s))
        else:  # a refusal comes back
            pace.refused(now_s, NO_LIMITS, ticket, told(wait_s))
    return accepted / (to_s - from_s), refused / (accepted + refused)
