"""How the batch lane behaves."""

from dataclasses import dataclass, field
from math import inf
from pathlib import Path

from processor.batch.sharding import ShardRules
from processor.batch.until import Until


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRules:
    """How the lane behaves.

    Attributes:
        run_id: Of the run; names files and batches.
        folder: For the files, here.
        account: Short hash of provider and key.
        until: How long the lane stays.
        shards: How large a shard may be.
        grace_s: How long a batch that may have been made is looked for before another is.
        give_up_s: How long uploads, creations and downloads are tried again.
        leftovers_stay: Items that a batch did not answer are not put into another one.
        serves: Somebody tells what is sent and when the lane is over; nothing is sent by itself.
        gives_way: A batch that is refused or lost does not stop the job: its items go another way.
        validating_most_s: How long a batch may be validated before it is stopped.
        sends: Whether shards that are no batch yet become one; they are given up otherwise.
        adopts: Batches of the very same requests are taken over, whichever run made them.
        description: For people who look at the batches at the provider; may be empty.
    """

    run_id: str
    folder: Path
    account: str | None
    until: Until = Until.SETTLED
    shards: ShardRules = field(default_factory=ShardRules)
    grace_s: float = 120.0
    give_up_s: float = 300.0
    leftovers_stay: bool = False
    serves: bool = False
    gives_way: bool = False
    validating_most_s: float = inf
    sends: bool = True
    adopts: bool = True
    description: str = ""
