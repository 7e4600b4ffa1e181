"""What every part of the lane works with."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from processor.batch.halt import Halt
from processor.batch.purse import Purse
from processor.batch.remote import Remote
from processor.batch.rules import BatchRules
from processor.batch.steps import Step
from processor.batch.store import Store
from processor.clock import Clock
from processor.notice import Notice


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What every part of the lane works with.

    Attributes:
        remote: The provider.
        store: The ledger.
        purse: What batches may spend.
        rules: How the lane behaves.
        clock: Time.
        halt: Tells when the lane is to be left.
        rng: Jitter.
        tell: Takes what happens.
        at: Told of every step that a shard takes.
    """

    remote: Remote
    store: Store
    purse: Purse
    rules: BatchRules
    clock: Clock
    halt: Halt
    rng: random.Random
    tell: Callable[[Notice], None]
    at: Callable[[Step], None]
