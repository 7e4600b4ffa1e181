"""Both lanes at once, put together."""

from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path

from processor.ledger.pending import Pending
from processor.sending.batch import BatchSending
from processor.sending.direct import DirectSending
from processor.sending.errand import Errand
from processor.sending.feed import Feed
from processor.sending.hybrid import Hybrid
from processor.sending.outlook import Outlook
from processor.sending.terms import BatchTerms, HybridTerms


def hybrid_of(
    errand: Errand,
    terms: HybridTerms,
    *,
    path: Path,
    batch: BatchTerms,
    first: Sequence[int],
    left: Callable[[Collection[int]], int | None],
) -> Hybrid:
    """Both lanes, and whoever conducts them.

    Args:
        errand: What is sent.
        terms: What it begins with.
        path: Of the ledger.
        batch: What the start wants of the batch lane.
        first: Items for which somebody waits, by `seq`.
        left: Tells how many more items may be assigned besides some; None for all.
    """
    feed = Feed()
    by_batch = BatchSending(
        errand,
        terms=batch,
        pending=_nothing,
        by_calls_usd=lambda: directly.claimed_usd,
        falls=terms.takes_direct,
        leaves=terms.takes_direct,
        serves=True,
    )
    directly = DirectSending(
        errand,
        pending=feed,
        by_batch_usd=lambda: by_batch.claimed_usd,
        hopes=lambda: by_batch.is_holding,
    )
    outlook = Outlook(path=path, terms=terms)
    return Hybrid(
        errand, batch=by_batch, direct=directly, feed=feed, outlook=outlook, left=left, first=first
    )


def _nothing() -> Iterator[Pending]:
    return iter(())
