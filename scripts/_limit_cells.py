"""One cell of the benchmark of limits: a limiter, what it can give, and what of it was used."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["BURST_S", "MINUTE_S", "Cell", "Reached", "measure"]

BURST_S = 15
MINUTE_S = 60
_WORDS_LEAST = 20  # in a row, where tokens are what binds
_WORDS_SPREAD = 160
_TOKENS_A_WORD = 1.5  # as the sandbox counts them
_TOKENS_BESIDE = 19
_TAIL_S = 2  # the last seconds of a run, in which little is left to send


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A limiter and who is in front of it.

    Attributes:
        kind: `bucket`, `minute` or `second`, as the sandbox knows them.
        rpm: Requests a minute.
        tpm: Tokens a minute, when tokens are what binds; then `rpm` only stands beside them.
        other: Share of the limits that another client takes.
        latency_ms: Median of the lognormal time to an answer.
        seconds: How long is measured after the first burst.
    """

    kind: str
    rpm: int
    tpm: int | None = None
    other: float = 0.0
    latency_ms: int = 300
    seconds: int = MINUTE_S

    @property
    def name(self) -> str:
        """Limit and limiter, for the table."""
        return f"{self.limit:,} {'tokens' if self.tpm else 'requests'}/min, {self.kind}"

    @property
    def limit(self) -> int:
        """A minute, of what binds."""
        return self.tpm or self.rpm

    @property
    def left_per_s(self) -> float:
        """What of the limit is left for this client."""
        return self.limit / MINUTE_S * (1 - self.other)

    @property
    def calls_per_s(self) -> float:
        """About what the limit allows."""
        return self.limit / MINUTE_S / self._amount

    @property
    def _amount(self) -> float:
        """Of what binds, in a call."""
        words = _WORDS_LEAST + (_WORDS_SPREAD - 1) / 2
        return _TOKENS_BESIDE + words * _TOKENS_A_WORD if self.tpm else 1.0

    def words_of(self, number: int) -> int:
        """Length of a row; many lengths where tokens are what binds."""
        return _WORDS_LEAST + number * 7919 % _WORDS_SPREAD if self.tpm else 1

    def rows_for(self, before_s: float, measured_s: float) -> int:
        """Rows that keep a client busy so long, though it takes all at first."""
        amount = self.limit / MINUTE_S * before_s + self.left_per_s * measured_s
        return int(amount / self._amount)

    def options(self) -> list[str]:
        """Of `processor sandbox`."""
        tokens = ["--tpm", str(self.tpm)] if self.tpm else []
        return [
            *("--rpm", str(self.rpm), *tokens, "--limit-kind", self.kind),
            *("--other-client", str(self.other), "--latency-ms", str(self.latency_ms)),
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """What a client reached in a cell.

    Attributes:
        of_left: Share of what the limit leaves that was used.
        refused: Share of all calls that got a 429, from the first to the last.
        refused_later: The same of the calls after the first burst.
    """

    of_left: float
    refused: float
    refused_later: float


def measure(cell: Cell, timeline: Sequence[Mapping[str, Any]], *, whole_minutes: bool) -> Reached:
    """What a client reached, by the server's own timeline (`/sandbox/limits`).

    Args:
        cell: The limiter.
        timeline: Every second in which requests came, oldest first.
        whole_minutes: Measure a limit of fixed minutes over whole ones.

    Raises:
        ValueError: The run was too short.
    """
    begins, ends = _bounds(cell, timeline, whole_minutes=whole_minutes)
    measured = [one for one in timeline if begins <= one["second"] < ends]
    later = [one for one in timeline if one["second"] >= begins]
    there = cell.left_per_s * (ends - begins)
    if cell.kind != "minute":  # what had been saved up before is there as well
        there += max(0.0, _left(cell, timeline, begins) - _left(cell, timeline, ends))
    used = sum(one["tokens" if cell.tpm else "admitted"] for one in measured)
    return Reached(
        of_left=used / there,
        refused=_refused(timeline),
        refused_later=_refused(later),
    )


def _bounds(
    cell: Cell, timeline: Sequence[Mapping[str, Any]], *, whole_minutes: bool
) -> tuple[int, int]:
    """The first second that is measured, and the first that is not any more."""
    first, last = timeline[0]["second"], timeline[-1]["second"]
    begins, ends = first + BURST_S, last - _TAIL_S
    if cell.kind == "minute" and whole_minutes:
        begins = -(-begins // MINUTE_S) * MINUTE_S
        ends = ends // MINUTE_S * MINUTE_S
    if ends <= begins:
        raise ValueError(f"{cell.name}: {last - first} s are too short to be measured")
    return begins, ends


def _left(cell: Cell, timeline: Sequence[Mapping[str, Any]], second: int) -> float:
    left: float = next(
        one["left"]["tokens" if cell.tpm else "requests"]
        for one in timeline
        if one["second"] >= second
    )
    return left


def _refused(seconds: Sequence[Mapping[str, Any]]) -> float:
    refused: int = sum(one["refused"] for one in seconds)
    admitted: int = sum(one["admitted"] for one in seconds)
    return refused / max(1, refused + admitted)
