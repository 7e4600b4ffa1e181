"""Total deadlines, on a clock that the test moves."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from processor.direct.deadlines import Deadlines
from processor.sandbox import ManualClock


async def passes(count: int = 5) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def _for_ever() -> None:
    await asyncio.Event().wait()


@asynccontextmanager
async def watched(timeout_s: float) -> AsyncIterator[tuple[Deadlines, ManualClock]]:
    clock = ManualClock()
    deadlines = Deadlines(timeout_s, clock)
    watch = asyncio.create_task(deadlines.watch())
    await clock.asleep()
    yield deadlines, clock
    watch.cancel()
    await asyncio.gather(*deadlines.cancel_all(), return_exceptions=True)


def begin(deadlines: Deadlines) -> "asyncio.Task[None]":
    call = asyncio.create_task(_for_ever())
    deadlines.begin(call)
    return call


async def advance(clock: ManualClock, seconds: float, step_s: float = 0.05) -> None:
    for _ in range(round(seconds / step_s)):
        clock.advance(step_s)
        await passes()


def test_a_call_ends_at_its_deadline_and_no_sooner() -> None:
    async def main() -> None:
        async with watched(10) as (deadlines, clock):
            await advance(clock, 7)
            call = begin(deadlines)
            await advance(clock, 9.9)
            assert not call.done()
            await advance(clock, 0.2)
            assert call.cancelled()
            assert deadlines.is_overdue(call)

    asyncio.run(main())


def test_each_call_has_its_own_time() -> None:
    async def main() -> None:
        async with watched(10) as (deadlines, clock):
            calls = []
            for _ in range(5):
                calls.append(begin(deadlines))
                await advance(clock, 2)
            ended = []
            for _ in range(5):
                await advance(clock, 0.2)
                ended.append(sum(call.done() for call in calls))
                for call in calls:
                    if call.done() and call in deadlines.started_s:
                        deadlines.end(call)
                await advance(clock, 1.8)
            assert ended == [1, 2, 3, 4, 5]
            assert len(deadlines.started_s) == 0

    asyncio.run(main())


def test_a_call_that_ended_in_time_is_forgotten() -> None:
    async def main() -> None:
        async with watched(10) as (deadlines, clock):
            quick, slow = begin(deadlines), begin(deadlines)
            quick.cancel()
            await passes()
            deadlines.end(quick)
            assert not deadlines.is_overdue(quick)
            assert len(deadlines.started_s) == 1
            await advance(clock, 10.2)
            assert deadlines.is_overdue(slow)

    asyncio.run(main())


def test_ending_all_is_not_being_overdue() -> None:
    async def main() -> None:
        async with watched(10) as (deadlines, _):
            calls = [begin(deadlines) for _ in range(3)]
            await passes()
            assert deadlines.cancel_all() == calls
            await passes()
            assert all(call.cancelled() for call in calls)
            assert not any(deadlines.is_overdue(call) for call in calls)

    asyncio.run(main())


def test_an_overdue_call_that_takes_its_time_to_end_is_cancelled_once() -> None:
    async def main() -> None:
        cancelled = 0
        release = asyncio.Event()

        async def stubborn() -> None:
            nonlocal cancelled
            while not release.is_set():
                try:
                    await release.wait()
                except asyncio.CancelledError:
                    cancelled += 1

        async with watched(10) as (deadlines, clock):
            call = asyncio.create_task(stubborn())
            deadlines.begin(call)
            await advance(clock, 30)
            assert cancelled == 1
            release.set()
            await call
            deadlines.end(call)

    asyncio.run(main())
