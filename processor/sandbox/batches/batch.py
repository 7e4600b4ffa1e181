"""A batch: all that is known of one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from processor.sandbox.faults.fault import Fault


class Status(StrEnum):
    """Where a batch is on its way."""

    VALIDATING = "validating"
    FAILED = "failed"
    IN_PROGRESS = "in_progress"
    FINALIZING = "finalizing"
    COMPLETED = "completed"
    EXPIRED = "expired"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"


_FORGIVEN_S = 1e-6
_ENDED = frozenset((Status.FAILED, Status.COMPLETED, Status.EXPIRED, Status.CANCELLED))


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How many seconds of the clock a batch takes for what.

    Attributes:
        in_progress_s: For all of its lines, one after the other.
        window_s: From its creation to its expiry; None when it never expires.
    """

    validating_s: float
    in_progress_s: float
    finalizing_s: float
    cancelling_s: float
    window_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens."""

    input: int = 0
    cached: int = 0
    output: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        """The sum of both."""
        return Usage(
            input=self.input + other.input,
            cached=self.cached + other.cached,
            output=self.output + other.output,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """A batch. Times are seconds since 1970.

    Attributes:
        output_id: Of the file that its answers go to; told once there is such a file.
        error_id: The same of its errors.
        output_life_s: Of its files, from when they are written.
        azure: Whether it was created by one of Azure's routes.
        faults: What goes wrong with it.
        reached: When it came to which status.
        errors: What its validation found, as it is told.
        total: Lines, once it is validated.
        tokens: Enqueued for it, estimated for all of its lines.
        completed: Lines that were answered.
        failed: Lines that were refused, or went wrong.
        output_bytes: Of the answers so far: what is behind them in the file does not count.
        outcome_ids: Of the files that were made of it, by `output` and `error`.
    """

    id: str
    created_s: float
    endpoint: str
    input_file_id: str
    window: str
    pace: Pace
    output_id: str
    error_id: str
    output_life_s: int
    metadata: Mapping[str, str] | None = None
    azure: bool = False
    faults: tuple[Fault, ...] = ()
    status: Status = Status.VALIDATING
    reached: Mapping[Status, float] = field(default_factory=dict)
    errors: tuple[dict[str, Any], ...] = ()
    model: str | None = None
    total: int = 0
    tokens: int = 0
    completed: int = 0
    failed: int = 0
    output_bytes: int = 0
    error_bytes: int = 0
    usage: Usage = Usage()
    outcome_ids: Mapping[str, str] = field(default_factory=dict)

    @property
    def done(self) -> int:
        """Lines with an outcome."""
        return self.completed + self.failed

    @property
    def ended(self) -> bool:
        """Whether it changes no more."""
        return self.status in _ENDED

    @property
    def expires_s(self) -> float:
        """When it expires; infinite when never."""
        return float("inf") if self.pace.window_s is None else self.created_s + self.pace.window_s

    def due_s(self, line: int) -> float:
        """When so many of its lines are done."""
        began_s = self.reached[Status.IN_PROGRESS]
        return began_s + self.pace.in_progress_s * line / max(self.total, 1)

    def lines_due(self, now_s: float) -> int:
        """How many of its lines are to be done by then."""
        # A float has no more digits than microseconds for the seconds since 1970.
        worked_s = now_s - self.reached[Status.IN_PROGRESS] + _FORGIVEN_S
        if worked_s >= self.pace.in_progress_s:
            return self.total
        return int(self.total * worked_s / self.pace.in_progress_s)
