"""One transaction of outcomes and attempts.

Many rows go into one statement, because SQLite's module gives up the interpreter lock at every
step and waits to get it back; a row a step would stall behind a busy event loop.
"""

import sqlite3
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

from processor import jsontext
from processor.items import Attempt, Outcome
from processor.ledger import counters
from processor.ledger.tally import Paid, Pricer, Tally

Record = Outcome | Attempt

_GROUPS = (512, 128, 32, 8, 1)
_OUTCOME_COLUMNS = 21
_ATTEMPT_COLUMNS = 17
_VECTOR_COLUMNS = 2
_COUNT = """
UPDATE chunks SET succeeded = chunks.succeeded + more.succeeded,
                  failed = chunks.failed + more.failed, file_bytes = NULL
FROM (SELECT json_extract(value, '$[0]') AS number, json_extract(value, '$[1]') AS succeeded,
             json_extract(value, '$[2]') AS failed FROM json_each(?)) AS more
WHERE chunks.number = more.number
RETURNING chunks.number, items, chunks.succeeded, chunks.failed
"""


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
    connection: sqlite3.Connection, records: Sequence[Record], price: Pricer, session: int
) -> list[ChunkTotals]:
    """Write records within the caller's transaction; returns the chunks that they touched."""
    tally, at = Tally(price), time.time()
    attempts = [
        _attempt_row(record, tally.attempt(record), at)
        for record in records
        if isinstance(record, Attempt)
    ]
    _insert(connection, "attempts", attempts, _ATTEMPT_COLUMNS)
    outcomes = [record for record in records if isinstance(record, Outcome)]
    earlier = _earlier(connection, outcomes)
    rows = []
    for outcome in outcomes:
        number, paid = earlier.get(outcome.item.seq, _NEVER)
        last = tally.outcome(outcome, called=outcome.attempts > number)
        rows.append(_outcome_row(outcome, paid + last if number else last, session, at))
    _insert(connection, "outcomes", rows, _OUTCOME_COLUMNS)
    _insert(connection, "vectors", _vector_rows(outcomes), _VECTOR_COLUMNS)
    tally.save(connection)
    return _count_chunks(connection, outcomes)


_NEVER = (0, Paid())


def _earlier(
    connection: sqlite3.Connection, outcomes: Sequence[Outcome]
) -> dict[int, tuple[int, Paid]]:
    """Number of the last attempt, and what all attempts cost, of items that have any."""
    # Most items are answered at once; those are not looked up.
    seqs = [o.item.seq for o in outcomes if o.attempts > 1 or (o.attempts and not o.answered)]
    if not seqs:
        return {}
    known = (
        f"CASE WHEN COUNT({name}) = COUNT(*) THEN SUM({name}) END"
        for name in ("prompt_tokens", "completion_tokens", "cached_tokens", "cost_usd")
    )
    rows = connection.execute(
        f"SELECT seq, MAX(number), {', '.join(known)} FROM attempts "
        "WHERE seq IN (SELECT value FROM json_each(?)) GROUP BY seq",
        (jsontext.dumps(seqs),),
    )
    return {seq: (number, Paid(*paid)) for seq, number, *paid in rows}


def _outcome_row(outcome: Outcome, paid: Paid, session: int, at: float) -> tuple[object, ...]:
    accepted, failure = outcome.accepted, outcome.failure
    return (
        outcome.item.seq,
        session,
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
        at,
    )


def _vector_rows(outcomes: Sequence[Outcome]) -> list[tuple[object, ...]]:
    return [
        (outcome.item.seq, accepted.vector)
        for outcome in outcomes
        if (accepted := outcome.accepted) is not None and accepted.vector is not None
    ]


def _attempt_row(attempt: Attempt, paid: Paid, at: float) -> tuple[object, ...]:
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
        attempt.problem is not None,
        at,
    )


def _insert(
    connection: sqlite3.Connection, table: str, rows: list[tuple[object, ...]], columns: int
) -> None:
    place = 0
    one = f"({', '.join('?' * columns)})"
    for size in _GROUPS:
        while len(rows) - place >= size:
            values = list(chain.from_iterable(rows[place : place + size]))
            connection.execute(f"INSERT INTO {table} VALUES {', '.join([one] * size)}", values)
            place += size


def _count_chunks(connection: sqlite3.Connection, outcomes: Sequence[Outcome]) -> list[ChunkTotals]:
    deltas: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    for outcome in outcomes:
        deltas[outcome.item.chunk][outcome.accepted is None] += 1
    found = jsontext.dumps([[number, *counts] for number, counts in deltas.items()])
    rows = connection.execute(_COUNT, (found,)).fetchall()
    totals = [
        ChunkTotals(number=number, items=items, succeeded=succeeded, failed=failed)
        for number, items, succeeded, failed in sorted(rows)
    ]
    if complete := sum(chunk.complete for chunk in totals):
        counters.add(connection, [("", counters.CHUNKS_COMPLETE, complete)])
    return totals
