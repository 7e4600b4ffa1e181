"""A shard's results, recorded until nothing of it is left.

Which items still wait in the shard is in the ledger, and an item leaves with its record in one
transaction. So results may be read again from their beginning after a kill: a line whose item has
left counts once.

All answers go first, whichever file or batch they are in; only then what else is told of items
that have none. What is left in the end has no line at all.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from processor.answer import Answer
from processor.batch.answer import Settler, answer_of, missing
from processor.batch.steps import Step
from processor.batch.store import Shelf, Store
from processor.batch.told import Oddities, Told, blocks
from processor.items import Attempt, Outcome
from processor.ledger.pending import Pending
from processor.ledger.shards import Shard
from processor.verdict import Kind, Verdict

_BLOCK_ITEMS = 1_000

Record = Outcome | Attempt


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """What the results of a shard told.

    Attributes:
        answered: Items with a line.
        missing: Items without.
        again: Items that are pending again.
        duplicates: Further lines of items.
        paid_twice: Of these, answers that another batch had given already.
        oddities: Lines that belong to no item.
        fatal: A verdict that concerns the whole job; None for none.
    """

    answered: int
    missing: int
    again: int
    duplicates: int
    paid_twice: int
    oddities: Oddities
    fatal: Verdict | None


class Settling:
    """Settles one shard.

    Args:
        shard: Whose results they are.
        files: Results of each of its batches, the oldest batch first.
        settler: Decides what becomes of items.
        store: The ledger.
        at: Told of every step that was taken.
    """

    def __init__(
        self,
        shard: Shard,
        *,
        files: Sequence[Sequence[Path]],
        settler: Settler,
        store: Store,
        at: Callable[[Step], None],
    ) -> None:
        self._shard = shard
        self._files = files
        self._settler = settler
        self._store = store
        self._at = at
        self._answered: set[int] = set()
        self._failed: set[int] = set()
        self._has_failures = False
        self._is_first_time = True
        self._missing = self._again = self._duplicates = self._paid_twice = 0
        self._oddities = Oddities()
        self._fatal: Verdict | None = None

    async def run(self) -> Settlement:
        """Record what became of every item of the shard.

        Raises:
            LedgerError: The disk refuses.
        """
        with self._store.reading() as shelf:
            waiting = shelf.waiting(self._shard.number)
            self._is_first_time = len(waiting) == self._shard.items
            await self._record_all(self._answers(shelf))
            if self._has_failures:
                await self._record_all(self._failures(shelf))
            await self._record_all(self._left(shelf))
        return Settlement(
            answered=len(self._answered) + len(self._failed),
            missing=self._missing,
            again=self._again,
            duplicates=self._duplicates,
            paid_twice=self._paid_twice,
            oddities=self._oddities,
            fatal=self._fatal,
        )

    async def _record_all(self, found: Iterator[Sequence[Record]]) -> None:
        """Record blocks, each while the next one is read."""
        writing: asyncio.Task[None] | None = None
        try:
            while (block := await asyncio.to_thread(next, found, None)) is not None:
                if writing is not None:
                    await writing
                    self._at(Step.PART_SETTLED)
                writing = asyncio.create_task(self._store.settle(block)) if block else None
        finally:
            if writing is not None:
                await writing

    def _answers(self, shelf: Shelf) -> Iterator[Sequence[Record]]:
        for place, paths in enumerate(self._files):
            for block in blocks(paths, self._shard.endpoint, self._oddities):
                yield self._records(shelf, list(self._new_answers(block, place)))

    def _new_answers(self, block: Sequence[Told], place: int) -> Iterator[Told]:
        for told in block:
            if told.verdict.kind is not Kind.OK:
                self._has_failures = True
            elif told.seq in self._answered:
                self._duplicates += 1
                self._paid_twice += place > 0
            else:
                self._answered.add(told.seq)
                yield told

    def _failures(self, shelf: Shelf) -> Iterator[Sequence[Record]]:
        for paths in self._files:
            for block in blocks(paths, self._shard.endpoint):
                yield self._records(shelf, list(self._new_failures(block)))

    def _new_failures(self, block: Sequence[Told]) -> Iterator[Told]:
        for told in block:
            if told.verdict.kind is Kind.OK:
                continue
            if told.seq in self._answered or told.seq in self._failed:
                self._duplicates += 1
                continue
            self._failed.add(told.seq)
            if told.verdict.kind is Kind.FATAL:
                self._fatal = told.verdict
            yield told

    def _left(self, shelf: Shelf) -> Iterator[Sequence[Record]]:
        """Items that no line told of."""
        waiting = shelf.waiting(self._shard.number)
        self._missing = len(waiting)
        for first in range(0, len(waiting), _BLOCK_ITEMS):
            sent = shelf.items(self._shard.number, waiting[first : first + _BLOCK_ITEMS])
            yield [self._settled(pending, missing(pending)) for pending in sent.values()]

    def _records(self, shelf: Shelf, block: Sequence[Told]) -> list[Record]:
        sent = shelf.items(self._shard.number, [told.seq for told in block]) if block else {}
        records = []
        for told in block:
            pending = sent.get(told.seq)
            if pending is not None:
                answer = answer_of(pending, told.line, told.verdict)
                records.append(self._settled(pending, answer))
            elif self._is_first_time:  # otherwise it may have left before
                self._oddities.foreign += 1
                self._oddities.note(f"a line of item {told.seq}, which is not in the shard")
        return records

    def _settled(self, pending: Pending, answer: Answer) -> Record:
        """The record of an answer; the item leaves the shard with it."""
        number = pending.attempts - len(pending.invalid) + 1
        record = self._settler.settle(pending, answer, number)
        self._again += isinstance(record, Attempt)
        return record
