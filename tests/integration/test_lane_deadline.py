"""A call's total deadline: however the server dawdles, the slot comes free in time."""

import asyncio

import pytest
from lane_bench import bench, items, let_pass

from processor.direct.rules import LaneRules


@pytest.mark.parametrize("fault", ["hang", "silence", "drip:seconds=0.4"])
def test_the_deadline_holds_for_the_whole_answer(fault: str) -> None:
    async def main() -> None:
        rules = LaneRules(concurrency=1, timeout_s=20)
        spec = fault + ("," if ":" in fault else ":") + "times=1,match=word1."
        async with bench(items(3), rules=rules, faults=[spec]) as it:
            work = asyncio.ensure_future(it.lane.run())
            await let_pass(it.clock, work, until_s=19.9)
            assert it.recorded == []
            await let_pass(it.clock, work, until_s=20.21)
            assert [attempt.code for attempt in it.attempts] == ["timeout"]
            assert 20_000 <= it.attempts[0].latency_ms <= 20_200
            assert {2, 3} <= set(it.outcomes)
            await let_pass(it.clock, work)
            assert it.outcomes[1].attempts == 2
            assert set(it.codes.values()) == {""}

    asyncio.run(main())


def test_an_item_that_always_times_out_fails_and_the_run_ends() -> None:
    async def main() -> None:
        rules = LaneRules(timeout_s=10)
        async with bench(items(5), rules=rules, faults=["hang:match=word2."]) as it:
            await it.run()
            assert it.codes == {1: "", 2: "timeout", 3: "", 4: "", 5: ""}
            assert it.outcomes[2].attempts == 5

    asyncio.run(main())


def test_a_slow_answer_within_the_deadline_counts() -> None:
    async def main() -> None:
        async with bench(items(1), rules=LaneRules(timeout_s=20), latency_ms=19_000) as it:
            await it.run()
            assert it.codes == {1: ""}
            assert it.outcomes[1].attempts == 1

    asyncio.run(main())
