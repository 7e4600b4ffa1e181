"""When the whole job stops: canaries, verdicts that concern every item, and patience that ends."""

import asyncio

import pytest
from lane_bench import bench, items, let_pass

from processor.direct.breaker import CANARIES, OUTAGE_AFTER, SAME_COMPLAINTS
from processor.direct.retry import RetryPolicy
from processor.direct.rules import LaneRules

FATAL = {
    "bad_key": "auth",
    "insufficient_quota": "quota_exhausted",
    "billing_hard_limit_reached": "quota_exhausted",
    "credit_balance_exhausted": "quota_exhausted",
    "organization_spend_limit_exceeded": "quota_exhausted",
    "project_spend_limit_exceeded": "quota_exhausted",
    "organization_usage_limit_exceeded": "quota_exhausted",
    "quota_of_unknown_code": "quota_exhausted",
    "model_not_found": "model_not_found",
    "region": "forbidden",
    "daily_limit": "daily_limit",
    "redirect": "redirect",
    "status:status=400,code=unsupported_parameter,param=temperature": "refused_parameter",
    "status:status=404,type=invalid_request_error": "not_found",
}


@pytest.mark.parametrize(("fault", "code"), FATAL.items())
def test_from_the_start_two_calls_are_made_and_no_item_fails(fault: str, code: str) -> None:
    async def main() -> None:
        async with bench(items(60), faults=[fault], rules=LaneRules(concurrency=20)) as it:
            await it.run()
            assert it.lane.stopped is not None
            assert it.lane.stopped.code == code
            assert it.outcomes == {}
            assert (await it.api.stats())["received"] == CANARIES

    asyncio.run(main())


@pytest.mark.parametrize(("fault", "code"), FATAL.items())
def test_later_no_more_calls_than_were_in_flight(fault: str, code: str) -> None:
    async def main() -> None:
        rules = LaneRules(concurrency=20)
        async with bench(items(300), rules=rules, latency_ms=100) as it:
            await it.fault(fault + (",after=100" if ":" in fault else ":after=100"))
            await it.run()
            assert it.lane.stopped is not None
            assert it.lane.stopped.code == code
            assert set(it.codes.values()) == {""}
            assert len(it.outcomes) == 100
            # Whether the job or some items are meant, a redirect does not say: ten of them do.
            told_by = OUTAGE_AFTER if code == "redirect" else 0
            assert (await it.api.stats())["received"] <= 120 + told_by

    asyncio.run(main())


def test_the_same_unknown_complaint_about_every_item_is_about_the_job() -> None:
    async def main() -> None:
        async with bench(items(200), faults=["bad_request"], rules=LaneRules(concurrency=8)) as it:
            await it.run()
            assert it.lane.stopped is not None
            assert it.lane.stopped.code == "bad_request"
            assert SAME_COMPLAINTS <= (await it.api.stats())["received"] < SAME_COMPLAINTS + 8

    asyncio.run(main())


def test_after_one_success_complaints_are_about_their_items() -> None:
    async def main() -> None:
        async with bench(items(60), faults=["bad_request:after=1"]) as it:
            await it.run()
            assert it.lane.stopped is None
            assert sorted(it.codes.values()) == ["", *["bad_request"] * 59]

    asyncio.run(main())


@pytest.mark.parametrize("concurrency", [2, 20])
def test_a_server_that_is_silent_from_the_start_fails_no_item(concurrency: int) -> None:
    """Other items are asked before the same ones again, so that it is soon known for an outage."""

    async def main() -> None:
        rules = LaneRules(concurrency=concurrency)
        async with bench(items(60), faults=["hang"], rules=rules) as it:
            await it.run()
            assert it.lane.stopped is not None
            assert it.lane.stopped.code == "timeout"
            assert it.outcomes == {}
            assert it.clock.monotonic() < 1_500

    asyncio.run(main())


@pytest.mark.parametrize("fault", ["rate_limit:retry-after=2", "rate_limit", "slow_down"])
def test_a_provider_that_only_asks_for_patience_is_given_up(fault: str) -> None:
    async def main() -> None:
        async with bench(items(60), faults=[fault], rules=LaneRules(give_up_s=60)) as it:
            await it.run()
            assert it.lane.stopped is not None
            assert it.lane.stopped.code in {"rate_limited", "slow_down"}
            assert it.outcomes == {}
            assert 60 <= it.clock.monotonic() < 300

    asyncio.run(main())


def test_a_canary_that_meets_a_fault_of_the_server_opens_no_gate() -> None:
    async def main() -> None:
        async with bench(items(60), faults=["server_error:until=2", "bad_key"]) as it:
            await it.run()
            assert it.lane.stopped is not None
            assert it.lane.stopped.code == "auth"
            assert (await it.api.stats())["received"] == 2 * CANARIES

    asyncio.run(main())


def test_a_wait_of_ten_days_is_not_slept() -> None:
    async def main() -> None:
        async with bench(items(60), faults=["rate_limit:retry-after=864000"]) as it:
            await it.run()
            assert it.lane.stopped is not None
            assert it.lane.stopped.code == "blocked"
            assert it.outcomes == {}
            assert it.clock.monotonic() < 1
            assert (await it.api.stats())["received"] <= CANARIES

    asyncio.run(main())


def test_an_outage_is_probed_further_and_further_apart_and_recovers_without_a_failure() -> None:
    async def main() -> None:
        rules = LaneRules(concurrency=20)
        async with bench(items(400), rules=rules, latency_ms=100) as it:
            await it.fault("server_error:after=100")
            work = asyncio.ensure_future(it.lane.run())
            await let_pass(it.clock, work, until_s=15)
            early = (await it.api.stats())["received"]
            await let_pass(it.clock, work, until_s=240)
            probes = (await it.api.stats())["received"] - early
            assert 5 <= probes <= 12
            assert it.events() == ["outage"]
            assert len(it.outcomes) == 100
            await it.fault()
            await let_pass(it.clock, work)
            assert it.events() == ["outage", "outage_over"]
            assert len(it.outcomes) == 400
            assert set(it.codes.values()) == {""}
            assert it.lane.stopped is None

    asyncio.run(main())


def test_probes_cost_no_item_its_retries() -> None:
    async def main() -> None:
        rules = LaneRules(concurrency=20, retry=RetryPolicy(attempts_max=2))
        async with bench(items(11), rules=rules, faults=["server_error"]) as it:
            work = asyncio.ensure_future(it.lane.run())
            await let_pass(it.clock, work, until_s=280)
            assert it.events() == ["outage"]
            assert it.outcomes == {}
            await it.fault()
            await let_pass(it.clock, work)
            assert set(it.codes.values()) == {""}
            assert max(outcome.attempts for outcome in it.outcomes.values()) > 2

    asyncio.run(main())


def test_probes_go_one_at_a_time() -> None:
    async def main() -> None:
        rules = LaneRules(concurrency=20, timeout_s=10)
        async with bench(items(100), rules=rules) as it:
            await it.fault("server_error:until=40", "hang")
            work = asyncio.ensure_future(it.lane.run())
            await let_pass(it.clock, work, until_s=30)
            assert "outage" in it.events()
            await it.api.admin("/stats/reset", {})
            for until_s in range(31, 120):
                await let_pass(it.clock, work, until_s=until_s)
                assert it.lane.in_flight <= 1
            it.lane.abort()
            await work

    asyncio.run(main())


@pytest.mark.parametrize("fault", ["server_error", "reset", "hang", "html", "overloaded"])
def test_an_outage_longer_than_patience_stops_the_job_with_every_item_pending(fault: str) -> None:
    async def main() -> None:
        rules = LaneRules(concurrency=20, timeout_s=5, give_up_s=300)
        async with bench(items(100), rules=rules, latency_ms=10) as it:
            await it.fault(f"{fault}:after=30")
            await it.run()
            assert it.lane.stopped is not None
            assert it.lane.stopped.code in {"server_error", "connection", "timeout", "malformed"}
            assert len(it.outcomes) == 30
            assert set(it.codes.values()) == {""}
            assert 300 <= it.clock.monotonic() < 420
            assert (await it.api.stats())["received"] < 130

    asyncio.run(main())


def test_a_few_items_that_always_fail_are_no_outage() -> None:
    async def main() -> None:
        faults = [f"server_error:match=word{seq}." for seq in range(31, 36)]
        async with bench(items(35), faults=faults) as it:
            await it.run()
            assert it.lane.stopped is None
            assert it.events() == []
            failed = {seq for seq, code in it.codes.items() if code == "server_error"}
            assert failed == set(range(31, 36))
            assert {it.outcomes[seq].attempts for seq in failed} == {5}

    asyncio.run(main())


def test_a_server_that_was_never_reached_is_given_up_soon_and_not_in_a_busy_loop() -> None:
    async def main() -> None:
        async with bench(items(60), url="http://127.0.0.1:1/v1") as it:
            await it.run()
            assert it.lane.stopped is not None
            assert it.lane.stopped.code == "unreachable"
            assert it.outcomes == {}
            assert 20 < it.clock.monotonic() < 90
            assert len(it.attempts) <= 10

    asyncio.run(main())
