"""A bounded sample of a stream, whatever the stream's length and order."""

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from heapq import heappop, heappush, heappushpop
from typing import Generic, TypeVar

T = TypeVar("T")


class Sample(Generic[T]):
    """Draws blocks of a stream, and within a block some of its members, by a seed.

    Drawn is what has the lowest ranks, and a rank is a hash of a name: the same names give the
    same sample in any order, and those of a part of the stream are drawn together with the whole.
    Blocks are drawn whole as far as `most_of_block` allows, because a comparison within a block
    needs its members.

    Args:
        most: Members kept at most.
        most_of_block: Of one block; at most `most`.
        seed: Another one draws others.

    Attributes:
        seen: Members offered so far.
        kept: Of these, how many are drawn.
    """

    def __init__(self, *, most: int, most_of_block: int, seed: int) -> None:
        self._most = most
        self._most_of_block = most_of_block
        self._key = str(seed).encode()
        self._blocks: dict[str, list[tuple[int, str, T]]] = {}
        self._ranks: list[tuple[int, str]] = []  # of blocks, negative: the highest comes first
        self._closed_from: int | None = None
        self.kept = 0
        self.seen = 0

    def add(self, block: str, name: str, value: T) -> None:
        """Offer a member.

        Args:
            block: Which block it belongs to.
            name: Unique among all members.
            value: What is kept of it.
        """
        self.seen += 1
        rank = self._rank(block)
        if self._closed_from is not None and rank >= self._closed_from:
            return
        if block not in self._blocks:
            self._blocks[block] = []
            heappush(self._ranks, (-rank, block))
        members = self._blocks[block]
        member = (-self._rank(name), name, value)
        if len(members) < self._most_of_block:
            heappush(members, member)
            self.kept += 1
        else:
            heappushpop(members, member)
        self._drop_beyond()

    def blocks(self) -> Mapping[str, Sequence[T]]:
        """What was drawn, by block; in an order that the stream's does not change."""
        return {
            block: [value for _, _, value in sorted(members, key=lambda one: one[1])]
            for block, members in sorted(self._blocks.items())
        }

    def _drop_beyond(self) -> None:
        while self.kept > self._most:
            rank, block = heappop(self._ranks)
            self._closed_from = -rank
            self.kept -= len(self._blocks.pop(block))

    def _rank(self, name: str) -> int:
        digest = blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8, key=self._key)
        return int.from_bytes(digest.digest())
