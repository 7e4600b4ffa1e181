"""FAULTS.md, Transport: 1-15. Below each number, what the whole lane makes of it.

The faults themselves, as values and on both event loops: `integration/test_transport.py`.
"""

import asyncio
from contextlib import AsyncExitStack

import pytest
from lane_bench import bench, items, let_pass, quiet

from processor.direct.rules import LaneRules
from processor.sandbox import SandboxConfig, running


@pytest.mark.parametrize(
    ("number", "url", "code"),
    [
        (1, "http://nonexistent.invalid/v1", "dns"),
        (3, "http://127.0.0.1:1/v1", "unreachable"),
    ],
)
def test_never_reached(number: int, url: str, code: str) -> None:
    """Bounded, no busy loop, nothing marked failed."""

    async def main() -> None:
        async with bench(items(60), url=url) as it:
            work = asyncio.ensure_future(it.lane.run())
            while not work.done():  # name servers answer from a thread, in their own time
                await quiet()
                await asyncio.wait([work], timeout=0.01)
                await let_pass(it.clock, work, until_s=it.clock.monotonic() + 5)
                if not it.clock._sleepers:
                    break
                it.clock.advance(0 if work.done() else 0.5)
            assert it.lane.stopped is not None, number
            assert it.lane.stopped.code == code
            assert it.outcomes == {}
            assert len(it.attempts) <= 15
            assert it.events() == ["outage"]

    asyncio.run(main())


def test_02_the_server_goes_away_in_the_middle_and_comes_back() -> None:
    """Paused, probed, resumed: nothing lost, nothing failed, no busy loop."""

    async def main() -> None:
        config = SandboxConfig(latency_ms=100)
        async with AsyncExitStack() as stack:
            first = await stack.enter_async_context(AsyncExitStack())
            url = await first.enter_async_context(running(config))
            it = await stack.enter_async_context(
                bench(items(300), url=url, rules=LaneRules(concurrency=10))
            )
            work = asyncio.ensure_future(it.lane.run())
            while len(it.outcomes) < 50:
                await asyncio.wait([work], timeout=0.01)
            await first.aclose()
            await let_pass(it.clock, work, until_s=it.clock.monotonic() + 120)
            done, tried = len(it.outcomes), len(it.attempts)
            assert 50 <= done < 300
            assert it.events() == ["outage"]
            assert tried < 60
            port = int(url.split(":")[2].partition("/")[0])
            await stack.enter_async_context(running(config, port=port))
            while not work.done():
                await let_pass(it.clock, work, until_s=it.clock.monotonic() + 1)
                await asyncio.wait([work], timeout=0.01)
                it.clock.advance(0.1)
            await work
            assert it.lane.stopped is None
            assert len(it.outcomes) == 300
            assert set(it.codes.values()) == {""}
            assert it.events() == ["outage", "outage_over"]

    asyncio.run(main())


@pytest.mark.parametrize(
    ("number", "fault", "code"),
    [
        (4, "reset", "connection"),
        (5, "reset_in_body", "connection"),
        (5, "lost_answer", "connection"),
        (6, "silence", "timeout"),
        (6, "hang", "timeout"),
        (7, "drip:seconds=0.4", "timeout"),
    ],
)
def test_one_result_all_the_same(number: int, fault: str, code: str) -> None:
    async def main() -> None:
        spec = fault + ("," if ":" in fault else ":") + "rate=0.3,times=1"
        rules = LaneRules(concurrency=5, timeout_s=30)
        async with bench(items(40), faults=[spec], rules=rules) as it:
            await it.run()
            assert set(it.codes.values()) == {""}, number
            assert len(it.outcomes) == 40
            assert {attempt.code for attempt in it.attempts} == {code}
            attempts = sum(outcome.attempts for outcome in it.outcomes.values())
            assert attempts == (await it.api.stats())["received"] == 40 + len(it.attempts)

    asyncio.run(main())


def test_12_more_calls_than_any_pool() -> None:
    async def main() -> None:
        rules = LaneRules(concurrency=300, timeout_s=10)
        async with bench(items(900), rules=rules, latency_ms=3_000, latency_sigma=0) as it:
            await it.run()
            assert set(it.codes.values()) == {""}
            assert it.attempts == []
            assert (await it.api.stats())["max_concurrent"] == 300

    asyncio.run(main())


@pytest.mark.parametrize("fault", ["close", "announced_close"])
def test_14_connections_that_the_peer_closes(fault: str) -> None:
    async def main() -> None:
        async with bench(items(60), faults=[f"{fault}:rate=0.5"]) as it:
            await it.run()
            assert len(it.outcomes) == 60
            assert set(it.codes.values()) == {""}

    asyncio.run(main())


def test_15_a_redirect_loop_ends_the_job_with_two_calls() -> None:
    async def main() -> None:
        async with bench(items(60), faults=["redirect"]) as it:
            await it.run()
            assert it.lane.stopped is not None
            assert it.lane.stopped.code == "redirect"
            assert (await it.api.stats())["received"] == 2

    asyncio.run(main())
