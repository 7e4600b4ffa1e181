"""Who may watch a run."""

from typing import Protocol

from processor.ledger.commit import ChunkTotals, Commit
from processor.notice import Notice


class Observer(Protocol):
    """Watches a run; never changes it."""

    def notice(self, notice: Notice) -> None:
        """Something happened; called in any thread, in several at once if need be."""

    def committed(self, commit: Commit) -> None:
        """Outcomes and attempts became durable; called in the writer's thread."""

    def chunk_written(self, chunk: ChunkTotals) -> None:
        """A chunk's file was written; called in the writer's thread."""
