"""Time that a test moves."""

import asyncio

import pytest

from processor.sandbox.clock import ManualClock


def test_sleepers_wake_in_the_order_of_their_due_times() -> None:
    async def main() -> list[str]:
        clock = ManualClock()
        woken: list[str] = []

        async def sleeper(name: str, seconds: float) -> None:
            await clock.sleep(seconds)
            woken.append(name)

        tasks = [
            asyncio.create_task(sleeper(name, seconds))
            for name, seconds in [("late", 3), ("early", 1), ("also early", 1), ("never", 9)]
        ]
        await clock.asleep(4)
        assert clock.sleepers == 4
        clock.advance(3)
        await asyncio.gather(*tasks[:3])
        assert clock.sleepers == 1
        tasks[3].cancel()
        await asyncio.gather(tasks[3], return_exceptions=True)
        assert clock.sleepers == 0
        clock.advance(100)
        return woken

    assert asyncio.run(main()) == ["early", "also early", "late"]


def test_nobody_wakes_before_time() -> None:
    async def main() -> None:
        clock = ManualClock()
        task = asyncio.create_task(clock.sleep(1))
        await clock.asleep()
        clock.advance(0.999)
        await asyncio.sleep(0)
        assert not task.done()
        clock.advance(0.001)
        await task
        assert clock.monotonic() == pytest.approx(1)
        assert clock.time() == pytest.approx(1_795_000_001)

    asyncio.run(main())


@pytest.mark.parametrize("seconds", [-1, float("nan")])
def test_time_does_not_go_back(seconds: float) -> None:
    with pytest.raises(ValueError, match="forward"):
        ManualClock().advance(seconds)
