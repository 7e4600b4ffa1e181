"""A lane that is paused: what is in flight finishes, and nobody's patience ends meanwhile."""

import asyncio

from lane_bench import bench, items, let_pass

from processor.direct.gauge import Leeway
from processor.direct.rules import LaneRules

PAUSED = Leeway(paused=True)
GOES_ON = Leeway()


def test_an_hour_of_pause_in_an_outage_is_no_hour_of_outage() -> None:
    async def main() -> None:
        async with bench(items(30), rules=LaneRules(give_up_s=60)) as b:
            await b.fault("server_error:after=5")
            work = asyncio.ensure_future(b.lane.run())
            await let_pass(b.clock, work, until_s=b.clock.monotonic() + 20)
            assert b.events() == ["outage"]
            b.lane.heed(PAUSED)
            sent = b.begun
            await let_pass(b.clock, work, until_s=b.clock.monotonic() + 1)
            b.clock.advance(3_600)
            await let_pass(b.clock, work, until_s=b.clock.monotonic() + 1)
            assert b.begun == sent
            b.lane.heed(GOES_ON)
            await let_pass(b.clock, work, until_s=b.clock.monotonic() + 10)
            assert b.begun > sent  # probes, which fail
            await b.fault()
            await let_pass(b.clock, work)
            assert b.lane.stopped is None
            assert set(b.codes.values()) == {""}
            assert len(b.codes) == 30

    asyncio.run(main())


def test_a_lane_that_is_paused_takes_nothing_and_then_everything() -> None:
    async def main() -> None:
        async with bench(items(12)) as b:
            b.lane.heed(PAUSED)
            work = asyncio.ensure_future(b.lane.run())
            await let_pass(b.clock, work, until_s=b.clock.monotonic() + 60)
            assert b.begun == 0
            assert b.pulled <= 1  # whether anything is left
            gauge = b.lane.gauge()
            assert (gauge.in_flight, gauge.waiting) == (0, b.pulled)
            b.lane.heed(GOES_ON)
            await let_pass(b.clock, work)
            assert len(b.outcomes) == 12

    asyncio.run(main())


def test_a_lane_that_is_paused_can_be_left() -> None:
    async def main() -> None:
        async with bench(items(12), rules=LaneRules(rpm=600)) as b:
            b.lane.heed(PAUSED)
            work = asyncio.ensure_future(b.lane.run())
            await let_pass(b.clock, work, until_s=b.clock.monotonic() + 60)
            b.lane.drain()
            await asyncio.wait_for(work, 10)
            assert not b.outcomes

    asyncio.run(main())
