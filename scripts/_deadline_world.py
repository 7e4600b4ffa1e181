"""A provider in simulated time: a direct lane of some speed, batches that take their time."""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from processor.plan.decide import Decision, Open, View
from processor.plan.latency import Latencies, Seen
from processor.plan.speed import Speed

STEP_S = 15.0
DAY_S = 86_400.0
DIRECT_USD, BATCH_USD = 1.0, 0.5  # an item


@dataclass(frozen=True, slots=True)
class Scenario:
    """What happens, whatever is done.

    Attributes:
        kind: How batches behave.
        per_s: Items a second that the direct lane really does.
        rate_swings: Share by which that goes up and down within an hour.
        outage_s: How long nothing gets through, once.
        believed_per_s: What is believed of `per_s` before anything is measured.
        median_s: Of how long batches take.
        spread: Of the logarithm of that.
        begins_share: Share of its time in which a batch shows no progress.
        cancel_s: How long cancelling takes.
        unanswered_share: Lines that a batch leaves unanswered.
        budget_share: The budget, as a share of what everything costs directly.
        history: Batches that were seen before.
    """

    name: str
    items: int
    deadline_s: float
    kind: str
    per_s: float
    rate_swings: float
    outage_s: float
    believed_per_s: float
    median_s: float
    spread: float
    begins_share: float
    cancel_s: float
    unanswered_share: float
    budget_share: float | None
    history: int
    seed: int

    @property
    def budget_usd(self) -> float | None:
        """The budget."""
        return None if self.budget_share is None else self.budget_share * self.items * DIRECT_USD

    def duration_s(self, shard: int) -> float:
        """How long a batch takes; inf when it never ends."""
        rng = random.Random(f"{self.seed}-{shard}")  # noqa: S311 - a fixed series
        if self.kind in ("never", "validating", "expires"):
            return math.inf
        median_s = self.median_s
        if self.kind == "mixed":
            median_s = rng.choice([600.0, 8 * 3600.0])
        return median_s * math.exp(rng.gauss(0.0, self.spread))

    def progress(self, shard: int, age_s: float) -> float:
        """Share of its lines that a batch has done at this age."""
        if self.kind == "expires":
            return min(0.5, age_s / (4 * self.median_s))
        duration_s = self.duration_s(shard)
        if duration_s == math.inf:
            return 0.0
        share = age_s / duration_s
        return min(1.0, max(0.0, (share - self.begins_share) / (1 - self.begins_share)))

    def seen(self) -> list[Seen]:
        """Batches of earlier runs."""
        if self.kind in ("never", "validating", "fails", "expires"):
            kind = [Seen(self.items, 4 * 3600.0 * math.exp(0.5 * math.sin(n))) for n in range(9)]
            return kind[: self.history]
        return [Seen(self.items, self.duration_s(-n)) for n in range(1, self.history + 1)]


@dataclass(slots=True)
class _Shard:
    number: int
    items: int
    made_s: float
    cancelled_s: float | None = None


@dataclass(slots=True)
class World:
    """The state of a simulated job: what is where, and what it has cost."""

    scenario: Scenario
    now_s: float = 0.0
    fresh: float = 0.0
    returned: float = 0.0
    queued: float = 0.0
    done_direct: float = 0.0
    done_batch: float = 0.0
    shards: list[_Shard] = field(default_factory=list)
    made: int = 0
    _latencies: Latencies = field(init=False)
    _speed: Speed = field(init=False)

    def __post_init__(self) -> None:
        self.fresh = self.scenario.items
        self._latencies = Latencies(self.scenario.seen())
        self._speed = Speed(believed_per_s=self.scenario.believed_per_s)
        self._speed.look(0.0, 0, busy=False)

    @property
    def done(self) -> bool:
        """Whether every item is answered."""
        return self.done_direct + self.done_batch >= self.scenario.items - 1e-6

    @property
    def spent_usd(self) -> float:
        """What was charged."""
        return self.done_direct * DIRECT_USD + self.done_batch * BATCH_USD

    @property
    def reserved_usd(self) -> float:
        """What is under way will cost."""
        held = sum(shard.items for shard in self.shards)
        return self.queued * DIRECT_USD + held * BATCH_USD

    def view(self) -> View:
        """What is known now."""
        scenario = self.scenario
        speed = self._speed.estimate
        budget_usd = scenario.budget_usd
        return View(
            now_s=self.now_s,
            deadline_s=scenario.deadline_s,
            fresh=math.ceil(self.fresh - 1e-6),
            returned=math.ceil(self.returned - 1e-6),
            queued=math.ceil(self.queued - 1e-6),
            per_s=speed.per_s,
            is_measured=speed.is_measured,
            direct_usd=DIRECT_USD,
            batch_usd=BATCH_USD,
            left_usd=None
            if budget_usd is None
            else budget_usd - self.spent_usd - self.reserved_usd,
            open=tuple(self._open()),
            is_still=self._is_out,
            latencies=self._latencies,
        )

    def act(self, decision: Decision) -> None:
        """Do what was decided."""
        direct = min(decision.direct, self.fresh + self.returned)
        back = min(direct, self.returned)
        self.returned -= back
        self.fresh -= direct - back
        self.queued += direct
        batch = min(decision.batch, self.fresh + self.returned)
        first = min(batch, self.fresh)
        self.fresh -= first
        self.returned -= batch - first
        while batch > 1e-6:
            items = min(batch, decision.shard_items)
            self.made += 1
            self.shards.append(_Shard(self.made, math.ceil(items), self.now_s))
            batch -= items
        for shard in self.shards:
            if shard.number in decision.cancel and shard.cancelled_s is None:
                shard.cancelled_s = self.now_s

    def pass_time(self, seconds: float) -> None:
        """Let everything go on."""
        before_s, self.now_s = self.now_s, self.now_s + seconds
        if self._is_out:
            self._speed.look(self.now_s, 0, busy=True, out=True)
        else:
            self._call(before_s)
        for shard in list(self.shards):
            self._advance(shard)

    def _call(self, since_s: float) -> None:
        """What the direct lane does until now."""
        rate = self._rate()
        done = min(self.queued, rate * (self.now_s - since_s))
        self.queued -= done
        self.done_direct += done
        if done:
            self._speed.look(since_s + done / rate, done, busy=True)
        self._speed.look(self.now_s, 0, busy=self.queued > 0)

    @property
    def _is_out(self) -> bool:
        """Whether calls were seen not to get through."""
        return self.queued > 0 and not self._rate()

    def _advance(self, shard: _Shard) -> None:
        scenario, age_s = self.scenario, self.now_s - shard.made_s
        if shard.cancelled_s is not None:
            if self.now_s >= shard.cancelled_s + scenario.cancel_s:
                answered_s = min(age_s, shard.cancelled_s - shard.made_s + scenario.cancel_s)
                self._end(shard, scenario.progress(shard.number, answered_s))
        elif scenario.kind == "fails" and age_s >= 60:
            self._end(shard, 0.0)
        elif age_s >= scenario.duration_s(shard.number):
            self._end(shard, 1 - scenario.unanswered_share)
        elif age_s >= DAY_S:
            self._end(shard, scenario.progress(shard.number, DAY_S))

    def _end(self, shard: _Shard, share: float) -> None:
        self.shards.remove(shard)
        answered = math.floor(shard.items * share)
        self.done_batch += answered
        self.returned += shard.items - answered

    def _open(self) -> Iterator[Open]:
        for shard in self.shards:
            age_s = self.now_s - shard.made_s
            yield Open(
                number=shard.number,
                items=shard.items,
                answered=math.floor(shard.items * self.scenario.progress(shard.number, age_s)),
                age_s=age_s,
                cancelling=shard.cancelled_s is not None,
                back_s=0.0 if shard.cancelled_s is None else self.now_s - shard.cancelled_s,
            )

    def _rate(self) -> float:
        scenario = self.scenario
        share = random.Random(scenario.seed).uniform(0.1, 0.8)  # noqa: S311 - a fixed series
        begins_s = share * scenario.deadline_s
        if begins_s <= self.now_s < begins_s + scenario.outage_s:
            return 0.0
        swing = math.sin(2 * math.pi * self.now_s / 3600 + scenario.seed)
        return scenario.per_s * (1 + scenario.rate_swings * swing)
