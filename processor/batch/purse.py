"""What batches may spend: a shard's most must fit into what is left before anything of it is sent.

A reservation stands in the ledger with its shard, from the upload on, so that it counts after a
kill, too. It ends when the shard is settled: then what was really paid counts.

The most is a bound at first: a token holds a byte at least, and an answer fills its cap. Once
shards of the same model are settled, it is what those cost for a byte, and a margin.
"""

import asyncio
from collections.abc import Callable
from math import ceil

from msgspec.structs import replace

from processor.batch.sharding import Written
from processor.batch.store import Store
from processor.items import Usage
from processor.ledger.account import Account
from processor.ledger.shards import Shard, State

_MARGIN = 1.25  # shards differ
_LEARNT_FROM = 50  # answers
_UNPAID = frozenset({State.WRITTEN, State.SETTLED, State.DROPPED})


class Purse:
    """Holds the reservations of shards against a limit.

    Args:
        store: The ledger.
        limit_usd: What the run may spend in all; None for no bound.
        price: (model, tokens of a request) to what it costs by batch; None when unknown.
        spent_usd: What counts as spent in an account.

    Attributes:
        refused: The shard for which there was no room.
        room: Set once there may be more: who waits from then on waits for another.
        claimed_usd: What is held, and what answers of batches have cost since this start began.
    """

    def __init__(
        self,
        store: Store,
        *,
        limit_usd: float | None,
        price: Callable[[str, Usage], float | None],
        spent_usd: Callable[[Account], float],
    ) -> None:
        self._store = store
        self._limit_usd = limit_usd
        self._price = price
        self._spent_usd = spent_usd
        self._held: dict[int, float] = {}
        self._left: set[int] = set()
        self.refused: Shard | None = None
        with store.reading() as shelf:
            self._before_usd = shelf.account().batch_usd
        self.claimed_usd = 0.0
        self.room = asyncio.Event()

    @property
    def used_usd(self) -> float:
        """What counts as spent, reservations too."""
        with self._store.reading() as shelf:
            spent_usd = self._spent_usd(shelf.account())
        return spent_usd + sum(self._held.values())

    @property
    def is_holding(self) -> bool:
        """Whether a reservation may still be given back."""
        return not self._held.keys() <= self._left

    def most_usd(self, written: Written) -> float:
        """What a shard will hardly cost more than; 0 when no price is known."""
        items = len(written.seqs)
        usage = Usage(
            prompt_tokens=ceil(written.bytes / items),
            completion_tokens=ceil(written.output_tokens / items),
        )
        usd = self._price(written.model, usage)
        if usd is None:
            return 0.0
        learnt_usd = self._byte_usd(written.model)
        bound_usd = usd * items
        return bound_usd if learnt_usd is None else min(bound_usd, learnt_usd * written.bytes)

    def know(self, shard: Shard) -> None:
        """A shard of an earlier start goes on."""
        if shard.state not in _UNPAID:
            self._held[shard.number] = shard.reserved_usd
            self._claim()

    def admitted(self, shard: Shard) -> Shard | None:
        """The shard with what it may cost by now, which is held; None when there is no room."""
        if shard.number in self._held:  # it is sent once more
            return shard
        learnt_usd = self._byte_usd(shard.model)
        if learnt_usd is not None:  # it may have been written before anything was known
            usd = min(shard.reserved_usd, learnt_usd * shard.bytes)
            shard = replace(shard, reserved_usd=usd)
        if self._limit_usd is not None and self.used_usd + shard.reserved_usd > self._limit_usd:
            self.refused = shard
            return None
        self.refused = None
        self._held[shard.number] = shard.reserved_usd
        self._claim()
        return shard

    def leave(self, number: int) -> None:
        """A shard keeps what it holds for as long as this start lives."""
        self._left.add(number)
        self.wake()

    def release(self, number: int) -> None:
        """A shard is settled, or given up."""
        self._held.pop(number, None)
        self._claim()
        self.wake()

    def wake(self) -> None:
        """Let those look again that wait for money."""
        self.room.set()
        self.room = asyncio.Event()

    def _claim(self) -> None:
        with self._store.reading() as shelf:
            cost_usd = shelf.account().batch_usd - self._before_usd
        self.claimed_usd = cost_usd + sum(self._held.values())

    def _byte_usd(self, model: str) -> float | None:
        """What a byte of a request has cost so far; None before enough answers came."""
        with self._store.reading() as shelf:
            paid = shelf.paid(model)
        if paid is None or paid.items < _LEARNT_FROM or not paid.cost_usd:
            return None
        return _MARGIN * paid.cost_usd / paid.bytes
