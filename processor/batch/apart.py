"""Items that go into no batch of this start any more."""

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from itertools import chain


class Apart:
    """A set of `seq`, eight bytes each: all items of a large run may be in it."""

    def __init__(self) -> None:
        self._seqs = array("q")

    def __len__(self) -> int:
        return len(self._seqs)

    def __iter__(self) -> Iterator[int]:
        return iter(self._seqs)

    def __contains__(self, seq: object) -> bool:
        if not isinstance(seq, int):
            return False
        place = bisect_left(self._seqs, seq)
        return place < len(self._seqs) and self._seqs[place] == seq

    def add(self, seqs: Iterable[int]) -> None:
        """Take in further items."""
        self._seqs = array("q", sorted(chain(self._seqs, seqs)))
