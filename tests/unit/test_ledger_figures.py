"""Counters are kept beside what they count; here they are compared with a full recount."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st
from ledger_parts import (
    UNPRICED,
    asked_again,
    failed,
    item,
    ledger_of,
    price,
    retried,
    settle,
    succeeded,
    usage,
)
from msgspec.structs import replace

from processor.items import Attempt, Lane, Outcome, Usage
from processor.ledger import histogram
from processor.ledger.ledger import Ledger
from processor.watch import snapshot
from processor.watch.snapshot import Snapshot

ITEMS = 12
CODES = ("timeout", "invalid", "refused")
KNOWN_TIERS = ("default", "flex")

usages = st.none() | st.builds(usage, st.integers(0, 99), st.integers(0, 99), st.integers(0, 9))
lanes = st.sampled_from(["direct", "batch"])
models = st.sampled_from(["m-1", "m-1", "m-1", UNPRICED])


@dataclass(frozen=True, slots=True)
class Call:
    """One request: how it ends, and whether another follows in the same commit."""

    ends: str
    lane: Lane
    paid: Usage | None
    model: str
    latency_ms: float
    code: str
    tier: str | None


calls = st.builds(
    Call,
    st.sampled_from(["retry", "reask", "success", "success", "failure", "unsent"]),
    lanes,
    usages,
    models,
    st.just(0.0) | st.floats(0.01, 1e5),
    st.sampled_from(CODES),
    st.sampled_from([None, "default", "flex", "of their own", "of nobody's"]),
)
steps = st.lists(
    st.one_of(
        st.lists(st.tuples(st.integers(1, ITEMS), calls), min_size=1, max_size=20),
        st.sampled_from([["timeout"], ["invalid", "refused"], None]),
    ),
    max_size=8,
)


class Recount:
    """The plain way to the figures: everything that happened, kept in lists."""

    def __init__(self) -> None:
        self.requests: list[Outcome | Attempt] = []
        self.outcomes: dict[int, Outcome] = {}
        self.attempts: Counter[int] = Counter()

    def call(self, seq: int, call: Call) -> Outcome | Attempt | None:
        """The record of a call; None when the item is settled already."""
        if seq in self.outcomes:
            return None
        if call.ends == "unsent":
            outcome = failed(
                item(seq, chunk_size=5),
                attempts=self.attempts[seq],
                code="template",
                retryable=False,
                lane=call.lane,
                latency_ms=0.0,
            )
            self.outcomes[seq] = outcome
            return outcome
        self.attempts[seq] += 1
        record = self._record(seq, call)
        self.requests.append(record)
        if isinstance(record, Outcome):
            self.outcomes[seq] = record
        return record

    def _record(self, seq: int, call: Call) -> Outcome | Attempt:
        one, number = item(seq, chunk_size=5), self.attempts[seq]
        if call.ends == "retry":
            return retried(one, number, status=429, lane=call.lane)
        if call.ends == "reask":
            return asked_again(one, number, lane=call.lane, paid=call.paid, model=call.model)
        if call.ends == "success":
            done = succeeded(
                one,
                attempts=number,
                lane=call.lane,
                latency_ms=call.latency_ms,
                paid=call.paid,
                model=call.model,
            )
            return replace(done, tier=call.tier)
        return failed(
            one,
            attempts=number,
            code=call.code,
            retryable=call.code != "refused",
            lane=call.lane,
            latency_ms=call.latency_ms,
            answered=call.code != "timeout",
            paid=None if call.code == "timeout" else call.paid,
            model=call.model,
        )

    def requeue(self, codes: list[str] | None) -> int:
        again = [
            seq
            for seq, outcome in self.outcomes.items()
            if outcome.failure
            and (outcome.failure.retryable if codes is None else outcome.failure.code in codes)
        ]
        for seq in again:
            del self.outcomes[seq]
        return len(again)

    def paid(self, requests: list[Outcome | Attempt]) -> tuple[int, int, int, float | None]:
        answered = [one for one in requests if one.answered]
        known = [one.usage for one in answered if one.usage]
        costs = [
            price(one.model, None, one.lane, one.usage) if one.usage else None for one in answered
        ]
        return (
            sum(one.prompt_tokens for one in known),
            sum(one.completion_tokens for one in known),
            sum(one.cached_tokens for one in known),
            None if None in costs else sum(cost or 0 for cost in costs),
        )


def check_totals(shot: Snapshot, recount: Recount) -> None:
    settled = list(recount.outcomes.values())
    assert shot.total == ITEMS
    assert shot.succeeded == sum(one.accepted is not None for one in settled)
    assert shot.failed == sum(one.failure is not None for one in settled)
    assert shot.succeeded + shot.failed + shot.pending == shot.total
    assert shot.errors == Counter(one.failure.code for one in settled if one.failure)
    assert shot.checks == Counter(one.accepted.check for one in settled if one.accepted)
    named = (one.tier for one in settled if one.tier and one.lane == "direct")
    assert shot.tiers == Counter(tier if tier in KNOWN_TIERS else "other" for tier in named)
    overall = shot.overall
    assert overall.requests_sent == len(recount.requests)
    assert overall.rate_limited == sum(
        isinstance(one, Attempt) and one.status == 429 for one in recount.requests
    )
    unsettled = [one for one in recount.requests if isinstance(one, Attempt)]
    assert overall.reasks == sum(one.problem is not None for one in unsettled)
    assert overall.retries == len(unsettled) - overall.reasks
    assert recount.paid(recount.requests) == (
        overall.prompt_tokens,
        overall.completion_tokens,
        overall.cached_tokens,
        overall.cost_usd,
    )
    for lane, totals in shot.lanes.items():
        of_lane = [one for one in recount.requests if one.lane == lane]
        assert totals.requests_sent == len(of_lane)
        assert totals.cost_usd == recount.paid(of_lane)[3]
        assert totals.succeeded == sum(one.lane == lane and bool(one.accepted) for one in settled)


def check_latencies(ledger: Ledger, shot: Snapshot, recount: Recount) -> None:
    timed = [one.latency_ms for one in recount.outcomes.values() if one.latency_ms]
    held = {
        bucket: count
        for bucket, count in ledger.connection.execute("SELECT * FROM latencies")
        if count
    }
    assert held == Counter(map(histogram.bucket, timed))
    assert shot.latency_ms.max == (max(timed) if timed else None)
    if timed:
        assert shot.latency_ms.mean == pytest.approx(sum(timed) / len(timed))


def check_rows(ledger: Ledger, recount: Recount) -> None:
    """Every item's own figures, and its chunk's."""
    rows = ledger.connection.execute(
        "SELECT seq, attempts, prompt_tokens, completion_tokens, cached_tokens, cost_usd "
        "FROM outcomes"
    ).fetchall()
    assert {row[0] for row in rows} == set(recount.outcomes)
    for seq, attempts, *paid in rows:
        own = [one for one in recount.requests if one.item.seq == seq]
        assert attempts == len(own)
        expected: list[Any] = list(recount.paid(own))
        if any(one.answered and one.usage is None for one in own):
            expected[:3] = [None, None, None]
        assert paid == expected
    for number, first, items, succeeded_, failed_ in ledger.connection.execute(
        "SELECT number, first_seq, items, succeeded, failed FROM chunks"
    ):
        own_ = [recount.outcomes.get(seq) for seq in range(first, first + items)]
        assert succeeded_ == sum(one is not None and bool(one.accepted) for one in own_), number
        assert failed_ == sum(one is not None and bool(one.failure) for one in own_), number
    chunks = ledger.connection.execute("SELECT succeeded + failed = items FROM chunks").fetchall()
    shot = snapshot.take(ledger.folder)
    assert (shot.chunks, shot.chunks_complete) == (len(chunks), sum(done for (done,) in chunks))


def check_pending(ledger: Ledger, recount: Recount) -> None:
    found = {one.item.seq: one for one in ledger.pending()}
    assert set(found) == set(range(1, ITEMS + 1)) - set(recount.outcomes)
    for seq, one in found.items():
        assert one.attempts == recount.attempts[seq]


@settings(max_examples=60, deadline=None)
@given(steps)
def test_figures_equal_a_full_recount(
    tmp_path_factory: pytest.TempPathFactory, taken: list[Any]
) -> None:
    folder = tmp_path_factory.mktemp("run")
    recount = Recount()
    with ledger_of(folder, ITEMS, chunk_size=5) as ledger:
        for step in taken:
            if step is None or isinstance(step[0], str):
                assert ledger.requeue(step) == recount.requeue(step)
            else:
                records = [recount.call(seq, call) for seq, call in step]
                settle(ledger.connection, *(one for one in records if one is not None))
            shot = snapshot.take(folder)
            check_totals(shot, recount)
            check_latencies(ledger, shot, recount)
            check_rows(ledger, recount)
            check_pending(ledger, recount)
            counts = ledger.counts()
            assert (counts.total, counts.succeeded, counts.failed, counts.pending) == (
                shot.total,
                shot.succeeded,
                shot.failed,
                shot.pending,
            )


def test_a_large_commit_is_the_same_as_many_small_ones(tmp_path: Path) -> None:
    """Rows go into the tables in groups of several sizes."""
    with ledger_of(tmp_path, 300) as ledger:
        settle(
            ledger.connection,
            *(retried(item(seq), 1) for seq in range(1, 300)),
            *(succeeded(item(seq), attempts=2, result=f"r{seq}") for seq in range(1, 300)),
        )
        assert ledger.connection.execute("SELECT seq, result FROM outcomes").fetchall() == [
            (seq, f"r{seq}") for seq in range(1, 300)
        ]
        assert ledger.connection.execute("SELECT COUNT(*) FROM attempts").fetchone() == (299,)
