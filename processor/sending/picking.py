"""Which items a lane gets next."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

from processor.batch.apart import Apart
from processor.ledger import pending
from processor.ledger.pending import Pending


@dataclass(frozen=True, slots=True)
class Picking:
    """Picks items that are in no lane.

    Attributes:
        path: Of the ledger.
        taken: Items in the direct lane, by `seq`, as it changes.
    """

    path: Path
    taken: Collection[int]

    def for_calls(self, count: int, apart: Apart, fresh: Iterator[Pending]) -> list[Pending]:
        """So many for the direct lane: those first that no batch has answered, or may hold.

        Args:
            count: How many.
            apart: Items that go into no batch any more.
            fresh: Gives those that come last.
        """
        taken = frozenset(self.taken)
        refused = pending.free(self.path, (seq for seq in apart if seq not in taken))
        tried = (seq for seq in pending.tried(self.path) if seq not in taken)
        chosen = sorted(islice(chain(tried, refused), count))
        return list(islice(chain(pending.read_chosen(self.path, chosen), fresh), count))

    def fresh(self, apart: Apart) -> Iterator[Pending]:
        """Items that nothing was sent for, and that a batch may hold."""
        return (each for each in self.unassigned(apart) if not (each.attempts or each.invalid))

    def unassigned(self, apart: Apart) -> Iterator[Pending]:
        """Items that a batch may hold."""
        found = pending.read(self.path, elsewhere=lambda: self.taken)
        return (each for each in found if each.item.seq not in apart)
