"""Pending items for the direct lane, read anew when failed ones are pending again."""

from collections.abc import Callable, Collection, Iterator

from processor.ledger.pending import Pending

Read = Callable[[Callable[[], Collection[int]]], Iterator[Pending]]
"""Reads pending items from the first, but for those that are elsewhere: see `pending.read`."""


class Renewable:
    """Gives each item once, until it has an outcome; implements an iterator.

    Args:
        read: Begins a reading.
        most: How many items it gives; None for all.

    Attributes:
        taken: `seq` of all items that were given and have no outcome yet.
    """

    def __init__(self, read: Read, most: int | None) -> None:
        self._read = read
        self._left = most
        self.taken: set[int] = set()
        self._take = self.taken.add  # asked for every item
        self._items = self._begin()

    def __iter__(self) -> "Renewable":
        return self

    def __next__(self) -> Pending:
        left = self._left
        if left == 0:
            raise StopIteration
        found = next(self._items)
        if left is not None:
            self._left = left - 1
        self._take(found.item.seq)
        return found

    def renew(self, items: int) -> None:
        """Some items are pending again, wherever they are."""
        if self._left is not None:
            self._left += items
        self._items = self._begin()

    def _begin(self) -> Iterator[Pending]:
        return self._read(lambda: self.taken)
