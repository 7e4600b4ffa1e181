"""Outcomes on their way from the writer's thread to whoever iterates over them."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import CancelledError

from processor.items import Outcome
from processor.ledger.commit import ChunkTotals, Commit
from processor.notice import Notice

_COMMITS_AHEAD = 4


class Outlet:
    """An observer that hands on what became durable, and waits for whoever takes it.

    While nobody takes anything the writer's thread waits, so that the lane stops pulling items:
    nothing piles up.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._commits: asyncio.Queue[Commit | None] = asyncio.Queue(_COMMITS_AHEAD)
        self._open = True

    def notice(self, notice: Notice) -> None:
        """Nothing that concerns outcomes."""

    def committed(self, commit: Commit) -> None:
        """Hand on; called in the writer's thread."""
        if self._open:
            waiting = asyncio.run_coroutine_threadsafe(self._put(commit), self._loop)
            try:
                waiting.result()
            except CancelledError:
                return

    def chunk_written(self, chunk: ChunkTotals) -> None:
        """Nothing that concerns outcomes."""

    async def end(self) -> None:
        """No more will come."""
        await self._put(None)

    def close(self) -> None:
        """Nobody takes any more; what waits is let go."""
        self._open = False
        while not self._commits.empty():
            self._commits.get_nowait()

    async def outcomes(self) -> AsyncIterator[Outcome]:
        """Every outcome once it is durable, until the end."""
        while (commit := await self._commits.get()) is not None:
            for record in commit.records:
                if isinstance(record, Outcome):
                    yield record

    async def _put(self, commit: Commit | None) -> None:
        if self._open:
            await self._commits.put(commit)
