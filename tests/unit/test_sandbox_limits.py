"""Rate limits: never more than is allowed, and what is told can be relied on."""

import pytest
from hypothesis import given, strategies as st

from processor.sandbox.config import LimitKind, SandboxConfig
from processor.sandbox.errors import ApiError
from processor.sandbox.limits import Bucket, Limits, Meter, Window

Pauses = st.lists(st.floats(0, 5), max_size=200)


def admitted(meter: Meter, pauses: list[float], start_s: float = 0.0) -> list[float]:
    """When requests got through that came after such pauses."""
    now_s, times = start_s, []
    for pause_s in pauses:
        now_s += pause_s
        if meter.wait_s(1, now_s) == 0:
            meter.take(1, now_s)
            times.append(now_s)
    return times


@given(Pauses)
def test_a_bucket_admits_its_size_and_its_inflow_and_no_more(pauses: list[float]) -> None:
    times = admitted(Bucket(10, 20, 0, 0.0), pauses)
    for index, first_s in enumerate(times):
        for last, last_s in enumerate(times[index:], start=1):
            assert last <= 10 + (last_s - first_s) * 0.5 + 1e-3


@given(Pauses, st.floats(0, 1e6))
def test_a_window_admits_its_limit_and_no_more(pauses: list[float], start_s: float) -> None:
    times = admitted(Window(7, 10, 0, start_s), pauses, start_s)
    windows = [now_s // 10 for now_s in times]
    assert all(windows.count(window) <= 7 for window in set(windows))


@given(
    st.sampled_from([Bucket, Window]),
    st.integers(1, 40),
    st.floats(0, 100),
    st.integers(1, 40),
)
def test_who_waits_as_told_gets_a_turn(
    kind: type[Bucket] | type[Window], taken: int, pause_s: float, wanted: int
) -> None:
    meter = kind(40, 60, 0, 0.0)
    meter.take(taken, pause_s)
    now_s = pause_s + meter.wait_s(wanted, pause_s)
    assert meter.wait_s(wanted, now_s + 1e-6) == 0


@pytest.mark.parametrize("kind", [Bucket, Window])
def test_beside_another_client_the_rest_is_free(kind: type[Bucket] | type[Window]) -> None:
    meter = kind(600, 60, 1 / 3, 0.0)
    assert len(admitted(meter, [0.1501] * 4000)) == 4000


def test_another_client_takes_its_share_of_a_bucket() -> None:
    assert len(admitted(Bucket(600, 60, 1 / 3, 0.0), [0.05] * 12_000)) == pytest.approx(
        600 + 600 * 10 * 2 / 3, abs=2
    )


def test_a_window_is_for_whoever_comes_first() -> None:
    """At 20 a second beside 3.3 a second it is used up after 25.7 s, 514 of it by the faster."""
    assert len(admitted(Window(600, 60, 1 / 3, 0.0), [0.05] * 1199)) == pytest.approx(514, abs=2)


def refused(config: SandboxConfig, tokens: int, at_s: list[float]) -> tuple[list[bool], ApiError]:
    """Who of some requests was refused, and the last refusal."""
    limits = Limits(config).of("gpt-6-luna", 0.0)
    who, last = [], None
    for now_s in at_s:
        try:
            limits.admit(tokens, now_s)
            who.append(False)
        except ApiError as error:
            who.append(True)
            last = error
    assert last is not None
    return who, last


def test_a_refusal_says_what_openai_says() -> None:
    who, error = refused(SandboxConfig(rpm=600), 1, [0.0] * 601)
    assert who.count(True) == 1
    assert error.status == 429
    assert error.headers == {"retry-after": "1", "retry-after-ms": "100"}
    assert (
        b"Rate limit reached for gpt-6-luna in organization org-sandbox on requests per min "
        b"(RPM): Limit 600, Used 600, Requested 1. Please try again in 100ms."
    ) in error.body
    assert b'"type":"requests","param":null,"code":"rate_limit_exceeded"' in error.body


def test_a_refused_request_costs_a_request() -> None:
    """Whoever hammers an empty bucket never gets through; whoever waits does."""
    config = SandboxConfig(rpm=60)
    hammering, _ = refused(config, 1, [0.0] * 60 + [number * 0.5 for number in range(1, 20)])
    assert hammering == [False] * 60 + [True] * 19
    patient, _ = refused(config, 1, [0.0] * 61 + [number * 1.0 for number in range(1, 20)])
    assert patient == [False] * 60 + [True] + [False] * 19


def test_tokens_are_limited_beside_requests() -> None:
    who, error = refused(SandboxConfig(rpm=1000, tpm=600), 200, [0, 0, 0, 0, 10, 20])
    assert who == [False, False, False, True, True, False]
    assert b"on tokens per min (TPM): Limit 600, Used 500, Requested 200" in error.body
    assert error.headers["retry-after-ms"] == "10000"


def test_a_request_that_never_fits_is_told_so() -> None:
    _, error = refused(SandboxConfig(tpm=600), 601, [0.0])
    assert b"Request too large for gpt-6-luna" in error.body
    assert "retry-after" not in error.headers


def test_a_day_has_its_limit_and_the_headers_tell_the_nearer_one() -> None:
    limits = Limits(SandboxConfig(rpm=600, rpd=200)).of("gpt-4o-mini", 0.0)
    for _ in range(200):
        limits.admit(1, 0.0)
    assert limits.headers(0.0) == {
        "x-ratelimit-limit-requests": "200",
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-reset-requests": "24h0m0s",
    }
    with pytest.raises(ApiError, match=r"per day \(RPD\): Limit 200, .* try again in 7m12s"):
        limits.admit(1, 0.0)


def test_a_second_takes_a_sixtieth_while_the_headers_tell_the_minute() -> None:
    limits = Limits(SandboxConfig(rpm=600, limit_kind="second")).of("gpt-4o-mini", 0.0)
    for _ in range(10):
        limits.admit(1, 5.25)
    assert limits.headers(5.25)["x-ratelimit-remaining-requests"] == "590"
    with pytest.raises(ApiError, match=r"Limit 600, Used 10, Requested 1.* in 750ms"):
        limits.admit(1, 5.25)
    limits.admit(1, 6.0)


@pytest.mark.parametrize(
    ("kind", "remaining", "reset"), [("bucket", "59", "1s"), ("minute", "59", "48s")]
)
def test_headers_tell_limit_rest_and_reset(kind: LimitKind, remaining: str, reset: str) -> None:
    limits = Limits(SandboxConfig(rpm=60, tpm=1000, limit_kind=kind)).of("gpt-4o-mini", 12.0)
    limits.admit(0, 12.0)
    told = limits.headers(12.0)
    assert told["x-ratelimit-limit-requests"] == "60"
    assert told["x-ratelimit-remaining-requests"] == remaining
    assert told["x-ratelimit-reset-requests"] == reset
    assert told["x-ratelimit-remaining-tokens"] == told["x-ratelimit-limit-tokens"] == "1000"


def test_each_model_has_its_own_limits() -> None:
    limits = Limits(SandboxConfig(rpm=1))
    limits.of("gpt-4o", 0.0).admit(1, 0.0)
    limits.of("gpt-4o-mini", 0.0).admit(1, 0.0)
    with pytest.raises(ApiError):
        limits.of("gpt-4o", 0.0).admit(1, 0.0)


def test_without_limits_nothing_is_told() -> None:
    limits = Limits(SandboxConfig()).of("gpt-4o", 0.0)
    limits.admit(10**9, 0.0)
    assert limits.headers(0.0) == {}


def test_the_timeline_tells_what_was_let_through_in_each_second() -> None:
    limits = Limits(SandboxConfig(rpm=60, tpm=6_000))
    model = limits.of("gpt-4o", 10.0)
    model.admit(30, 10.0)
    model.admit(40, 10.5)
    with pytest.raises(ApiError, match="too large"):
        model.admit(6_500, 12.0)
    model.admit(10, 12.25)
    assert limits.report()["gpt-4o"] == [
        {
            "second": 10,
            "left": {"requests": 60, "tokens": 6_000},
            "admitted": 2,
            "tokens": 70,
            "refused": 0,
        },
        {
            "second": 12,
            "left": {"requests": 60, "tokens": 6_000},
            "admitted": 1,
            "tokens": 10,
            "refused": 1,
        },
    ]
    model.admit(10, 13.0)
    assert limits.report()["gpt-4o"][2]["left"]["requests"] == 59
