"""Every option of the sandbox."""

import math
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, get_args

from processor.sandbox.faults.fault import Fault
from processor.sandbox.models import MODELS

EnqueuedForm = Literal["failed", "400", "429"]
_COUNTS = (
    *("batch_lines", "batch_inputs", "batch_file_bytes", "max_body_bytes"),
    *("uploads_per_minute", "creations_per_hour"),
)
_DURATIONS = ("validating_s", "in_progress_s", "finalizing_s", "cancelling_s", "window_s")
LimitKind = Literal["bucket", "minute", "second"]


class ConfigError(ValueError):
    """An option cannot be; the message names it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxConfig:
    """Every option of the sandbox; the defaults refuse nothing and answer within tens of ms.

    Attributes:
        seed: Of everything that is drawn: answers, latencies, who gets a fault.
        api_key: The key to demand; None takes any, and none.
        organization: Of the key: a header that names another is refused; None takes any.
        project: The same.
        models: Known models; their dated snapshots are known too.
        context_tokens: Context length of every model; None for each model's own.
        max_body_bytes: Longer requests are refused with 413.
        latency_ms: Median time to an answer; 0 makes every answer instant.
        latency_sigma: Spread of the latency's logarithm (lognormal).
        flex_factor: How many times as long an answer takes at the flex tier.
        rpm: Requests a minute, each model; None for no limit.
        tpm: Tokens a minute, each model; None for no limit.
        rpd: Requests a day, each model; None for no limit.
        limit_kind: `bucket` refills all the time; `minute` counts fixed minutes (days for rpd);
            `second` is the bucket, of which one second may take no more than a sixtieth of the
            requests, whatever the headers tell.
        other_client: Share of every limit (0 to below 1) that another client uses up steadily.
        bad_answers: Share of the items whose first answer is wrong, and right when asked again.
        stubborn: Share of the items whose answer stays wrong.
        state: Folder in which files and batches are kept; None for none that outlives it.
        validating_s: Seconds that a new batch is validated, at least.
        in_progress_s: Seconds that it then takes for all of its lines, at least.
        finalizing_s: Seconds that it then takes until its files are there.
        cancelling_s: Seconds from its cancellation until its files are there.
        window_s: Seconds from its creation until it expires.
        batch_lines: The most that an input may have.
        batch_inputs: The most texts to embed that its lines may have together.
        batch_file_bytes: The most that an input may have.
        uploads_per_minute: More are refused.
        creations_per_hour: Of batches; more are refused.
        enqueued_tokens: The most that a model's live batches may have together; None for no limit.
        enqueued_form: How a batch too many is refused: it `failed` while it is validated, or the
            creation is answered with 400 or 429.
        strict_after: Whether a list that is to begin behind an unknown id is refused; it begins at
            the beginning otherwise.
        faults: What goes wrong from the start; more can be set while it runs.
    """

    seed: int = 0
    api_key: str | None = None
    organization: str | None = None
    project: str | None = None
    models: tuple[str, ...] = MODELS
    context_tokens: int | None = None
    max_body_bytes: int = 25 * 1024 * 1024
    latency_ms: float = 40.0
    latency_sigma: float = 0.4
    flex_factor: float = 1.0
    rpm: int | None = None
    tpm: int | None = None
    rpd: int | None = None
    limit_kind: LimitKind = "bucket"
    other_client: float = 0.0
    bad_answers: float = 0.0
    stubborn: float = 0.0
    state: Path | None = None
    validating_s: float = 0.3
    in_progress_s: float = 0.5
    finalizing_s: float = 0.2
    cancelling_s: float = 0.3
    window_s: float = 86_400.0
    batch_lines: int = 50_000
    batch_inputs: int = 50_000
    batch_file_bytes: int = 200_000_000
    uploads_per_minute: int = 1_000
    creations_per_hour: int = 2_000
    enqueued_tokens: int | None = None
    enqueued_form: EnqueuedForm = "failed"
    strict_after: bool = True
    faults: tuple[Fault, ...] = ()

    def __post_init__(self) -> None:
        """Check every option.

        Raises:
            ConfigError: Naming the first option that cannot be.
        """
        _demand(type(self.seed) is int, "seed", "a whole number")
        for name in ("api_key", "organization", "project"):
            value = getattr(self, name)
            _demand(value is None or _is_text(value), name, "a text")
        _demand(type(self.models) is tuple and all(map(_is_text, self.models)), "models", "texts")
        for name in ("rpm", "tpm", "rpd", "context_tokens", "enqueued_tokens"):
            value = getattr(self, name)
            _demand(value is None or (type(value) is int and value >= 1), name, "at least 1")
        for name in _COUNTS:
            value = getattr(self, name)
            _demand(type(value) is int and value >= 1, name, "at least 1")
        forms = get_args(EnqueuedForm)
        _demand(self.enqueued_form in forms, "enqueued_form", "failed, 400 or 429")
        _demand(type(self.strict_after) is bool, "strict_after", "true or false")
        for name in ("latency_ms", "latency_sigma", "flex_factor", *_DURATIONS):
            value = getattr(self, name)
            _demand(_is_number(value) and value >= 0, name, "0 or more")
        for name in ("bad_answers", "stubborn"):
            value = getattr(self, name)
            _demand(_is_number(value) and 0 <= value <= 1, name, "a share from 0 to 1")
        _demand(
            _is_number(self.other_client) and 0 <= self.other_client < 1,
            "other_client",
            "a share from 0 to below 1",
        )
        _demand(self.limit_kind in get_args(LimitKind), "limit_kind", "bucket, minute or second")


def option_names() -> frozenset[str]:
    """The options that may change while it runs; the faults have a route of their own."""
    fixed = {"faults", "max_body_bytes", "seed", "state"}
    return frozenset(option.name for option in fields(SandboxConfig)) - fixed


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value)


def _demand(holds: bool, name: str, expected: str) -> None:
    if not holds:
        raise ConfigError(f"{name} must be {expected}")
