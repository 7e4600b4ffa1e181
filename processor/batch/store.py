"""What the batch lane keeps in the ledger, and reads from it."""

import asyncio
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from processor.items import Attempt, Outcome
from processor.ledger import account, counters, database, shards
from processor.ledger.account import Account
from processor.ledger.pending import InShard, Pending
from processor.ledger.shards import Batch, Paid, Shard
from processor.ledger.writer import Writer


class Store:
    """The ledger as the batch lane sees it. Every change is durable when it returns.

    Args:
        path: Of the ledger.
        writer: Its writer.
    """

    def __init__(self, path: Path, writer: Writer) -> None:
        self._path = path
        self._writer = writer

    async def keep(self, shard: Shard, batches: Sequence[Batch] = ()) -> None:
        """A shard and batches as they are now; one that is given up lets go of its items."""

        def change(connection: sqlite3.Connection) -> None:
            shards.save(connection, shard)
            shards.see(connection, batches)
            if shard.state is shards.State.DROPPED:
                shards.release(connection, shard.number)

        await asyncio.wrap_future(self._writer.change(change))

    async def see(self, batches: Sequence[Batch]) -> None:
        """Batches as they are now."""
        await asyncio.wrap_future(
            self._writer.change(lambda connection: shards.see(connection, batches))
        )

    async def add(self, shard: Shard, seqs: Sequence[int]) -> None:
        """A shard whose file is written."""
        await asyncio.wrap_future(
            self._writer.change(lambda connection: shards.add(connection, shard, seqs))
        )

    async def settle(self, records: Sequence[Outcome | Attempt]) -> None:
        """What became of items, which leave their shards."""
        seqs = [record.item.seq for record in records]
        await asyncio.wrap_future(
            self._writer.change(lambda connection: shards.answered(connection, seqs), records)
        )

    async def record(self, records: Sequence[Outcome]) -> None:
        """What became of items that are in no shard."""
        for record in records:
            self._writer.record(record)
        await asyncio.wrap_future(self._writer.flush())

    async def count_calls(self, calls: int) -> None:
        """Calls over HTTP that were made beside those counted before."""
        rows = [("batch", counters.HTTP_CALLS, calls)]
        await asyncio.wrap_future(
            self._writer.change(lambda connection: counters.add(connection, rows))
        )

    @contextmanager
    def reading(self) -> Iterator["Shelf"]:
        """A look at the ledger from any one thread.

        Raises:
            LedgerError: It cannot be read.
        """
        with database.reading(self._path) as connection, database.guard(self._path):
            yield Shelf(connection)


class Shelf:
    """The ledger, open for reading."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._items: InShard | None = None

    def next_number(self) -> int:
        """The number of a shard that is about to be written."""
        return shards.next_number(self._connection)

    def live(self) -> list[Shard]:
        """Shards that are neither settled nor given up."""
        return shards.live(self._connection)

    def batches(self) -> Mapping[int, list[Batch]]:
        """All batches by shard, the oldest first."""
        found: dict[int, list[Batch]] = {}
        for batch in shards.batches(self._connection):
            found.setdefault(batch.shard, []).append(batch)
        return found

    def batches_of(self, number: int) -> list[Batch]:
        """Those of a shard, the oldest first."""
        return shards.batches_of(self._connection, number)

    def account(self) -> Account:
        """What the run has spent."""
        return account.read(counters.read(self._connection))

    def paid(self, model: str) -> Paid | None:
        """What settled shards of a model have cost; None when that cannot be told."""
        return shards.paid(self._connection, model)

    def waiting(self, number: int) -> list[int]:
        """Items of a shard that were not answered yet."""
        return shards.waiting(self._connection, number)

    def items(self, number: int, seqs: Sequence[int]) -> Mapping[int, Pending]:
        """Those of some items that wait in a shard, by `seq`."""
        if self._items is None:
            self._items = InShard(self._connection)
        return self._items.read(number, seqs)
