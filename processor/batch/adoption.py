"""Batches that were left at the provider for whoever asks the very same."""

import asyncio

from processor.batch.remote_values import RemoteBatch, RemoteError, Trouble
from processor.batch.tools import Tools
from processor.ledger.shards import Shard

DETACHED = "detached"  # in the metadata: whoever made it did not stay for its results
_ACTIVE = frozenset({"validating", "in_progress", "finalizing", "completed"})
_LEFT_S = 30 * 86_400.0  # results are kept that long


class Adoption:
    """Finds them.

    Args:
        tools: Of the lane.
    """

    def __init__(self, tools: Tools) -> None:
        self._remote = tools.remote
        self._store = tools.store
        self._rules = tools.rules
        self._clock = tools.clock
        self._left: list[RemoteBatch] | None = None
        self._listing = asyncio.Lock()

    async def find(self, shard: Shard) -> RemoteBatch | None:
        """The oldest batch of the very same requests that this run does not know yet.

        It may be that of another folder, on another machine: what is alike is what was asked.

        Raises:
            RemoteError: The provider cannot be asked.
        """
        if not self._rules.adopts:
            return None
        async with self._listing:
            if self._left is None:
                self._left = await self._listed()
        found = [batch for batch in self._left if batch.metadata.get("sha256") == shard.sha256]
        if not found:
            return None
        with self._store.reading() as shelf:  # one that has brought nothing brings nothing again
            known = {batch.id for batches in shelf.batches().values() for batch in batches}
        return next((batch for batch in reversed(found) if batch.id not in known), None)

    async def _listed(self) -> list[RemoteBatch]:
        """Those that were left, newest first; none where there is no list."""
        try:
            found = await self._remote.batches(self._clock.time() - _LEFT_S, None)
        except RemoteError as error:
            if error.trouble is not Trouble.GONE:
                raise
            return []
        return [batch for batch in found if DETACHED in batch.metadata and batch.status in _ACTIVE]
