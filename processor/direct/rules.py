"""How the direct lane behaves: what a user may set of it."""

from dataclasses import dataclass

from processor.answer import KeepBodies
from processor.direct.retry import RetryPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class TierRules:
    """At which service tier calls go.

    Attributes:
        name: Asked for by calls whose task and row name none; None for the standard one.
        patience_s: How long an item waits where its tier has no room.
        falls: It then goes at the standard tier; otherwise it fails.
    """

    name: str | None = None
    patience_s: float = 600.0
    falls: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneRules:
    """How the lane behaves.

    Attributes:
        concurrency: Ceiling of calls in flight; None lets the window find it.
        rpm: Requests a minute at most, whatever the provider says.
        tpm: Tokens a minute at most.
        wait_s: Pause between chunks, which makes each chunk a barrier; 0 for neither.
        timeout_s: A call's total deadline.
        give_up_s: How long an outage may last.
        tier: At which service tier calls go.
        retry: How often and how patiently a call is tried again.
        keep_bodies: Which answers go whole into the ledger.
        seed: Of the jitter.
    """

    concurrency: int | None = None
    rpm: int | None = None
    tpm: int | None = None
    wait_s: float = 0.0
    timeout_s: float = 120.0
    give_up_s: float = 300.0
    tier: TierRules = TierRules()
    retry: RetryPolicy = RetryPolicy()  # noqa: RUF009 - frozen
    keep_bodies: KeepBodies = "failed"
    seed: int = 0
