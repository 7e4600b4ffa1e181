"""Which pending items go directly while the others go by batch."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from processor.items import Item
from processor.ledger.pending import Pending


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Items for which somebody waits.

    Attributes:
        seqs: Theirs, in order; each was pending, and in no shard, when they were chosen.
        through_seq: The last of those among them that are the first ones of the run; 0 without any.
        ahead: They go before new batches, which would hold the money that they need.
    """

    seqs: Sequence[int] = ()
    through_seq: int = 0
    ahead: bool = False

    def background(self, pending: Iterator[Pending]) -> Iterator[Pending]:
        """The others."""
        return (each for each in pending if not self.is_direct(each.item))

    def is_direct(self, item: Item) -> bool:
        """Whether somebody waits for it."""
        place = bisect_left(self.seqs, item.seq)
        return place < len(self.seqs) and self.seqs[place] == item.seq
