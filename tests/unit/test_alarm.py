"""Waiting for a change or a time, on a clock that the test moves."""

import asyncio
from math import inf

from processor.direct.alarm import Alarm
from processor.sandbox import ManualClock


async def passes(count: int = 5) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


def test_a_time_ends_the_wait() -> None:
    async def main() -> None:
        clock = ManualClock()
        alarm = Alarm(clock)
        alarm.rearm()
        wait = asyncio.ensure_future(alarm.wait(10))
        await clock.asleep()
        clock.advance(9.9)
        await passes()
        assert not wait.done()
        clock.advance(0.1)
        await wait
        alarm.close()

    asyncio.run(main())


def test_a_change_ends_the_wait() -> None:
    async def main() -> None:
        alarm = Alarm(ManualClock())
        for until_s in (10.0, inf):
            alarm.rearm()
            wait = asyncio.ensure_future(alarm.wait(until_s))
            await passes()
            assert not wait.done()
            alarm.ring()
            await wait
        alarm.close()

    asyncio.run(main())


def test_a_change_before_the_wait_is_not_missed() -> None:
    async def main() -> None:
        alarm = Alarm(ManualClock())
        alarm.rearm()
        alarm.ring()
        await alarm.wait(inf)
        alarm.rearm()
        wait = asyncio.ensure_future(alarm.wait(inf))
        await passes()
        assert not wait.done()
        alarm.ring()
        await wait

    asyncio.run(main())


def test_a_time_that_is_past_ends_the_wait_at_once() -> None:
    async def main() -> None:
        clock = ManualClock()
        clock.advance(5)
        alarm = Alarm(clock)
        alarm.rearm()
        await alarm.wait(3)
        alarm.close()

    asyncio.run(main())


def test_an_earlier_time_replaces_a_later_one() -> None:
    async def main() -> None:
        clock = ManualClock()
        alarm = Alarm(clock)
        alarm.rearm()
        first = asyncio.ensure_future(alarm.wait(100))
        await clock.asleep()
        alarm.ring()
        await first
        alarm.rearm()
        second = asyncio.ensure_future(alarm.wait(10))
        await passes()
        clock.advance(10)
        await second
        alarm.close()

    asyncio.run(main())


def test_many_waits_for_later_and_later_times_cost_one_timer() -> None:
    async def main() -> None:
        clock = ManualClock()
        alarm = Alarm(clock)
        for number in range(100):
            alarm.rearm()
            wait = asyncio.ensure_future(alarm.wait(10 + number))
            await passes()
            alarm.ring()
            await wait
        assert clock.sleepers == 1
        alarm.close()
        await passes()
        assert clock.sleepers == 0

    asyncio.run(main())
