"""Whether an item is sent again, and when. A retry is a value; waiting is the lane's."""

import random
from dataclasses import dataclass

from tenacity import RetryCallState, Retrying, stop_after_attempt, wait_exponential

from processor.verdict import PATIENCE, Kind, Verdict

BLOCKED_CODE = "blocked"  # of a stop for a wait that is too long


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How often and how patiently.

    Attributes:
        attempts_max: Requests for one item in all, when the calls themselves fail.
        patient_attempts_max: The same, when the provider only asks for patience (a rate limit):
            high, because being told to wait is no fault of the item, yet not endless.
        base_s: The longest wait after the first attempt; doubles with each.
        cap_s: The longest wait that we choose ourselves.
        retry_after_max_s: A provider that asks for more than this blocks the job.
    """

    attempts_max: int = 5
    patient_attempts_max: int = 100
    base_s: float = 1.0
    cap_s: float = 60.0
    retry_after_max_s: float = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryDecision:
    """The item is sent again.

    Attributes:
        wait_s: How long it waits first.
        reason: The code of what went wrong.
        blocked: The provider asked for longer than a run should sleep: the job stops, and the
            item stays pending.
        last: After this attempt there is none for the same reason.
    """

    wait_s: float
    reason: str
    blocked: bool = False
    last: bool = False


def decide(
    policy: RetryPolicy, verdict: Verdict, attempt: int, rng: random.Random
) -> RetryDecision | None:
    """What happens to an item after an attempt; None when it is not sent again.

    Args:
        policy: The bounds.
        verdict: On the attempt's answer.
        attempt: Number of the attempt that was just judged, from 1.
        rng: Where the jitter comes from.
    """
    if verdict.kind is not Kind.RETRY:
        return None
    asked_s = verdict.retry_after_s
    if asked_s is not None and asked_s > policy.retry_after_max_s:
        return RetryDecision(wait_s=asked_s, reason=verdict.code, blocked=True)
    most = _attempts_max(policy, verdict)
    if stop_after_attempt(most)(_state(attempt)):
        return None
    wait_s = backoff_s(policy, asked_s, attempt, rng)
    return RetryDecision(wait_s=wait_s, reason=verdict.code, last=attempt + 1 == most)


def backoff_s(
    policy: RetryPolicy, asked_s: float | None, attempt: int, rng: random.Random
) -> float:
    """How long an item waits after its so-many-th attempt.

    At least what was asked, or half the backoff; then a random part of the other half. The jitter
    widens with each attempt even where the provider names the time, so that items refused together
    do not come back together.
    """
    half_s = wait_exponential(multiplier=policy.base_s, max=policy.cap_s)(_state(attempt)) / 2
    floor_s = half_s if asked_s is None else asked_s
    return floor_s + rng.uniform(0, half_s)


def _attempts_max(policy: RetryPolicy, verdict: Verdict) -> int:
    if verdict.max_attempts is not None and (verdict.code in PATIENCE or verdict.barred):
        return verdict.max_attempts
    if verdict.code in PATIENCE:
        return policy.patient_attempts_max
    return min(verdict.max_attempts or policy.attempts_max, policy.attempts_max)


def _state(attempt: int) -> RetryCallState:
    """What tenacity's strategies look at, without its loop."""
    state = RetryCallState(Retrying(), None, (), {})
    state.attempt_number = attempt
    return state
