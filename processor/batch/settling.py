"""A shard's results, recorded until nothing of it is left.

Which items still wait in the shard is in the ledger, and an item leaves with its record in one
transaction. So results may be read again from their beginning after a kill: a line whose item has
left counts once. What is left in the end has no line at all.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from processor.answer import Answer
from processor.batch.answer import Settler, answer_of, missing
from processor.batch.steps import Step
from processor.batch.store import Shelf, Store
from processor.batch.thread import in_thread
from processor.batch.told import Oddities, Results, Told
from processor.items import Attempt, Outcome
from processor.ledger.pending import Pending
from processor.ledger.shards import Shard
from processor.notice import Notice
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
        oddities: Lines that are not the one of an item.
        fatal: A verdict that concerns the whole job; None for none.
    """

    answered: int
    missing: int
    again: int
    oddities: Oddities
    fatal: Verdict | None

    def notice(self, shard: Shard) -> Notice:
        """What is told of it."""
        odd = self.oddities
        facts: dict[str, object] = {
            "shard": shard.number,
            "items": shard.items,
            "answered": self.answered,
            "missing": self.missing,
            "again": self.again,
            "duplicates": odd.duplicates,
            "paid_twice": odd.paid_twice,
            "foreign": odd.foreign,
            "unreadable": odd.unreadable,
        }
        if odd.notes:
            facts["notes"] = odd.notes
        strange = odd.duplicates + odd.foreign + odd.unreadable
        return Notice(event="shard_settled", serious=bool(strange or self.missing), facts=facts)


class Settling:
    """Settles one shard.

    Args:
        shard: Whose results they are.
        settler: Decides what becomes of items.
        store: The ledger.
        at: Told of every step that was taken.
    """

    def __init__(
        self, shard: Shard, *, settler: Settler, store: Store, at: Callable[[Step], None]
    ) -> None:
        self._shard = shard
        self._settler = settler
        self._store = store
        self._at = at
        self._is_first_time = True
        self._again = 0
        self._fatal: Verdict | None = None

    async def run(self, files: Sequence[Sequence[Path]]) -> Settlement:
        """Record what became of every item of the shard.

        Args:
            files: Results of each of its batches, the oldest batch first.

        Raises:
            LedgerError: The disk refuses.
        """
        with self._store.reading() as shelf, Results(files, self._shard.endpoint) as results:
            waiting = shelf.waiting(self._shard.number)
            self._is_first_time = len(waiting) == self._shard.items
            answered = await in_thread(results.find)
            await self._record_all(self._told(shelf, results, answered))
            missed = shelf.waiting(self._shard.number)
            await self._record_all(self._left(shelf, missed))
        return Settlement(
            answered=self._shard.items - len(missed),
            missing=len(missed),
            again=self._again,
            oddities=results.oddities,
            fatal=self._fatal,
        )

    async def _record_all(self, found: Iterator[Sequence[Record]]) -> None:
        """Record block after block; reading beside the writing would make both wait for each other.

        A thread that computes holds up one that writes, which asks for the interpreter a thousand
        times.
        """
        while (block := await in_thread(next, found, None)) is not None:
            await self._store.settle(block)
            self._at(Step.PART_SETTLED)

    def _told(
        self, shelf: Shelf, results: Results, answered: Sequence[int]
    ) -> Iterator[Sequence[Record]]:
        """Records of the items that have a line."""
        for block in _blocks(answered):
            sent = shelf.items(self._shard.number, block)
            if self._is_first_time and len(sent) < len(block):  # otherwise they may have left
                strange = [seq for seq in block if seq not in sent]
                results.oddities.foreign += len(strange)
                results.oddities.note(f"a line of item {strange[0]}, which is not in the shard")
            yield [
                self._settled_by(sent[told.seq], told)
                for told in results.told([seq for seq in block if seq in sent])
            ]

    def _left(self, shelf: Shelf, missed: Sequence[int]) -> Iterator[Sequence[Record]]:
        """Records of the items that no line told of."""
        for block in _blocks(missed):
            sent = shelf.items(self._shard.number, block)
            yield [self._settled(pending, missing(pending)) for pending in sent.values()]

    def _settled_by(self, pending: Pending, told: Told) -> Record:
        """The record of a line."""
        record = self._settled(pending, answer_of(pending, told.line, told.verdict))
        if told.raw and self._settler.keeps_body(record):
            return self._settled(pending, answer_of(pending, told.whole(), told.verdict))
        return record

    def _settled(self, pending: Pending, answer: Answer) -> Record:
        """The record of an answer; the item leaves the shard with it."""
        if answer.verdict.kind is Kind.FATAL:
            self._fatal = answer.verdict
        number = pending.attempts - len(pending.invalid) + 1
        record = self._settler.settle(pending, answer, number)
        self._again += isinstance(record, Attempt)
        return record


def _blocks(seqs: Sequence[int]) -> Iterator[Sequence[int]]:
    return (seqs[first : first + _BLOCK_ITEMS] for first in range(0, len(seqs), _BLOCK_ITEMS))
