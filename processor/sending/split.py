"""Which pending items go directly while the others go by batch."""

from collections.abc import Iterator
from dataclasses import dataclass

from processor.items import Item
from processor.ledger.pending import Pending
from processor.urgency import is_urgent


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Items for which somebody waits.

    Attributes:
        through_seq: Those up to this one.
        field: Those in which this column says so.
        last_seq: None behind this one, which is not to be sent at all; None without a limit.
    """

    through_seq: int = 0
    field: str | None = None
    last_seq: int | None = None

    def direct(self, pending: Iterator[Pending]) -> Iterator[Pending]:
        """Those for which somebody waits."""
        for each in pending:
            if self.last_seq is not None and each.item.seq > self.last_seq:
                return
            if self.is_direct(each.item):
                yield each

    def background(self, pending: Iterator[Pending]) -> Iterator[Pending]:
        """The others."""
        return (each for each in pending if not self.is_direct(each.item))

    def is_direct(self, item: Item) -> bool:
        """Whether somebody waits for it."""
        if item.seq <= self.through_seq:
            return True
        return self.field is not None and bool(is_urgent(item.fields.get(self.field)))
