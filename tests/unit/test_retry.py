"""When an item is sent again: bounds and waits."""

import random

import pytest
from hypothesis import given, strategies as st

from processor.direct.retry import RetryPolicy, decide
from processor.verdict import Kind, Verdict

POLICY = RetryPolicy()


def retry(code: str = "server_error", **fields: object) -> Verdict:
    return Verdict(kind=Kind.RETRY, code=code, **fields)  # type: ignore[arg-type]  # test shorthand


def attempts(verdict: Verdict, policy: RetryPolicy = POLICY) -> int:
    """How many times an item is sent when every answer means the same."""
    attempt = 1
    while decide(policy, verdict, attempt, random.Random(0)):
        attempt += 1
    return attempt


@pytest.mark.parametrize(
    ("verdict", "sent"),
    [
        (retry(), 5),
        (retry("unprocessable", max_attempts=2), 2),  # 38
        (retry("bad_request", max_attempts=3), 3),  # 25
        (retry("server_error", max_attempts=1), 1),
        (retry("server_error", max_attempts=50), 5),
        (retry("rate_limited"), 100),
        (retry("rate_limited", max_attempts=10), 10),
        (Verdict(kind=Kind.ITEM, code="truncated"), 1),
        (Verdict(kind=Kind.FATAL, code="auth", retry_after_s=900), 1),
        (Verdict(kind=Kind.OK), 1),
    ],
)
def test_attempts_are_bounded(verdict: Verdict, sent: int) -> None:
    assert attempts(verdict) == sent


@pytest.mark.parametrize(
    ("verdict", "last"),
    [(retry(), 4), (retry("bad_request", max_attempts=3), 2), (retry("rate_limited"), 99)],
)
def test_the_decision_tells_that_the_next_attempt_is_the_last(verdict: Verdict, last: int) -> None:
    found = [decide(POLICY, verdict, attempt, random.Random(0)) for attempt in range(1, last + 1)]
    assert [decision.last for decision in found if decision] == [False] * (last - 1) + [True]


def test_one_attempt_means_no_retry() -> None:
    assert attempts(retry(), RetryPolicy(attempts_max=1)) == 1


@pytest.mark.parametrize(("attempt", "low_s", "high_s"), [(1, 0.5, 1), (2, 1, 2), (4, 4, 8)])
def test_the_wait_doubles_and_spreads(attempt: int, low_s: float, high_s: float) -> None:
    rng = random.Random(7)
    decisions = [decide(POLICY, retry(), attempt, rng) for _ in range(200)]
    waits = [decision.wait_s for decision in decisions if decision]
    assert len(waits) == 200
    assert min(waits) >= low_s
    assert max(waits) <= high_s
    assert max(waits) - min(waits) > 0.8 * (high_s - low_s)


@given(
    attempt=st.integers(1, 99),
    asked_s=st.floats(0.001, 600),
    seed=st.integers(),
    code=st.sampled_from(["rate_limited", "server_error"]),
)
def test_never_earlier_than_asked(attempt: int, asked_s: float, seed: int, code: str) -> None:
    verdict = retry(code, retry_after_s=asked_s)
    decision = decide(POLICY, verdict, attempt, random.Random(seed))
    if decision is None:
        assert (code, attempt >= 5) == ("server_error", True)
    else:
        assert asked_s <= decision.wait_s <= asked_s + POLICY.cap_s / 2
        assert not decision.blocked
        assert decision.reason == code


@given(attempt=st.integers(1, 99), seed=st.integers())
def test_the_wait_is_capped(attempt: int, seed: int) -> None:
    decision = decide(POLICY, retry("rate_limited"), attempt, random.Random(seed))
    assert decision is not None
    assert 0 < decision.wait_s <= POLICY.cap_s


@pytest.mark.parametrize("attempt", [1, 5, 100])
def test_ten_days_block_the_job(attempt: int) -> None:  # 20
    verdict = retry("rate_limited", retry_after_s=864_000)
    decision = decide(POLICY, verdict, attempt, random.Random(0))
    assert decision is not None
    assert decision.blocked
    assert decision.wait_s == 864_000


def test_the_same_seed_gives_the_same_wait() -> None:
    one, two = (decide(POLICY, retry(), 3, random.Random(11)) for _ in range(2))
    assert one == two
