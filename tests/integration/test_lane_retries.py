"""Calls that are made again: how often, when, and who else has to wait."""

import asyncio
from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from lane_bench import bench, items, let_pass

from processor.direct.retry import RetryPolicy
from processor.direct.rules import LaneRules
from processor.sandbox import ManualClock

LIMITS = (
    "x-ratelimit-limit-requests=6000,x-ratelimit-remaining-requests={left},"
    "x-ratelimit-reset-requests=2s"
)


def test_two_faults_and_an_answer_make_one_result() -> None:
    async def main() -> None:
        async with bench(items(20), faults=["server_error:times=2,rate=0.3"]) as it:
            await it.run()
            assert set(it.codes.values()) == {""}
            attempts = {outcome.attempts for outcome in it.outcomes.values()}
            assert attempts == {1, 3}
            thirds = [o.item.seq for o in it.outcomes.values() if o.attempts == 3]
            tried = [(a.item.seq, a.number, a.code, a.status) for a in it.attempts]
            assert sorted(tried) == [
                (seq, number, "server_error", 500) for seq in sorted(thirds) for number in (1, 2)
            ]

    asyncio.run(main())


@pytest.mark.parametrize(
    ("fault", "code", "attempts", "retryable"),
    [
        ("server_error", "server_error", 4, True),
        ("bad_gateway", "server_error", 4, True),
        ("unknown_error", "server_error", 4, True),
        ("conflict", "server_error", 4, True),
        ("request_timeout", "server_error", 4, True),
        ("reset", "connection", 4, True),
        ("reset_in_body", "connection", 4, True),
        ("empty", "malformed", 4, True),
        ("null", "malformed", 4, True),
        ("no_choices", "malformed", 4, True),
        ("unprocessable", "unprocessable", 2, False),
        ("too_large", "too_large", 1, False),
        ("context_length", "context_length", 1, False),
        ("policy", "policy", 1, False),
        ("bad_request", "bad_request", 1, False),
        ("bad_request:x-should-retry=true", "bad_request", 3, False),
        ("server_error:x-should-retry=false", "server_error", 1, True),
        ("length", "truncated", 1, False),
        ("content_filter", "filtered", 1, False),
        ("refusal", "refused", 1, False),
    ],
)
def test_an_item_is_given_up_after_so_many_calls_and_the_others_are_not_touched(
    fault: str, code: str, attempts: int, *, retryable: bool
) -> None:
    async def main() -> None:
        rules = LaneRules(retry=RetryPolicy(attempts_max=4))
        spec = fault + ("," if ":" in fault else ":") + "match=word7."
        async with bench(items(12), rules=rules, faults=[spec]) as it:
            await it.run()
            failure = it.outcomes[7].failure
            assert failure is not None
            assert (failure.code, failure.retryable) == (code, retryable)
            assert failure.message
            assert it.outcomes[7].attempts == attempts
            witnesses = [attempt for attempt in it.attempts if attempt.code == "witness"]
            assert len(witnesses) <= 1
            assert (await it.api.stats())["received"] == 11 + attempts + len(witnesses)
            assert [seq for seq, code in it.codes.items() if code] == [7]

    asyncio.run(main())


def test_an_exhausted_limit_holds_everything_for_as_long_as_the_provider_says() -> None:
    async def main() -> None:
        fault = "rate_limit:until=2,retry-after=2," + LIMITS.format(left=0)
        async with bench(items(30), faults=[fault]) as it:
            work = asyncio.ensure_future(it.lane.run())
            await let_pass(it.clock, work, until_s=1.999)
            assert (await it.api.stats())["received"] == 2
            await let_pass(it.clock, work)
            assert set(it.codes.values()) == {""}
            assert it.events() == ["rate_limit"]

    asyncio.run(main())


def test_a_refusal_without_any_limit_header_holds_everything() -> None:
    async def main() -> None:
        async with bench(items(30), faults=["rate_limit:until=2,retry-after=2"]) as it:
            work = asyncio.ensure_future(it.lane.run())
            await let_pass(it.clock, work, until_s=1.999)
            assert (await it.api.stats())["received"] == 2
            await let_pass(it.clock, work)
            assert set(it.codes.values()) == {""}

    asyncio.run(main())


def test_a_refusal_while_something_is_left_makes_only_its_item_wait() -> None:
    async def main() -> None:
        fault = "rate_limit:match=word5.,times=1,retry-after=20," + LIMITS.format(left=3000)
        async with bench(items(30), faults=[fault]) as it:
            work = asyncio.ensure_future(it.lane.run())
            await let_pass(it.clock, work, until_s=19.9)
            assert set(it.outcomes) == set(range(1, 31)) - {5}
            await let_pass(it.clock, work)
            assert it.outcomes[5].attempts == 2
            assert 20 <= it.clock.monotonic() < 22

    asyncio.run(main())


def _in_seconds(seconds: float) -> str:
    return format_datetime(datetime.fromtimestamp(ManualClock().time() + seconds, UTC), usegmt=True)


@pytest.mark.parametrize(
    ("header", "at_least_s", "at_most_s"),
    [
        ("retry-after=0", 0.4, 2),
        ("retry-after=-5", 0.4, 2),
        ("retry-after=NaN", 0.4, 2),
        ("retry-after=inf", 0.4, 2),
        ("retry-after=soon", 0.4, 2),
        ("retry-after=", 0.4, 2),
        ("retry-after-ms=50", 0.05, 1),
        ("retry-after=7", 7, 9),
        ("retry-after=1.5", 1.5, 3),
        (f"retry-after={_in_seconds(9)}", 8, 11),
        (f"retry-after={_in_seconds(-3600)}", 0.4, 2),
    ],
)
def test_what_retry_after_asks_for(header: str, at_least_s: float, at_most_s: float) -> None:
    async def main() -> None:
        async with bench(items(1), faults=[f"rate_limit:times=1,{header}"]) as it:
            await it.run()
            assert it.outcomes[1].attempts == 2
            assert at_least_s <= it.clock.monotonic() <= at_most_s

    asyncio.run(main())


def test_known_limits_space_the_calls() -> None:
    async def main() -> None:
        async with bench(items(20), rules=LaneRules(rpm=60)) as it:
            await it.run()
            assert 18 <= it.clock.monotonic() <= 22

    asyncio.run(main())


def test_a_learnt_limit_is_kept() -> None:
    async def main() -> None:
        async with bench(items(1_500), rpm=600, latency_ms=200) as it:
            await it.run()
            stats = await it.api.stats()
            assert set(it.codes.values()) == {""}
            assert stats["by_status"].get("429", 0) <= 0.02 * stats["received"]
            assert 149 <= it.clock.monotonic() <= 155

    asyncio.run(main())


def test_slow_down_halves_the_rate() -> None:
    async def main() -> None:
        rules = LaneRules(concurrency=20)
        async with bench(items(2_000), rules=rules, latency_ms=100, latency_sigma=0) as it:
            await it.fault("slow_down:after=400,count=1")
            work = asyncio.ensure_future(it.lane.run())
            await let_pass(it.clock, work, until_s=2)
            before = len(it.outcomes) / 2
            await it.api.admin("/stats/reset", {})
            await let_pass(it.clock, work, until_s=4)
            assert (await it.api.stats())["received"] / 2 < 0.7 * before
            it.lane.abort()
            await work

    asyncio.run(main())


def test_being_told_to_wait_costs_an_item_none_of_its_retries() -> None:
    async def main() -> None:
        rules = LaneRules(retry=RetryPolicy(attempts_max=4))
        patience = "rate_limit:match=word5.,times=6,retry-after=1," + LIMITS.format(left=3000)
        fault = "server_error:match=word5.,times=8"
        async with bench(items(12), rules=rules, faults=[patience, fault]) as it:
            await it.run()
            assert it.outcomes[5].attempts == 9
            assert set(it.codes.values()) == {""}

    asyncio.run(main())
