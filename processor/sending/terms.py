"""What a start wants of the batch lane. Loads nothing of it: most runs go directly."""

from collections.abc import Callable
from dataclasses import dataclass

from processor.batch.steps import Step
from processor.batch.until import Until
from processor.plan.latency import Latencies


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


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemCosts:
    """What an item costs, in US dollars; None when a price is unknown."""

    direct_usd: float | None
    batch_usd: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HybridTerms:
    """What a start that mixes the lanes begins with.

    Attributes:
        deadline_s: Seconds since 1970; None without one.
        latencies: How long batches take.
        expected: What an item costs, before any has told.
        believed_per_s: Items a second of the direct lane, before it is measured.
        takes_batches: Whether the provider has a Batch API, and somebody wants it.
        takes_direct: Whether it takes calls: those of a day may be used up.
    """

    deadline_s: float | None
    latencies: Latencies
    expected: ItemCosts
    believed_per_s: float
    takes_batches: bool = True
    takes_direct: bool = True
