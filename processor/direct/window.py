"""How many calls may be in flight. Pure: latencies and times are arguments.

Three rules. Successes widen the window: it doubles every round at first, later it gains a
sixteenth of what it was when the doubling ended. Rising latency only stops the widening (and
takes back a doubling that went too far): the server queues what is beyond its capacity, so that
more gains nothing. Congestion (429, 503, a timeout) narrows the window, once for all the calls
that were in flight together, however many of them it hits; not below what the pace needs, where a
pace is kept: whoever refuses for the rate gains nothing by fewer calls in flight at the same rate.

Latencies of language models spread widely. So their logarithms are averaged over a whole round,
and a round counts as slower only by more than their spread explains: by the chance of so few
calls, and because in a growing window the short calls come back first and look usual.
"""

import math

_START = 8
_ROUND_LEAST = 32  # fewer latencies than this say little
_SLOWER = math.log(1.5)  # a round so much slower than usual stops the widening
_CHANCE = 2.0  # standard errors of a round's mean
_YOUNG = 0.4  # standard deviations by which short calls mislead while a window grows
_ALIKE = math.log(1.2)  # a round so near to the usual one is averaged into it
_BUSY = 0.75  # of the window must be in use, or a success says nothing about its width
_NARROW = 0.7
_LATENCY_MOST = 2.0  # times the usual: what calls take on average when a few are very slow
_STEPS = 16


class Window:
    """The bound on calls in flight; the lane counts them.

    Args:
        start: Where it begins, 1 or more.
        ceiling: What it never exceeds.

    Raises:
        ValueError: They are not `1 <= start <= ceiling`.
    """

    __slots__ = (
        "_ceiling",
        "_log_squares",
        "_log_sum",
        "_narrowed_s",
        "_proven_width",
        "_round",
        "_round_width",
        "_seen",
        "_slower",
        "_step",
        "_usual",
        "_usual_calls",
        "_width",
    )

    def __init__(self, *, start: int, ceiling: int) -> None:
        if not 1 <= start <= ceiling:
            raise ValueError(f"a window from {start} to {ceiling} cannot be")
        self._ceiling = ceiling
        self._width = float(start)
        self._step: float | None = None  # a round; None while doubling
        self._narrowed_s = -math.inf
        self._usual = math.inf  # mean logarithm of the latency in seconds
        self._usual_calls = 0
        self._slower = False
        self._round_width = self._width
        self._begin_round()

    @classmethod
    def of(cls, concurrency: int | None, *, ceiling: int) -> "Window":
        """As `--concurrency` says, which is start and ceiling; None adapts up to `ceiling`."""
        if concurrency is not None:
            return cls(start=concurrency, ceiling=concurrency)
        return cls(start=min(_START, ceiling), ceiling=ceiling)

    def allow(self, concurrency: int | None, *, ceiling: int) -> None:
        """Set the ceiling anew, as `of`; without one it goes on from where it is."""
        most = ceiling if concurrency is None else concurrency
        if most == self._ceiling:  # what it has learnt stays
            return
        self._ceiling = most
        self._width = (
            min(self._width, float(ceiling)) if concurrency is None else float(concurrency)
        )

    @property
    def size(self) -> int:
        """Calls that may be in flight now; at least 1."""
        return int(self._width)

    def succeed(self, latency_s: float, in_flight: int) -> None:
        """A call succeeded.

        Args:
            latency_s: From sending to the whole answer.
            in_flight: Calls in flight when it came, itself included.
        """
        self._seen += 1
        log_s = math.log(max(latency_s, 1e-6))
        self._log_sum += log_s
        self._log_squares += log_s * log_s
        if not self._slower and in_flight >= _BUSY * self.size:
            gain = 1.0 if self._step is None else self._step / self._width
            self._width = min(float(self._ceiling), self._width + gain)
        if self._seen >= self._round:
            self._end_round()

    def congest(self, sent_s: float, now_s: float, *, pace_per_s: float = 0.0) -> None:
        """A call met congestion.

        Args:
            sent_s: When it had gone.
            now_s: When the answer came.
            pace_per_s: Calls a second that a pace lets through; 0 or infinite without one.
        """
        if sent_s <= self._narrowed_s:
            return
        self._narrowed_s = now_s
        needed = pace_per_s * self._usual_s * _LATENCY_MOST if pace_per_s < math.inf else 0.0
        self._width = max(1.0, self._width * _NARROW, min(self._width, needed))
        self._step = max(1.0, self._width / _STEPS)
        self._begin_round()

    @property
    def _usual_s(self) -> float:
        """The latency that most calls have about; 0 while no call has succeeded."""
        if self._usual < math.inf:
            return math.exp(self._usual)
        return math.exp(self._log_sum / self._seen) if self._seen else 0.0

    def _begin_round(self) -> None:
        self._round = max(_ROUND_LEAST, self.size)
        # What comes back in a round was sent in the one before.
        self._proven_width = self._round_width
        self._round_width = self._width
        self._log_sum = 0.0
        self._log_squares = 0.0
        self._seen = 0

    def _end_round(self) -> None:
        mean = self._log_sum / self._seen
        spread = math.sqrt(max(0.0, self._log_squares / self._seen - mean * mean))
        explained = spread * (_YOUNG + _CHANCE / math.sqrt(self._seen))
        self._slower = mean > self._usual + _SLOWER + explained
        if self._slower and self._step is None:
            self._width = self._proven_width
            self._step = max(1.0, self._width / _STEPS)
        self._remember(mean)
        self._begin_round()

    def _remember(self, mean: float) -> None:
        """Average a round into the usual one if it is like it; a quicker one replaces it."""
        if mean < self._usual - _ALIKE:
            self._usual, self._usual_calls = mean, self._seen
        elif mean <= self._usual + _ALIKE:
            self._usual_calls += self._seen
            self._usual += (mean - self._usual) * self._seen / self._usual_calls
