"""What is known of a run at a moment, from its ledger."""

from dataclasses import replace
from pathlib import Path

from ledger_parts import item, ledger_of, retried, settle, shard, succeeded

from processor.ledger import database, shards
from processor.ledger.ledger import Ledger
from processor.ledger.shards import Batch
from processor.plan.decide import Open, View
from processor.plan.latency import Latencies
from processor.plan.speed import Estimate
from processor.sending.outlook import Outlook, Standing
from processor.sending.terms import HybridTerms, ItemCosts

NOW_S = 10_000.0
STANDING = Standing(taken=(), queued=0, apart=(), taken_back={}, left=(), most=None)


def seen(ledger: Ledger, standing: Standing, *, left_usd: float | None = None) -> View:
    terms = HybridTerms(
        deadline_s=None,
        latencies=Latencies(),
        expected=ItemCosts(direct_usd=0.1, batch_usd=0.05),
        believed_per_s=1.0,
    )
    return Outlook(path=ledger.path, terms=terms).view(
        now_s=NOW_S,
        standing=standing,
        speed=Estimate(1.0, is_measured=True),
        left_usd=left_usd,
        has_batches=True,
    )


def hold(ledger: Ledger, *held: int) -> None:
    """A shard of items, and its batch that has answered three, and failed to answer four."""
    batch = Batch(
        id="batch_1",
        shard=1,
        status="in_progress",
        created_at=NOW_S - 60,
        seen_at=NOW_S,
        total=len(held),
        completed=3,
        failed=4,
    )
    with database.transaction(ledger.connection):
        shards.add(ledger.connection, shard(number=1, items=len(held)), held)
        shards.see(ledger.connection, [batch])


def test_every_item_is_somewhere_once(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 30) as ledger:
        settle(ledger.connection, succeeded(item(1)), retried(item(2), 1))
        hold(ledger, *range(11, 21))
        view = seen(ledger, replace(STANDING, taken={3, 4}, queued=2, apart=[5, 1, 11, 4]))
        assert (view.fresh, view.returned, view.queued) == (15, 2, 2)
        assert sum(each.items for each in view.open) == 10


def test_what_failed_in_a_batch_is_to_be_done_again(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 30) as ledger:
        hold(ledger, *range(11, 21))
        (away,) = seen(ledger, replace(STANDING, taken_back={1: 5.0})).open
        assert away == Open(number=1, items=10, answered=3, age_s=60.0, cancelling=True, back_s=5.0)


def test_a_shard_that_stays_where_it_is_is_none_to_wait_for(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 30) as ledger:
        hold(ledger, *range(11, 21))
        view = seen(ledger, replace(STANDING, left={1}))
        assert (view.open, view.fresh) == ((), 20)


def test_of_what_is_left_of_a_budget_items_on_their_way_have_theirs(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 30) as ledger:
        view = seen(ledger, replace(STANDING, taken={1, 2}, queued=2, most=5), left_usd=0.5)
        assert view.left_usd == 0.5 - 2 * 0.1
        assert view.fresh == 5
