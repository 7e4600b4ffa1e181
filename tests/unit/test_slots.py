"""Slots, with calls that end when the test says so, on a clock that it moves."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from processor.direct.backlog import Work
from processor.direct.pace import Ticket
from processor.direct.slots import Slots, Turn
from processor.items import Item
from processor.sandbox import ManualClock

TIMEOUT_S = 10.0


@dataclass(slots=True)
class Calls:
    """What slots did.

    Attributes:
        following: Items whose turn may follow at once.
        begun: Items whose calls were made, in order.
        timed_out: Items whose call noticed that it took too long.
        cut_offs: (item, begun, overdue) of calls that were cancelled.
        vacated: Slots that are gone.
        ends: What each call waits for.
        broken: Items whose call is a bug.
    """

    clock: ManualClock
    following: deque[int]
    broken: frozenset[int]
    begun: list[int] = field(default_factory=list)
    timed_out: list[int] = field(default_factory=list)
    cut_offs: list[tuple[int, bool, bool]] = field(default_factory=list)
    vacated: int = 0
    ends: dict[int, asyncio.Event] = field(default_factory=dict)
    slots: Slots = field(init=False)

    def __post_init__(self) -> None:
        self.slots = Slots(
            TIMEOUT_S,
            self.clock,
            call=self.call,
            follow=self.follow,
            cut_off=self.cut_off,
            vacated=self.vacate,
        )

    async def call(self, work: Work, _: Ticket) -> None:
        seq = work.item.seq
        self.begun.append(seq)
        if seq in self.broken:
            raise ZeroDivisionError(seq)
        try:
            await self.ends.setdefault(seq, asyncio.Event()).wait()
        except asyncio.CancelledError:
            if not self.slots.is_overdue():
                raise
            self.timed_out.append(seq)

    def follow(self) -> Turn | None:
        return turn(self.following.popleft()) if self.following else None

    def cut_off(self, work: Work, *, begun: bool, overdue: bool) -> None:
        self.cut_offs.append((work.item.seq, begun, overdue))

    def vacate(self) -> None:
        self.vacated += 1

    async def end(self, *seqs: int) -> None:
        """These calls come back."""
        for seq in seqs:
            self.ends[seq].set()
        await passes()

    async def advance(self, seconds: float) -> None:
        for _ in range(round(seconds * 10)):
            self.clock.advance(0.1)
            await passes()


async def passes() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def turn(seq: int) -> Turn:
    item = Item(seq=seq, chunk=1, id=seq, fields={})
    return Work(item=item, attempts=0, invalid=()), Ticket(0.0, 0.0, 0.0)


@asynccontextmanager
async def making(
    *first: int, following: Iterable[int] = (), broken: Iterable[int] = ()
) -> AsyncIterator[Calls]:
    """Calls for the first items, each in a slot of its own."""
    calls = Calls(ManualClock(), deque(following), frozenset(broken))
    watch = asyncio.create_task(calls.slots.watch())
    await calls.clock.asleep()
    for seq in first:
        calls.slots.start(turn(seq))
    await passes()
    yield calls
    watch.cancel()
    await asyncio.gather(*calls.slots.cancel_all(), return_exceptions=True)


def test_a_slot_takes_the_next_turn_itself_until_there_is_none() -> None:
    async def main() -> None:
        async with making(1, 2, following=[3, 4]) as calls:
            assert (calls.begun, len(calls.slots)) == ([1, 2], 2)
            await calls.end(2)
            assert (calls.begun, len(calls.slots)) == ([1, 2, 3], 2)
            await calls.end(3)
            assert (calls.begun, len(calls.slots), calls.vacated) == ([1, 2, 3, 4], 2, 0)
            await calls.end(4)
            assert (len(calls.slots), calls.vacated) == (1, 1)
            await calls.end(1)
            assert (len(calls.slots), calls.vacated) == (0, 2)
            assert calls.slots.crash is None

    asyncio.run(main())


def test_a_call_over_its_deadline_is_ended_and_its_slot_goes_on() -> None:
    async def main() -> None:
        async with making(1, following=[2, 3]) as calls:
            await calls.advance(TIMEOUT_S - 0.5)
            assert calls.timed_out == []
            await calls.advance(1)
            assert (calls.timed_out, calls.begun) == ([1], [1, 2])
            await calls.advance(TIMEOUT_S - 1)  # the second has a deadline of its own
            assert calls.timed_out == [1]
            await calls.end(2)
            assert (calls.begun, len(calls.slots)) == ([1, 2, 3], 1)
            assert calls.cut_offs == []

    asyncio.run(main())


def test_a_call_that_never_began_is_told_as_such() -> None:
    async def main() -> None:
        async with making() as calls:
            calls.clock.advance(TIMEOUT_S)  # the watcher is due before the call's task
            calls.slots.start(turn(1))
            calls.clock.advance(TIMEOUT_S + 1)
            await passes()
            assert (calls.begun, calls.timed_out) == ([], [])
            assert calls.cut_offs == [(1, False, True)]
            assert (len(calls.slots), calls.vacated) == (0, 1)

    asyncio.run(main())


def test_a_crash_is_kept_the_first_of_them_and_ends_its_slot() -> None:
    async def main() -> None:
        async with making(1, 7, 8, following=[2], broken=[7, 8]) as calls:
            assert isinstance(calls.slots.crash, ZeroDivisionError)
            assert calls.slots.crash.args == (7,)
            assert (len(calls.slots), calls.vacated, list(calls.following)) == (1, 2, [2])
            assert calls.cut_offs == []

    asyncio.run(main())


def test_ending_all_leaves_no_call_and_tells_of_each() -> None:
    async def main() -> None:
        async with making(1, 2) as calls:
            calls.slots.start(turn(3))  # its task has not run yet
            tasks = calls.slots.cancel_all()
            await asyncio.gather(*tasks, return_exceptions=True)
            assert all(task.cancelled() for task in tasks)
            assert sorted(calls.cut_offs) == [
                (1, True, False),
                (2, True, False),
                (3, False, False),
            ]
            assert (len(calls.slots), calls.begun, calls.slots.crash) == (0, [1, 2], None)

    asyncio.run(main())
