"""Items for the direct lane as they are assigned to it, while it works."""

from collections import deque
from collections.abc import Iterable

from processor.ledger.pending import Pending


class Feed:
    """An iterator that gives None when there is nothing now, and ends when it is closed.

    Attributes:
        taken: `seq` of all items that were assigned and have no outcome yet.
    """

    def __init__(self) -> None:
        self._waiting: deque[Pending] = deque()
        self._closed = False
        self.taken: set[int] = set()

    def __iter__(self) -> "Feed":
        return self

    def __next__(self) -> Pending | None:
        if self._waiting:
            return self._waiting.popleft()
        if self._closed:
            raise StopIteration
        return None

    def __len__(self) -> int:
        """Items that the lane has not asked for yet."""
        return len(self._waiting)

    def put(self, items: Iterable[Pending]) -> None:
        """Assign items."""
        for each in items:
            self.taken.add(each.item.seq)
            self._waiting.append(each)

    def close(self) -> None:
        """Nothing more comes."""
        self._closed = True
