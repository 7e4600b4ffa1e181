"""Rate limits, and what the headers and refusals say of them."""

from dataclasses import dataclass
from typing import Any, Protocol

from processor.sandbox.config import SandboxConfig
from processor.sandbox.durations import go_duration, whole_ms
from processor.sandbox.errors import ApiError
from processor.sandbox.timeline import Timeline

MINUTE_S = 60.0
HOUR_S = 3_600.0
DAY_S = 86_400.0
ORGANIZATION = "org-sandbox"


class Meter(Protocol):
    """Counts what is used of one limit. Times are seconds of one monotonic clock."""

    @property
    def limit(self) -> float:
        """What may be used in one period."""

    def remaining(self, now_s: float) -> float:
        """What may still be used at this moment."""

    def reset_s(self, now_s: float) -> float:
        """Seconds until nothing counts as used, if nothing more is."""

    def wait_s(self, amount: float, now_s: float) -> float:
        """Seconds until that amount may be used; 0 for now."""

    def take(self, amount: float, now_s: float) -> None:
        """Use it; more than there is empties the meter."""


class Bucket:
    """A token bucket: full at first, refilled all the time.

    Args:
        limit: What it holds, and what flows in during one period.
        period_s: The limit's period.
        other: Share of the inflow that another client takes.
        now_s: The present.
    """

    def __init__(self, limit: float, period_s: float, other: float, now_s: float) -> None:
        self.limit = limit
        self._per_s = limit / period_s
        self._other = other
        self._level = limit
        self._seen_s = now_s

    def remaining(self, now_s: float) -> float:
        """What is in it."""
        inflow = (now_s - self._seen_s) * self._per_s * (1 - self._other)
        return min(self.limit, self._level + inflow)

    def reset_s(self, now_s: float) -> float:
        """As the server hopes: it does not know what the other client will do."""
        return (self.limit - self.remaining(now_s)) / self._per_s

    def wait_s(self, amount: float, now_s: float) -> float:
        """As the server hopes."""
        # A client that waited exactly as long as it was told must get its turn: a millionth
        # forgives what floats lose on the way.
        lacking = amount - self.remaining(now_s) - 1e-6
        return lacking / self._per_s if lacking > 0 else 0.0

    def take(self, amount: float, now_s: float) -> None:
        """Lower the level, never below empty."""
        self._level = max(0.0, self.remaining(now_s) - amount)
        self._seen_s = now_s


class Window:
    """A fixed window: counts from zero when a new one begins.

    Args:
        limit: What one window allows.
        period_s: Its length; windows begin at multiples of it.
        other: Share of the limit that another client uses up steadily over each window; whoever
            comes first is served.
        now_s: The present.
    """

    def __init__(self, limit: float, period_s: float, other: float, now_s: float) -> None:
        self.limit = limit
        self._period_s = period_s
        self._other = other
        self._window = now_s // period_s
        self._used = 0.0

    def remaining(self, now_s: float) -> float:
        """What this window still allows."""
        used = self._used if now_s // self._period_s == self._window else 0.0
        elapsed = now_s % self._period_s / self._period_s
        return max(0.0, self.limit - used - self._other * self.limit * elapsed)

    def reset_s(self, now_s: float) -> float:
        """Until the next window begins."""
        return self._period_s - now_s % self._period_s

    def wait_s(self, amount: float, now_s: float) -> float:
        """Until the next window begins, unless this one allows it."""
        return 0.0 if amount <= self.remaining(now_s) + 1e-6 else self.reset_s(now_s)

    def take(self, amount: float, now_s: float) -> None:
        """Count it in the window of the moment."""
        window = now_s // self._period_s
        if window != self._window:
            self._window, self._used = window, 0.0
        self._used += min(amount, self.remaining(now_s))


@dataclass(frozen=True, slots=True, kw_only=True)
class Dimension:
    """One limit of one model.

    Attributes:
        unit: What is counted, as in the headers' names: `requests` or `tokens`.
        words: What it is called in a refusal.
        meter: Its count.
        shown: What headers and refusals tell instead; None when the meter itself is told.
    """

    unit: str
    words: str
    meter: Meter
    shown: Meter | None = None


class ModelLimits:
    """The limits of one model."""

    def __init__(self, model: str, dimensions: tuple[Dimension, ...]) -> None:
        self._model = model
        self._dimensions = dimensions
        self.timeline = Timeline()

    def admit(self, tokens: int, now_s: float) -> None:
        """Charge a request, or refuse it; a refused one costs a request all the same.

        Raises:
            ApiError: 429, with the time to wait in headers and words.
        """
        if not self.timeline.has(now_s):
            self.timeline.begin(now_s, self._left(now_s))
        refusal = self._refusal(tokens, now_s)
        self.charge(0 if refusal else tokens, now_s)
        if refusal:
            self.timeline.refuse()
            raise refusal
        self.timeline.admit(tokens)

    def charge(self, tokens: int, now_s: float) -> None:
        """Count a request."""
        for dimension in self._dimensions:
            dimension.meter.take(_amount(dimension, tokens), now_s)

    def headers(self, now_s: float) -> dict[str, str]:
        """The `x-ratelimit-*` headers; of two limits on requests, the one that is nearer."""
        told: dict[str, str] = {}
        for unit, meter in self._nearest(now_s).items():
            told[f"x-ratelimit-limit-{unit}"] = str(int(meter.limit))
            told[f"x-ratelimit-remaining-{unit}"] = str(int(meter.remaining(now_s) + 1e-6))
            told[f"x-ratelimit-reset-{unit}"] = go_duration(meter.reset_s(now_s))
        return told

    def _nearest(self, now_s: float) -> dict[str, Meter]:
        """The meter that is told, by unit."""
        nearest: dict[str, Meter] = {}
        for dimension in self._dimensions:
            meter, rival = dimension.meter, nearest.get(dimension.unit)
            if dimension.shown is None and (
                rival is None or meter.remaining(now_s) < rival.remaining(now_s)
            ):
                nearest[dimension.unit] = meter
        return nearest

    def _left(self, now_s: float) -> dict[str, float]:
        return {unit: meter.remaining(now_s) for unit, meter in self._nearest(now_s).items()}

    def _refusal(self, tokens: int, now_s: float) -> ApiError | None:
        for dimension in self._dimensions:
            amount = _amount(dimension, tokens)
            if dimension.unit == "tokens" and amount > dimension.meter.limit:
                return _too_large(self._model, dimension, amount)
            wait_s = dimension.meter.wait_s(amount, now_s)
            if wait_s > 0:
                return _refused(self._model, dimension, amount, wait_s, now_s)
        return None


class Limits:
    """The limits of every model; each model has its own."""

    def __init__(self, config: SandboxConfig) -> None:
        self._config = config
        self._models: dict[str, ModelLimits] = {}
        self._operations: dict[str, ModelLimits] = {}

    def of(self, model: str, now_s: float) -> ModelLimits:
        """The limits of a model, full at its first request."""
        limits = self._models.get(model)
        if limits is None:
            limits = self._models[model] = ModelLimits(model, _dimensions(self._config, now_s))
        return limits

    def of_uploads(self, now_s: float) -> ModelLimits:
        """The limit on files a minute, full at the first."""
        most = self._config.uploads_per_minute
        return self._of_operation("files", "uploads per min", most, MINUTE_S, now_s)

    def of_creations(self, now_s: float) -> ModelLimits:
        """The limit on batches an hour, full at the first."""
        most = self._config.creations_per_hour
        return self._of_operation("batches", "batch creations per hour", most, HOUR_S, now_s)

    def _of_operation(
        self, name: str, words: str, most: int, period_s: float, now_s: float
    ) -> ModelLimits:
        limits = self._operations.get(name)
        if limits is None:
            meter = Bucket(most, period_s, 0.0, now_s)
            dimension = Dimension(unit="requests", words=words, meter=meter)
            limits = self._operations[name] = ModelLimits(name, (dimension,))
        return limits

    def report(self) -> dict[str, Any]:
        """What every model's limits let through, second by second."""
        return {model: limits.timeline.report() for model, limits in self._models.items()}


def _dimensions(config: SandboxConfig, now_s: float) -> tuple[Dimension, ...]:
    meter = Window if config.limit_kind == "minute" else Bucket
    other = config.other_client
    found: list[Dimension] = []
    if config.rpm is not None:
        words = "requests per min (RPM)"
        minute = meter(config.rpm, MINUTE_S, other, now_s)
        found.append(Dimension(unit="requests", words=words, meter=minute))
        if config.limit_kind == "second":
            second = Window(-(-config.rpm // 60), 1.0, other, now_s)
            found.append(Dimension(unit="requests", words=words, meter=second, shown=minute))
    if config.rpd is not None:
        day = meter(config.rpd, DAY_S, other, now_s)
        found.append(Dimension(unit="requests", words="requests per day (RPD)", meter=day))
    if config.tpm is not None:
        tokens = meter(config.tpm, MINUTE_S, other, now_s)
        found.append(Dimension(unit="tokens", words="tokens per min (TPM)", meter=tokens))
    return tuple(found)


def _amount(dimension: Dimension, tokens: int) -> int:
    return tokens if dimension.unit == "tokens" else 1


def _refused(
    model: str, dimension: Dimension, amount: int, wait_s: float, now_s: float
) -> ApiError:
    told = dimension.shown or dimension.meter
    limit = int(told.limit)
    used = limit - int(told.remaining(now_s))
    wait_ms = whole_ms(wait_s)
    return ApiError(
        429,
        f"Rate limit reached for {model} in organization {ORGANIZATION} on {dimension.words}: "
        f"Limit {limit}, Used {used}, Requested {amount}. Please try again in "
        f"{go_duration(wait_s)}. Visit https://platform.openai.com/account/rate-limits to learn "
        "more.",
        type=dimension.unit,
        code="rate_limit_exceeded",
        headers={"retry-after": str(-(-wait_ms // 1000)), "retry-after-ms": str(wait_ms)},
    )


def _too_large(model: str, dimension: Dimension, amount: int) -> ApiError:
    return ApiError(
        429,
        f"Request too large for {model} in organization {ORGANIZATION} on {dimension.words}: "
        f"Limit {int(dimension.meter.limit)}, Requested {amount}. The input or output tokens "
        "must be reduced in order to run successfully. Visit "
        "https://platform.openai.com/account/rate-limits to learn more.",
        type=dimension.unit,
        code="rate_limit_exceeded",
    )
