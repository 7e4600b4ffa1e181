"""A shard with its batches, as the ledger has them."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from processor.batch.quota import is_quota
from processor.batch.remote_values import FAILED, TERMINAL
from processor.ledger import shards
from processor.ledger.shards import DONE, Batch, Shard


@dataclass(frozen=True, slots=True)
class Job:
    """A shard with its batches.

    Attributes:
        batches: The oldest first; more than one after a doubt.
    """

    shard: Shard
    batches: Sequence[Batch]

    @property
    def is_live(self) -> bool:
        """Whether something is still to be done for it."""
        return self.shard.state not in DONE

    @property
    def open_batches(self) -> list[Batch]:
        """Those that were at work when they were seen last."""
        if not self.is_live:
            return []
        return [batch for batch in self.batches if batch.status not in TERMINAL]

    @property
    def failure(self) -> str | None:
        """Why its rows have no answers and need a hand: all its batches failed; None otherwise.

        A batch for which the provider's queue had no room is sent again when there is some.
        """
        if not self.batches or any(batch.status != FAILED for batch in self.batches):
            return None
        problem = self.batches[-1].problem or "the provider does not say why"
        return None if is_quota(problem) else problem


def jobs_of(connection: sqlite3.Connection) -> list[Job]:
    """All of a run, in the order of their shards."""
    found: dict[int, list[Batch]] = {}
    for batch in shards.batches(connection):
        found.setdefault(batch.shard, []).append(batch)
    return [Job(shard, found.get(shard.number, [])) for shard in shards.all_of(connection)]
