"""What the lane holds at once: calls, items, and nothing across a barrier."""

import asyncio

import pytest
from lane_bench import CHOOSE, bench, items, let_pass, quiet

from processor.direct.rules import LaneRules
from processor.items import Attempt, Outcome


@pytest.mark.parametrize("concurrency", [1, 7, 20])
def test_never_more_calls_in_flight_than_allowed_and_no_fewer(concurrency: int) -> None:
    async def main() -> None:
        rules = LaneRules(concurrency=concurrency)
        async with bench(items(200), rules=rules, latency_ms=50) as it:
            await it.run()
            assert len(it.outcomes) == 200
            assert (await it.api.stats())["max_concurrent"] == concurrency

    asyncio.run(main())


def test_what_is_pulled_and_not_written_is_bounded() -> None:
    async def main() -> None:
        async with bench(items(3_000), rules=LaneRules(concurrency=20)) as it:
            it.keep_unwritten = True
            work = asyncio.ensure_future(it.lane.run())
            await let_pass(it.clock, work, until_s=10)
            assert it.pulled == len(it.recorded) == 1_000
            it.keep_unwritten = False
            it.write()
            await let_pass(it.clock, work)
            assert len(it.outcomes) == 3_000

    asyncio.run(main())


def test_what_waits_for_a_retry_is_bounded() -> None:
    async def main() -> None:
        limits = "x-ratelimit-limit-requests=9,x-ratelimit-remaining-requests=5"
        faults = [f"rate_limit:retry-after=500,{limits},x-ratelimit-reset-requests=1s"]
        async with bench(items(1_500), rules=LaneRules(concurrency=40), faults=faults) as it:
            work = asyncio.ensure_future(it.lane.run())
            await let_pass(it.clock, work, until_s=400)
            assert it.pulled <= 1_000
            it.lane.abort()
            await work

    asyncio.run(main())


def test_a_straggler_does_not_hold_up_the_next_chunk() -> None:
    async def main() -> None:
        faults = ["hang:match=word1.,seconds=100"]
        rules = LaneRules(concurrency=4, timeout_s=50)
        async with bench(items(40), rules=rules, faults=faults) as it:
            work = asyncio.ensure_future(it.lane.run())
            await let_pass(it.clock, work, until_s=40)
            assert set(it.outcomes) == set(range(2, 41))
            await it.fault()
            await let_pass(it.clock, work)
            assert len(it.outcomes) == 40
            assert it.outcomes[1].attempts == 2

    asyncio.run(main())


def test_a_wait_between_chunks_is_a_barrier_and_a_pause() -> None:
    """Also when the end of a chunk is retried, asked again, or slow."""

    async def main() -> None:
        rules = LaneRules(concurrency=6, wait_s=30)
        faults = [
            "server_error:match=word10.,times=2",
            "content:match=word20.,content=7,times=1",
            "content:match=word7.,content=7,times=1",
        ]
        async with bench(items(30), rules=rules, faults=faults, text=CHOOSE, latency_ms=1000) as it:
            at_s: dict[int, list[float]] = {1: [], 2: [], 3: []}

            def note(record: Outcome | Attempt) -> None:
                at_s[record.item.chunk].append(it.clock.monotonic())

            it.on_record = note
            await it.run()
            assert len(it.outcomes) == 30
            assert {outcome.failure for outcome in it.outcomes.values()} == {None}
            assert [len(at_s[chunk]) for chunk in at_s] == [13, 11, 10]
            assert min(at_s[2]) >= max(at_s[1]) + 30
            assert min(at_s[3]) >= max(at_s[2]) + 30

    asyncio.run(main())


def test_without_a_wait_chunks_run_into_one_another() -> None:
    async def main() -> None:
        async with bench(items(40), rules=LaneRules(concurrency=40), latency_ms=100) as it:
            await it.run()
            assert (await it.api.stats())["max_concurrent"] > 30

    asyncio.run(main())


def test_a_retry_holds_no_slot() -> None:
    async def main() -> None:
        rules = LaneRules(concurrency=1)
        async with bench(
            items(20), rules=rules, faults=["server_error:match=word1.,times=1"]
        ) as it:
            await it.run()
            order = [outcome.item.seq for outcome in it.outcomes.values()]
            assert order.index(1) == 19
            assert it.outcomes[1].attempts == 2

    asyncio.run(main())


def test_draining_finishes_what_is_in_flight_and_starts_nothing() -> None:
    async def main() -> None:
        async with bench(items(50), rules=LaneRules(concurrency=5), latency_ms=1000) as it:
            work = asyncio.ensure_future(it.lane.run())
            await let_pass(it.clock, work, until_s=3)
            in_flight, done = it.lane.in_flight, len(it.outcomes)
            assert in_flight
            it.lane.drain()
            await let_pass(it.clock, work)
            assert len(it.outcomes) == done + in_flight == (await it.api.stats())["received"]

    asyncio.run(main())


def test_aborting_ends_at_once_and_records_nothing_of_what_was_in_flight() -> None:
    async def main() -> None:
        async with bench(items(50), rules=LaneRules(concurrency=5), faults=["hang:after=2"]) as it:
            work = asyncio.ensure_future(it.lane.run())
            await let_pass(it.clock, work, until_s=3)
            await quiet()
            assert it.lane.in_flight == 5
            it.lane.abort()
            await work
            assert len(it.recorded) == 2
            assert it.clock.monotonic() <= 3

    asyncio.run(main())


def test_draining_while_nothing_can_be_sent_ends_at_once() -> None:
    async def main() -> None:
        faults = ["rate_limit:retry-after=300"]
        async with bench(items(5), faults=faults) as it:
            work = asyncio.ensure_future(it.lane.run())
            await let_pass(it.clock, work, until_s=100)
            it.lane.drain()
            await work
            assert it.clock.monotonic() <= 100

    asyncio.run(main())
