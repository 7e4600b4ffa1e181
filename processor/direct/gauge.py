"""How the direct lane stands at a moment, and what somebody lets it do while it works."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Leeway:
    """What the lane may do; changed while it works.

    Attributes:
        paused: No call is started; those in flight finish.
        concurrency: Ceiling of calls in flight; None lets the window find it.
        rpm: Requests a minute at most; None for what the provider allows.
        tpm: Tokens a minute at most; None for what the provider allows.
    """

    paused: bool = False
    concurrency: int | None = None
    rpm: int | None = None
    tpm: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauge:
    """How the lane stands.

    Attributes:
        window: Calls that may be in flight.
        in_flight: Calls that are.
        waiting: Work that was begun and waits for its time.
        calls_per_s: What known limits allow; None where none is known.
        requests_per_min: The provider's limit; None where it is not known, or models differ.
        tokens_per_min: The same of tokens.
        held_s: For how long nothing is sent.
    """

    window: int
    in_flight: int
    waiting: int
    calls_per_s: float | None
    requests_per_min: float | None
    tokens_per_min: float | None
    held_s: float
