"""One transaction of outcomes and attempts: their rows, and every counter that they move.

Many rows go into one statement, because SQLite's module gives up the interpreter lock at every
step and waits to get it back; a row a step would stall behind a busy event loop.
"""

import sqlite3
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from processor import jsontext
from processor.items import Attempt, Outcome, Usage
from processor.ledger import histogram

Record = Outcome | Attempt
Pricer = Callable[[str | None, str | None, str, Usage], float | None]
"""(model, tier, lane, usage) to US dollars; None when the price is unknown."""

_GROUPS = (128, 32, 8, 1)
_OUTCOME_COLUMNS = 20
_ATTEMPT_COLUMNS = 17


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkTotals:
    """How far a chunk is; complete when succeeded + failed = items."""

    number: int
    items: int
    succeeded: int
    failed: int

    @property
    def complete(self) -> bool:
        """Whether its last item has an outcome."""
        return self.succeeded + self.failed == self.items


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """What one transaction made durable, in the order it was recorded."""

    records: Sequence[Record]
    chunks: Sequence[ChunkTotals]


def write(
    connection: sqlite3.Connection, records: Sequence[Record], price: Pricer
) -> list[ChunkTotals]:
    """Write records within the caller's transaction; returns the chunks that they touched."""
    group = _Group(price)
    attempts = [group.attempt(record) for record in records if isinstance(record, Attempt)]
    _insert(connection, "attempts", attempts, _ATTEMPT_COLUMNS)
    outcomes = [record for record in records if isinstance(record, Outcome)]
    earlier = _earlier(connection, [o.item.seq for o in outcomes if o.attempts > 1])
    rows = [group.outcome(outcome, earlier.get(outcome.item.seq)) for outcome in outcomes]
    _insert(connection, "outcomes", rows, _OUTCOME_COLUMNS)
    _count(connection, group)
    return _count_chunks(connection, group.chunks)


@dataclass(frozen=True, slots=True)
class _Paid:
    """Tokens and price of answers; the price is None when any of them has none."""

    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    cost_usd: float | None

    def __add__(self, other: "_Paid") -> "_Paid":
        known = self.cost_usd is not None and other.cost_usd is not None
        return _Paid(
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            self.cached_tokens + other.cached_tokens,
            (self.cost_usd or 0) + (other.cost_usd or 0) if known else None,
        )


def _earlier(connection: sqlite3.Connection, seqs: Sequence[int]) -> dict[int, _Paid]:
    rows = connection.execute(
        "SELECT seq, IFNULL(SUM(prompt_tokens), 0), IFNULL(SUM(completion_tokens), 0), "
        "IFNULL(SUM(cached_tokens), 0), CASE WHEN COUNT(cost_usd) = COUNT(*) THEN SUM(cost_usd) "
        "END FROM attempts WHERE seq IN (SELECT value FROM json_each(?)) GROUP BY seq",
        (jsontext.dumps(seqs),),
    )
    return {seq: _Paid(*paid) for seq, *paid in rows}


_NOTHING = _Paid(0, 0, 0, 0.0)
_UNKNOWN = _Paid(0, 0, 0, None)


class _Group:
    """What the records of one transaction count up to."""

    def __init__(self, price: Pricer) -> None:
        self._price = price
        self._at = time.time()
        self.chunks: dict[int, list[int]] = defaultdict(lambda: [0, 0])
        self.counts: Counter[tuple[str, str]] = Counter()
        self.money: dict[str, float] = defaultdict(float)
        self.buckets: Counter[int] = Counter()
        self.latency_sum_ms = 0.0
        self.latency_max_ms = 0.0

    def outcome(self, outcome: Outcome, earlier: _Paid | None) -> tuple[object, ...]:
        """Count an outcome; returns its row."""
        paid = self._pay(outcome)
        if earlier is not None:
            paid += earlier
        self._settle(outcome)
        accepted, failure = outcome.accepted, outcome.failure
        return (
            outcome.item.seq,
            accepted is not None,
            accepted.result if accepted else None,
            accepted.check if accepted else None,
            jsontext.dumps(accepted.notes) if accepted and accepted.notes else None,
            failure.code if failure else None,
            failure.message if failure else None,
            failure.retryable if failure else None,
            outcome.lane,
            outcome.model,
            outcome.tier,
            outcome.attempts,
            outcome.latency_ms,
            paid.prompt_tokens,
            paid.completion_tokens,
            paid.cached_tokens,
            paid.cost_usd,
            outcome.request_id,
            outcome.body,
            self._at,
        )

    def attempt(self, attempt: Attempt) -> tuple[object, ...]:
        """Count an attempt; returns its row."""
        paid = self._pay(attempt)
        reask = attempt.problem is not None
        self.counts[attempt.lane, "requests"] += 1
        self.counts[attempt.lane, "reasks" if reask else "retries"] += 1
        if attempt.status == 429:
            self.counts[attempt.lane, "rate_limited"] += 1
        return (
            attempt.item.seq,
            attempt.number,
            attempt.lane,
            attempt.code,
            attempt.message,
            attempt.status,
            attempt.latency_ms,
            attempt.wait_s,
            attempt.model,
            paid.prompt_tokens,
            paid.completion_tokens,
            paid.cached_tokens,
            paid.cost_usd,
            attempt.answer,
            attempt.problem,
            reask,
            self._at,
        )

    def _settle(self, outcome: Outcome) -> None:
        lane, counts = outcome.lane, self.counts
        if outcome.accepted is not None:
            self.chunks[outcome.item.chunk][0] += 1
            counts[lane, "succeeded"] += 1
            counts[lane, f"check.{outcome.accepted.check}"] += 1
        if outcome.failure is not None:
            self.chunks[outcome.item.chunk][1] += 1
            counts[lane, "failed"] += 1
            counts[lane, f"error.{outcome.failure.code}"] += 1
        if outcome.attempts:
            counts[lane, "requests"] += 1
            self._time(outcome.latency_ms)

    def _pay(self, record: Record) -> _Paid:
        usage, lane, counts = record.usage, record.lane, self.counts
        if usage is None:
            if not record.answered:
                return _NOTHING
            counts[lane, "unpriced"] += 1
            return _UNKNOWN
        cost_usd = self._price(record.model, record.tier, lane, usage)
        counts[lane, "prompt_tokens"] += usage.prompt_tokens
        counts[lane, "completion_tokens"] += usage.completion_tokens
        counts[lane, "cached_tokens"] += usage.cached_tokens
        if cost_usd is None:
            counts[lane, "unpriced"] += 1
        else:
            self.money[lane] += cost_usd
        return _Paid(usage.prompt_tokens, usage.completion_tokens, usage.cached_tokens, cost_usd)

    def _time(self, latency_ms: float) -> None:
        self.buckets[histogram.bucket(latency_ms)] += 1
        self.latency_sum_ms += latency_ms
        self.latency_max_ms = max(self.latency_max_ms, latency_ms)


def _insert(
    connection: sqlite3.Connection, table: str, rows: list[tuple[object, ...]], columns: int
) -> None:
    place = 0
    one = f"({', '.join('?' * columns)})"
    for size in _GROUPS:
        while len(rows) - place >= size:
            values = [value for row in rows[place : place + size] for value in row]
            connection.execute(f"INSERT INTO {table} VALUES {', '.join([one] * size)}", values)
            place += size


def _count_chunks(
    connection: sqlite3.Connection, deltas: dict[int, list[int]]
) -> list[ChunkTotals]:
    totals = []
    for number, (succeeded, failed) in sorted(deltas.items()):
        row = connection.execute(
            "UPDATE chunks SET succeeded = succeeded + ?, failed = failed + ?, file_bytes = NULL "
            "WHERE number = ? RETURNING number, items, succeeded, failed",
            (succeeded, failed, number),
        ).fetchone()
        totals.append(ChunkTotals(number=row[0], items=row[1], succeeded=row[2], failed=row[3]))
    return totals


def _count(connection: sqlite3.Connection, group: _Group) -> None:
    rows: list[tuple[str, str, float]] = [
        (lane, name, value) for (lane, name), value in group.counts.items()
    ]
    rows += [(lane, "cost_usd", value) for lane, value in group.money.items()]
    rows.append(("", "latency_sum_ms", group.latency_sum_ms))
    connection.executemany(
        "INSERT INTO counters VALUES (?, ?, ?) "
        "ON CONFLICT DO UPDATE SET value = value + excluded.value",
        rows,
    )
    connection.execute(
        "INSERT INTO counters VALUES ('', 'latency_max_ms', ?) "
        "ON CONFLICT DO UPDATE SET value = MAX(value, excluded.value)",
        (group.latency_max_ms,),
    )
    connection.executemany(
        "INSERT INTO latencies VALUES (?, ?) "
        "ON CONFLICT DO UPDATE SET count = count + excluded.count",
        list(group.buckets.items()),
    )
