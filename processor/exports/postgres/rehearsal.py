"""Which rows a delivery would make, change and leave, found out before they are."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

_SHOWN = 5
_WORDS = {"insert": "new", "update": "changed", "leave": "as they were", "miss": "not there"}


class Rehearsal:
    """The first ids of each kind."""

    def __init__(self) -> None:
        self._ids: defaultdict[str, list[str]] = defaultdict(list)
        self._counts: defaultdict[str, int] = defaultdict(int)

    def add(self, verdicts: Iterable[tuple[str, str]]) -> None:
        """Take what `statements.tell` answers: what is done with a row, and its id."""
        for verdict, key in verdicts:
            self._counts[verdict] += 1
            if len(self._ids[verdict]) < _SHOWN:
                self._ids[verdict].append(key)

    def lines(self) -> Iterator[str]:
        """What would be done with which rows, a line each."""
        for verdict, words in _WORDS.items():
            ids = self._ids[verdict]
            if ids:
                more = ", …" if self._counts[verdict] > len(ids) else ""
                yield f"{words}: {', '.join(ids)}{more}"
