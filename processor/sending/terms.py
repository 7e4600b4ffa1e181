"""What a start wants of the batch lane. Loads nothing of it: most runs go directly."""

from collections.abc import Callable
from dataclasses import dataclass

from processor.batch.steps import Step
from processor.batch.until import Until


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchTerms:
    """What a start wants of the batch lane besides its settings.

    Attributes:
        until: How long the lane stays.
        adopts: Whether batches of the very same requests are taken over.
        new_account: Whether batches of another key are believed to be this one's, too.
        heeds_cancel: What somebody has cancelled is not sent again.
        at: Told of every step that a shard takes.
    """

    until: Until = Until.SETTLED
    adopts: bool = True
    new_account: bool = False
    heeds_cancel: bool = False
    at: Callable[[Step], None] = lambda _: None
