"""Batches that nobody wants any more are stopped."""

from collections.abc import Sequence

from processor.batch.remote_values import CANCELLING, TERMINAL
from processor.batch.shipping import Shipping
from processor.batch.sight import is_stuck
from processor.batch.tools import Tools
from processor.ledger.shards import Batch, Shard
from processor.notice import Notice

_ENDING = TERMINAL | {CANCELLING}


class Stopping:
    """Knows which shards were taken back, and tells the provider until it agrees.

    Args:
        tools: Of the lane.
        shipping: Cancels a batch.
    """

    def __init__(self, tools: Tools, shipping: Shipping) -> None:
        self._most_s = tools.rules.validating_most_s
        self._tell = tools.tell
        self._shipping = shipping
        self._taken_back: set[int] = set()
        self._cancelled: set[str] = set()

    def is_back(self, shard: Shard) -> bool:
        """Whether a shard was taken back."""
        return shard.number in self._taken_back

    async def take_back(self, number: int, batches: Sequence[Batch]) -> None:
        """Stop the batches of a shard, also those that it will have."""
        self._taken_back.add(number)
        await self._stop(batches)

    async def look(self, shard: Shard, batches: Sequence[Batch]) -> None:
        """Asked for at every look: when a shard is taken back it may be no batch yet."""
        await self._shipping.keep_one(batches)
        if self.is_back(shard):
            await self._stop(batches)

    async def see(self, shard: Shard, batch: Batch) -> None:
        """Take a shard back whose batch has just been seen, and may never begin."""
        if self.is_back(shard) or not is_stuck(batch, shard.at, self._most_s):
            return
        age_s = round(batch.seen_at - shard.at)
        facts = {"batch": batch.id, "shard": shard.number, "age_s": age_s}
        self._tell(Notice(event="batch_stuck", serious=True, facts=facts))
        await self.take_back(shard.number, [batch])

    async def _stop(self, batches: Sequence[Batch]) -> None:
        """Cancel batches, each once: what fails is tried again at the next look at them."""
        for batch in batches:
            if batch.status in _ENDING or batch.id in self._cancelled:
                continue
            self._cancelled.add(batch.id)
            if not await self._shipping.cancel(batch):
                self._cancelled.discard(batch.id)
