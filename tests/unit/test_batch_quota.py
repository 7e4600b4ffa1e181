"""What may be enqueued: the limit as refusals tell it, and a walk beside a provider that counts."""

from collections import deque
from dataclasses import dataclass, field
from math import inf

import pytest
from hypothesis import given, settings, strategies as st

from processor.batch.quota import Admission, Quota, Room, told_limit

MODEL = "gpt-6-luna"
NOW = Admission(Room.NOW)
NEVER = Admission(Room.NEVER)
OPENAI_SAYS = (
    "Enqueued token limit reached for gpt-4o-mini in organization org-abc. Limit: 900,000 "
    "enqueued tokens. Please try again once some in_progress batches have been completed."
)
AZURE_SAYS = (
    "The number of enqueued tokens has surpassed the configured limit of 30K for the deployment "
    "'gpt-4.1-batch'. Please either increase the limit or try again once the current jobs have "
    "finished."
)


@pytest.mark.parametrize(
    ("message", "limit"),
    [
        (OPENAI_SAYS, 900_000),
        (AZURE_SAYS, 30_000),
        ("Enqueued token limit reached. Limit: 90000", 90_000),
        ("Token limit of 1.5M reached", 1_500_000),
        ("tokens: limit of 15B", 15_000_000_000),
        ("Limit: 2 000 000 tokens", 2_000_000),
        ("Limit: 2.000.000 tokens.", 2_000_000),
        ("Limit: 900,000 tokens, 12 batches", 900_000),
        ("Enqueued token limit reached for gpt-6-luna", None),
        ("Limit: 0 tokens", None),
        ("Too many batches. Limit: 100.", None),
        ("", None),
    ],
)
def test_a_refusal_names_the_limit_in_several_ways(message: str, limit: int | None) -> None:
    assert told_limit(message) == limit


@dataclass
class Bench:
    """A quota, with what every call of a test has in common."""

    quota: Quota = field(default_factory=Quota)
    now_s: float = 0.0

    def ask(self, tokens: int, rows: int = 100, model: str = MODEL) -> Admission:
        return self.quota.admit(model, tokens=tokens, rows=rows, now_s=self.now_s)

    def open(self, shard: int, tokens: int, *, accepted: bool = True) -> None:
        self.quota.opened(shard, MODEL, tokens=tokens, now_s=self.now_s)
        if accepted:
            self.quota.accepted(shard)

    def refuse(self, shard: int, tokens: int, limit: int | None = None) -> None:
        self.quota.refused(shard, MODEL, tokens=tokens, limit=limit, now_s=self.now_s)


def test_everything_goes_until_a_limit_is_told() -> None:
    bench = Bench()
    for shard in range(50):
        assert bench.ask(10**9) == NOW
        bench.open(shard, 10**9, accepted=False)
    assert bench.quota.limit(MODEL) is None
    assert bench.quota.largest(MODEL) is None


def test_a_told_limit_is_kept_and_room_comes_with_an_end() -> None:
    bench = Bench()
    bench.open(1, 500_000)
    bench.refuse(2, 500_000, limit=900_000)
    assert bench.ask(500_000) == Admission(Room.LATER)
    bench.now_s = 1e9
    assert bench.ask(500_000) == Admission(Room.LATER)
    assert bench.ask(400_000) == NOW
    bench.quota.ended(1)
    assert bench.ask(500_000) == NOW
    assert bench.quota.enqueued(MODEL) == 0


def test_a_limit_is_that_of_one_model() -> None:
    bench = Bench()
    bench.open(1, 900_000)
    bench.refuse(2, 500_000, limit=900_000)
    assert bench.ask(500_000, model="gpt-6-sol") == NOW


@pytest.mark.parametrize(
    ("tokens", "rows", "expected"),
    [
        (900_001, 2, Admission(Room.SPLIT, most_tokens=900_000)),
        (900_001, 1, NEVER),
        (900_000, 1, NOW),
        (900_000, 2, NOW),
    ],
)
def test_what_alone_is_beyond_the_limit(tokens: int, rows: int, expected: Admission) -> None:
    bench = Bench()
    bench.refuse(1, 1_000_000, limit=900_000)
    assert bench.ask(tokens, rows) == expected
    assert bench.quota.largest(MODEL) == 900_000


def test_many_refused_together_teach_no_more_than_the_limit() -> None:
    bench = Bench()
    for shard in range(20):
        bench.open(shard, 100, accepted=False)
    for shard in range(9):
        bench.quota.accepted(shard)
    for shard in range(9, 20):
        bench.refuse(shard, 100, limit=900)
    assert bench.ask(100) == Admission(Room.LATER)
    bench.quota.ended(0)
    assert bench.ask(100) == NOW


@pytest.mark.parametrize("limit", [150, None])
def test_what_had_ended_when_a_refusal_was_seen_explains_it(limit: int | None) -> None:
    bench = Bench()
    bench.open(1, 100)
    bench.open(2, 100, accepted=False)
    bench.quota.ended(1)
    bench.refuse(2, 100, limit)
    assert bench.ask(100) == NOW
    bench.open(2, 100)
    assert bench.ask(100).room is Room.LATER


def test_what_had_ended_before_explains_nothing() -> None:
    bench = Bench()
    bench.open(1, 100)
    bench.quota.ended(1)
    bench.open(2, 100, accepted=False)
    bench.refuse(2, 100, 150)
    assert bench.ask(100) == Admission(Room.LATER, at_s=60)


def test_what_others_have_enqueued_bounds_us_until_a_batch_ends() -> None:
    bench = Bench()
    for shard in range(5):
        bench.open(shard, 100)
    bench.refuse(5, 100, limit=1_000)
    assert bench.ask(100) == Admission(Room.LATER, at_s=60.0)
    bench.quota.ended(0)
    assert bench.ask(100) == NOW
    bench.open(5, 100)
    assert bench.ask(100).room is Room.LATER


def test_the_ceiling_rises_slowly_as_batches_end() -> None:
    bench = Bench()
    for shard in range(5):
        bench.open(shard, 100)
    bench.refuse(5, 100)
    rounds = 0
    while bench.ask(100).room is Room.LATER:
        bench.quota.ended(rounds)
        bench.open(rounds + 5, 100)
        rounds += 1
    assert rounds == 8
    bench.open(99, 100, accepted=False)
    assert bench.ask(100).room is Room.LATER


def test_one_at_a_time_is_tried_beyond_the_ceiling() -> None:
    bench = Bench()
    bench.open(1, 100)
    bench.refuse(2, 100)
    waits = []
    for shard in range(3, 10):
        tried = bench.ask(100)
        assert tried.room is Room.LATER
        waits.append(tried.at_s - bench.now_s)
        bench.now_s = tried.at_s
        assert bench.ask(100) == NOW
        bench.open(shard, 100, accepted=False)
        assert bench.ask(100).room is Room.LATER
        bench.now_s += 5
        bench.quota.accepted(1)
        assert bench.ask(100).room is Room.LATER
        bench.refuse(shard, 100)
    assert waits == [60, 120, 240, 480, 900, 900, 900]


def test_refusals_of_what_was_under_way_together_count_once() -> None:
    bench = Bench()
    for shard in range(9):
        bench.open(shard, 20_000, accepted=False)
    for shard in range(9):
        bench.now_s += 0.1
        bench.refuse(shard, 20_000)
    assert bench.ask(20_000) == Admission(Room.LATER, at_s=bench.now_s + 60)


def alone(bench: Bench, tokens: int, rows: int = 100, limit: int | None = None) -> int:
    """How many times a shard is tried with nothing of ours open, until it is said not to fit."""
    for tries in range(100):
        asked = bench.ask(tokens, rows)
        if asked.room is Room.LATER:
            bench.now_s = asked.at_s
            asked = bench.ask(tokens, rows)
        if asked.room is not Room.NOW:
            return tries
        bench.open(tries, tokens, accepted=False)
        bench.refuse(tries, tokens, limit)
    return 100


def test_a_shard_that_never_fits_is_split_although_it_should_fit() -> None:
    bench = Bench()
    assert alone(bench, 900_000, limit=900_000) == 3
    assert bench.ask(900_000) == Admission(Room.SPLIT, most_tokens=450_000)
    assert alone(bench, 450_000, limit=900_000) == 3
    # A quarter of the limit is refused for what others have: it is tried for ever.
    assert bench.ask(450_000) == Admission(Room.SPLIT, most_tokens=225_000)
    assert alone(bench, 225_000, limit=900_000) == 100


def test_a_single_row_that_never_fits_is_given_up() -> None:
    bench = Bench()
    assert alone(bench, 500_000, rows=1, limit=900_000) == 3
    assert bench.ask(500_000, rows=1) == NEVER
    assert bench.ask(400_000, rows=1).room is Room.LATER
    bench.refuse(1, 2_000_000, limit=5_000_000)
    bench.now_s += 1e6
    assert bench.ask(500_000, rows=1) == NOW


def test_an_acceptance_ends_the_waiting() -> None:
    bench = Bench()
    assert alone(bench, 100) == 100
    bench.now_s += 900
    for shard in (500, 501, 502):
        assert bench.ask(100) == NOW
        bench.open(shard, 100, accepted=False)
        assert bench.ask(100).room is Room.LATER
        bench.quota.accepted(500)  # told at every look
        assert bench.ask(100).room is (Room.NOW if shard == 500 else Room.LATER)
        bench.quota.accepted(shard)
    bench.refuse(503, 100)
    assert bench.ask(100) == Admission(Room.LATER, at_s=bench.now_s + 60)


def test_what_was_accepted_once_fits_again() -> None:
    bench = Bench()
    assert alone(bench, 100) == 100
    bench.now_s += 900
    for shard in (500, 501, 502):
        bench.open(shard, 100)
    for shard in (500, 501, 502):
        bench.quota.ended(shard)
    for shard in (503, 504, 505):
        assert bench.ask(100) == NOW
        bench.open(shard, 100, accepted=False)
    bench.open(506, 100, accepted=False)
    assert bench.ask(100).room is Room.LATER


def test_an_acceptance_below_the_ceiling_tells_nothing() -> None:
    bench = Bench()
    for shard in range(3):
        bench.open(shard, 100, accepted=False)
    bench.refuse(3, 100)
    for shard in range(3):
        bench.quota.accepted(shard)
        assert bench.ask(100) == Admission(Room.LATER, at_s=60)


def test_refusals_before_an_acceptance_are_forgotten() -> None:
    bench = Bench()
    for _ in range(3):
        bench.refuse(1, 500_000, limit=900_000)
        bench.now_s += 900
        bench.refuse(1, 500_000, limit=900_000)
        bench.now_s += 900
        bench.open(1, 500_000)
        bench.quota.ended(1)
    assert bench.ask(500_000) == NOW


def test_what_was_never_created_leaves_no_trace() -> None:
    bench = Bench()
    bench.open(1, 100)
    bench.refuse(2, 100)
    for _ in range(100):
        bench.open(3, 100, accepted=False)
        bench.quota.ended(3)
    bench.quota.ended(4)
    assert bench.quota.enqueued(MODEL) == 100
    assert bench.ask(100).room is Room.LATER


@dataclass
class Provider:
    """Counts the tokens of batches as it likes, and refuses in one of three ways.

    Attributes:
        counts: How many tokens it counts for one of ours.
        others: (until when, tokens) of what others have enqueued; nothing after the last.
        at_create: Refuses at the call; otherwise the batch fails a moment later.
        tells: Whether it names the limit.
    """

    limit: int
    counts: float
    others: list[tuple[float, int]]
    at_create: bool
    tells: bool
    batches: dict[int, int] = field(default_factory=dict)

    def takes(self, shard: int, tokens: int, now_s: float) -> bool:
        taken = next((much for until_s, much in self.others if now_s < until_s), 0)
        counted = int(tokens * self.counts)
        if sum(self.batches.values()) + taken + counted > self.limit:
            return False
        self.batches[shard] = counted
        return True


@dataclass
class Walk:
    """A lane beside a provider, with a clock that jumps to what happens next."""

    provider: Provider
    waiting: deque[list[int]]
    quota: Quota = field(default_factory=Quota)
    now_s: float = 0.0
    number: int = 0
    done: list[int] = field(default_factory=list)
    given_up: list[int] = field(default_factory=list)
    events: list[tuple[float, str, int, list[int]]] = field(default_factory=list)
    look_s: float = inf

    def run(self, steps: int) -> None:
        for _ in range(steps):
            self._fill()
            if not self.events and not self.waiting:
                return
            when_s = min([self.look_s, *(event[0] for event in self.events)])
            assert when_s < inf, "nothing would ever happen again"
            self.now_s = max(self.now_s, when_s)
            self._happen()

    def _fill(self) -> None:
        self.look_s = inf
        while self.waiting:
            rows = self.waiting[0]
            asked = self.quota.admit(MODEL, tokens=sum(rows), rows=len(rows), now_s=self.now_s)
            if asked.room is Room.LATER:
                self.look_s = asked.at_s
                return
            self.waiting.popleft()
            if asked.room is Room.NEVER:
                self.given_up += rows
            elif asked.room is Room.SPLIT:
                self.waiting.extendleft(reversed(pieces(rows, asked.most_tokens)))
            else:
                self._create(rows)

    def _create(self, rows: list[int]) -> None:
        self.number += 1
        tokens, number = sum(rows), self.number
        self.quota.opened(number, MODEL, tokens=tokens, now_s=self.now_s)
        limit = self.quota.limit(MODEL)
        assert limit is None or self.quota.enqueued(MODEL) <= limit
        if self.provider.takes(number, tokens, self.now_s):
            self.events.append((self.now_s + 3, "accepted", number, rows))
            self.events.append((self.now_s + 2_000, "ended", number, rows))
        elif self.provider.at_create:
            self._refuse(number, rows)
        else:
            self.events.append((self.now_s + 3, "refused", number, rows))

    def _refuse(self, number: int, rows: list[int]) -> None:
        told = self.provider.limit if self.provider.tells else None
        self.quota.refused(number, MODEL, tokens=sum(rows), limit=told, now_s=self.now_s)
        self.waiting.append(rows)

    def _happen(self) -> None:
        due = [event for event in self.events if event[0] <= self.now_s]
        self.events = [event for event in self.events if event[0] > self.now_s]
        for _, what, number, rows in due:
            if what == "accepted":
                self.quota.accepted(number)
            elif what == "refused":
                self._refuse(number, rows)
            else:
                del self.provider.batches[number]
                self.quota.ended(number)
                self.done += rows


def pieces(rows: list[int], most: int) -> list[list[int]]:
    """Rows packed into pieces of at most so many tokens, where single rows allow."""
    packed: list[list[int]] = [[]]
    for row in rows:
        if packed[-1] and sum(packed[-1]) + row > most:
            packed.append([])
        packed[-1].append(row)
    return packed


providers = st.builds(
    Provider,
    limit=st.integers(30_000, 1_000_000),
    counts=st.floats(0.5, 2.0),
    others=st.lists(st.tuples(st.integers(1, 20), st.integers(0, 1_000_000)), max_size=3).map(
        lambda spans: [(5_000.0 * until, much) for until, much in sorted(spans)]
    ),
    at_create=st.booleans(),
    tells=st.booleans(),
)
shards = st.lists(st.lists(st.integers(1, 400_000), min_size=1, max_size=30), max_size=8)


@settings(max_examples=150, deadline=None)
@given(provider=providers, waiting=shards)
def test_every_row_ends_and_no_known_limit_is_exceeded(
    provider: Provider, waiting: list[list[int]]
) -> None:
    walk = Walk(provider, deque(list(rows) for rows in waiting))
    walk.run(steps=3_000)
    assert sorted(walk.done + walk.given_up) == sorted(row for rows in waiting for row in rows)
    if not any(much for _, much in provider.others):
        most = provider.limit / max(1.0, provider.counts)
        assert all(row > most - 1 for row in walk.given_up)


@settings(max_examples=50, deadline=None)
@given(provider=providers, rows=st.lists(st.integers(1, 20_000), min_size=1, max_size=200))
def test_a_quota_that_others_fill_for_days_is_waited_for(
    provider: Provider, rows: list[int]
) -> None:
    provider.others = [(3 * 86_400.0, provider.limit)]
    provider.tells, provider.counts = True, 1.0
    walk = Walk(provider, deque([rows]))
    walk.run(steps=3_000)
    assert len(walk.done) + len(walk.given_up) == len(rows)
    assert all(row > provider.limit // 4 for row in walk.given_up)
    assert walk.number < 400 + len(rows) // 2
