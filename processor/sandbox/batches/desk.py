"""Where batches are worked on."""

import asyncio
from dataclasses import replace
from functools import partial

from aiohttp import web

from processor.sandbox.batches.batch import Batch, Status
from processor.sandbox.batches.worker import Worker
from processor.sandbox.clock import FORGIVEN_S
from processor.sandbox.state import Sandbox

# Event loops take no infinite wait.
_FOREVER_S = 1e9


class Desk:
    """Works on all batches that are under way.

    Args:
        sandbox: Its state.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._due_s: dict[str, float] = {}
        self._changed = asyncio.Event()
        self._cancelling = asyncio.Lock()

    def resume(self) -> None:
        """Go on with the batches that a storage folder holds."""
        for batch in self._sandbox.storage.batches.live():
            self.start(batch.id)

    def start(self, name: str) -> None:
        """Work on a batch, from where its record ends."""
        batch = self._sandbox.storage.batches.get(name)
        assert batch is not None
        task = asyncio.create_task(Worker(batch, self._sandbox, self._wait).run(), name=name)
        self._tasks[name] = task
        task.add_done_callback(partial(self._leave, name))

    async def stop(self, name: str) -> None:
        """Leave a batch as its record has it."""
        task = self._tasks.pop(name, None)
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    async def cancel(self, name: str) -> Batch:
        """Let a batch do no more than it did, and end; gives it as it is now.

        One that ended meanwhile, or is cancelled already, stays as it is.
        """
        # One at a time: two workers on one batch would write over each other.
        async with self._cancelling:
            await self.stop(name)
            storage, now_s = self._sandbox.storage, self._sandbox.clock.time()
            batch = storage.batches.get(name)
            assert batch is not None
            if batch.ended:
                return batch
            if batch.status != Status.CANCELLING:
                reached = {**batch.reached, Status.CANCELLING: now_s}
                batch = replace(batch, status=Status.CANCELLING, reached=reached)
                with storage.transaction():
                    storage.batches.put(batch)
                    storage.events.add(now_s, f"batch {Status.CANCELLING}", name)
            self.start(name)
            return batch

    async def settled(self) -> None:
        """Return once all that is due by now was done."""
        while not all(map(self._is_waiting, self._tasks)):
            self._changed.clear()
            await self._changed.wait()

    async def close(self) -> None:
        """Leave all batches as their records have them."""
        for name in list(self._tasks):
            await self.stop(name)

    def _is_waiting(self, name: str) -> bool:
        due_s = self._due_s.get(name)
        return due_s is not None and due_s > self._sandbox.clock.monotonic() + FORGIVEN_S

    async def _wait(self, name: str, until_s: float) -> None:
        # To the microsecond: a float has no more digits for the seconds since 1970.
        delay_s = round(until_s - self._sandbox.clock.time(), 6)
        if delay_s <= 0:
            return
        self._due_s[name] = self._sandbox.clock.monotonic() + delay_s
        self._changed.set()
        try:
            await self._sandbox.clock.sleep(min(delay_s, _FOREVER_S))
        finally:
            del self._due_s[name]

    def _leave(self, name: str, task: asyncio.Task[None]) -> None:
        if self._tasks.get(name) is task:
            del self._tasks[name]
        self._changed.set()
        if not task.cancelled():
            task.result()  # a mistake of ours is told by the event loop


DESK = web.AppKey("desk", Desk)
