"""The provider's queue: which shard may become a batch now, and waiting until one may."""

import asyncio
from collections.abc import Iterable

from processor.batch.creations import Creations
from processor.batch.quota import Admission, Quota, Room, told_limit
from processor.batch.tools import Tools
from processor.ledger.shards import Shard
from processor.notice import Notice


class Entrance:
    """Keeps account of what is in the queue, as far as it is known.

    Args:
        tools: Of the lane.
    """

    def __init__(self, tools: Tools) -> None:
        self._clock = tools.clock
        self._halt = tools.halt
        self._tell = tools.tell
        self._quota = Quota()
        self._creations = Creations()
        self._room = asyncio.Event()

    def made_before(self, times_s: Iterable[float]) -> None:
        """Count batches of earlier starts; they were made in so many seconds since 1970."""
        ahead_s = self._clock.time() - self._clock.monotonic()
        self._creations = Creations(time_s - ahead_s for time_s in times_s)

    def admit(self, shard: Shard) -> Admission:
        """Whether a shard may become a batch now; if so, `enter` is called before anything else."""
        now_s = self._clock.monotonic()
        if (wait_s := self._creations.wait_s(now_s)) > 0:
            return Admission(Room.LATER, at_s=now_s + wait_s)
        return self._quota.admit(shard.model, tokens=shard.tokens, rows=shard.items, now_s=now_s)

    async def wait(self, until_s: float) -> None:
        """Wait until then, until something has changed, or the lane is to be left."""
        await self._halt.wait(until_s - self._clock.monotonic(), self._room)

    def enter(self, shard: Shard) -> None:
        """A batch of a shard is about to be made."""
        self.find(shard)
        self._creations.note(self._clock.monotonic())

    def find(self, shard: Shard) -> None:
        """A shard is, or may be, a batch that an earlier start has made."""
        now_s = self._clock.monotonic()
        self._quota.opened(shard.number, shard.model, tokens=shard.tokens, now_s=now_s)

    def accept(self, shard: Shard) -> None:
        """The provider took the batch of a shard into its queue: it is validated."""
        self._quota.accepted(shard.number)

    def leave(self, shard: Shard) -> None:
        """A shard holds no tokens any more."""
        self._quota.ended(shard.number)
        self.wake()

    def refuse(self, shard: Shard, words: str) -> None:
        """The queue has no room for a shard, as the provider says."""
        limit = told_limit(words)
        self._quota.refused(
            shard.number,
            shard.model,
            tokens=shard.tokens,
            limit=limit,
            now_s=self._clock.monotonic(),
        )
        self.wake()  # it held tokens for which others wait
        facts = {"shard": shard.number, "limit": limit, "message": words}
        self._tell(Notice(event="batch_deferred", facts=facts))

    def wake(self) -> None:
        """Let those look again that wait; who waits from now on waits for the next time."""
        self._room.set()
        self._room = asyncio.Event()
