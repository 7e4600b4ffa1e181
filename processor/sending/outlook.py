"""What is known of a run at a moment, as decisions need it."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from processor.ledger import counters, database, pending, shards
from processor.ledger.shards import Batch, Shard
from processor.plan.decide import Open, View
from processor.plan.speed import Estimate
from processor.sending.terms import HybridTerms, ItemCosts

_CANCELLING = frozenset({"cancelling", "cancelled"})
_ENOUGH = 20  # items whose cost tells what others will cost


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How the lanes stand, which no ledger tells.

    Attributes:
        taken: Items in the direct lane, by `seq`.
        queued: How many of them it sends, or is about to.
        apart: Items that go into no batch any more.
        taken_back: Shards that were told to come back, and for how many seconds by now.
        left: Shards that stay where they are.
        most: How many more items may be sent; None for all.
        is_still: Whether no call is made for now.
    """

    taken: Collection[int]
    queued: int
    apart: Iterable[int]
    taken_back: Mapping[int, float]
    left: Collection[int]
    most: int | None
    is_still: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """Reads what is known.

    Attributes:
        path: Of the ledger.
        terms: What the start begins with.
    """

    path: Path
    terms: HybridTerms

    def view(
        self,
        *,
        now_s: float,
        standing: Standing,
        speed: Estimate,
        left_usd: float | None,
        has_batches: bool,
    ) -> View:
        """What is known now.

        Args:
            now_s: Seconds since 1970.
            standing: How the lanes stand.
            speed: Of the direct lane.
            left_usd: Of the budget, with nothing of it that is spent, or reserved by batches.
            has_batches: Whether the provider takes batches.

        Raises:
            LedgerError: The ledger cannot be read.
        """
        # First: what leaves a shard meanwhile counts twice then; otherwise nobody would see it.
        away = self._open(now_s, standing)
        taken = standing.taken
        tried = [seq for seq in pending.tried(self.path) if seq not in taken]
        refused = pending.free(self.path, (seq for seq in standing.apart if seq not in taken))
        waiting, held = shards.pending(self.path)
        nowhere = 0 if self.terms.takes_direct else len(refused)
        unassigned = max(0, waiting - held - len(taken) - nowhere)
        if standing.most is not None:
            unassigned = min(unassigned, standing.most)
        returned = min(len(tried) + len(refused) - nowhere, unassigned)
        costs = self._costs()
        return View(
            now_s=now_s,
            deadline_s=self.terms.deadline_s,
            fresh=unassigned - returned,
            returned=returned,
            queued=standing.queued,
            per_s=speed.per_s,
            is_measured=speed.is_measured,
            direct_usd=costs.direct_usd,
            batch_usd=costs.batch_usd,
            left_usd=_without(left_usd, standing.queued, costs),
            open=away,
            has_batches=has_batches,
            has_direct=self.terms.takes_direct,
            is_still=standing.is_still,
            latencies=self.terms.latencies,
        )

    def _open(self, now_s: float, standing: Standing) -> tuple[Open, ...]:
        with database.reading(self.path) as connection:
            waiting = shards.waiting_by_shard(connection)
            batches: dict[int, Batch] = {each.shard: each for each in shards.batches(connection)}
            found = shards.live(connection)
        live = [shard for shard in found if shard.number not in standing.left]
        return tuple(
            _as_open(
                shard,
                batches.get(shard.number),
                waiting.get(shard.number, 0),
                now_s,
                back_s=standing.taken_back.get(shard.number),
            )
            for shard in live
        )

    def _costs(self) -> ItemCosts:
        with database.reading(self.path) as connection:
            found = counters.read(connection)
        seen = [_seen_usd(found.get(lane, {})) for lane in ("direct", "batch")]
        direct_usd, batch_usd = seen
        if direct_usd is None:
            direct_usd = self.terms.expected.direct_usd if batch_usd is None else 2 * batch_usd
        if batch_usd is None:
            batch_usd = self.terms.expected.batch_usd if seen[0] is None else seen[0] / 2
        return ItemCosts(direct_usd=direct_usd, batch_usd=batch_usd)


def _without(left_usd: float | None, queued: int, costs: ItemCosts) -> float | None:
    """What is left of a budget when so many items are sent directly."""
    return None if left_usd is None else max(0.0, left_usd - queued * (costs.direct_usd or 0.0))


def _as_open(
    shard: Shard, batch: Batch | None, waiting: int, now_s: float, *, back_s: float | None
) -> Open:
    answered = 0 if batch is None else batch.completed or 0  # what failed is to be done again
    made_s = shard.at if batch is None else (batch.created_at or batch.seen_at)
    return Open(
        number=shard.number,
        items=waiting,
        answered=min(waiting, max(0, answered - (shard.items - waiting))),
        age_s=round(max(0.0, now_s - made_s), 3),
        cancelling=back_s is not None or (batch is not None and batch.status in _CANCELLING),
        back_s=round(back_s or 0.0, 3),
    )


def _seen_usd(lane: Mapping[str, float]) -> float | None:
    """What an item has cost by a lane; None before enough were done."""
    done = lane.get("succeeded", 0.0) + lane.get("failed", 0.0)
    if done < _ENOUGH or lane.get("unpriced") or not lane.get("cost_usd"):
        return None
    return lane["cost_usd"] / done
