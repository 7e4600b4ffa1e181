"""One item's whole story: every call for it, what became of it, and where it is now."""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from msgspec import Struct

from processor import jsontext
from processor.ledger import database, results, shards
from processor.ledger.results import Result
from processor.ledger.shards import Batch, Shard


class Call(Struct, frozen=True, gc=False):
    """A request for the item.

    Attributes:
        number: From 1.
        at: When its answer was noted, in seconds since 1970.
        code: Why it did not give a result; None when it did.
        status: HTTP status; None when none was noted.
        wait_s: How long the item waited before it was sent again.
        cost_usd: None when it is not known.
        answer: The answer that was not good enough, which the next request showed to the model.
        problem: What was wrong with it.
        is_last: Whether it decided what became of the item.
    """

    number: int
    lane: str
    at: float
    code: str | None
    message: str | None
    status: int | None
    latency_ms: float | None
    wait_s: float
    model: str | None
    cost_usd: float | None
    answer: str | None
    problem: str | None
    is_last: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """An item, and all that is known of it.

    Attributes:
        result: Its fields and its outcome.
        chunk: Which it is in.
        kind: Of its task's output, such as `latex`.
        label: What its result stands for, of a task with names for its labels.
        calls: In their order; the last one is there once it was noted.
        at: When its outcome was noted, in seconds since 1970; None while it is pending.
        body: Of a failed answer, if it was kept.
        request_id: For the provider's support.
        shard: The file of the batch lane that holds it, until it is answered.
        batches: Made of this file.
    """

    result: Result
    chunk: int
    kind: str
    label: str | None
    calls: Sequence[Call]
    at: float | None
    body: str | None
    request_id: str | None
    shard: Shard | None
    batches: Sequence[Batch]


_CALLS = """
SELECT number, lane, at, code, message, status, latency_ms, wait_s, model, cost_usd, answer, problem
FROM attempts WHERE seq = ? ORDER BY number
"""


def tell(path: Path, seq: int) -> Story | None:
    """The story of an item; None when there is none of this place.

    Args:
        path: The ledger.
        seq: The item's place in the order of import, from 1.

    Raises:
        LedgerError: The ledger cannot be read.
    """
    with database.reading(path) as connection:
        connection.execute("BEGIN")  # all of the same moment
        found = results.of_items(connection, [seq])
        return _tell(connection, found[0]) if found else None


def _tell(connection: sqlite3.Connection, result: Result) -> Story:
    meta: Mapping[str, str] = dict(connection.execute("SELECT key, value FROM meta"))
    outcome = connection.execute(
        "SELECT at, body, request_id FROM outcomes WHERE seq = ?", (result.seq,)
    ).fetchone()
    at, body, request_id = outcome or (None, None, None)
    (chunk,) = connection.execute(
        "SELECT number FROM chunks WHERE first_seq <= ? ORDER BY number DESC LIMIT 1",
        (result.seq,),
    ).fetchone()
    shard = _shard(connection, result.seq)
    labels: Mapping[str, str] = jsontext.loads(meta.get("labels", "{}"))
    return Story(
        result=result,
        chunk=chunk,
        kind=meta.get("kind", ""),
        label=labels.get(result.answer or ""),
        calls=_calls(connection, result, at),
        at=at,
        body=body,
        request_id=request_id,
        shard=shard,
        batches=shards.batches_of(connection, shard.number) if shard is not None else (),
    )


def _shard(connection: sqlite3.Connection, seq: int) -> Shard | None:
    held = connection.execute("SELECT shard FROM shard_items WHERE seq = ?", (seq,)).fetchone()
    return next((one for one in shards.all_of(connection) if held and one.number == held[0]), None)


def _calls(connection: sqlite3.Connection, result: Result, at: float | None) -> list[Call]:
    calls = [Call(*row) for row in connection.execute(_CALLS, (result.seq,))]
    last = calls[-1].number if calls else 0
    if at is None or result.attempts <= last:
        return calls
    known = [call.cost_usd for call in calls if call.cost_usd is not None]
    is_known = result.cost_usd is not None and len(known) == len(calls)
    call = Call(
        number=result.attempts,
        lane=result.lane or "",
        at=at,
        code=result.code,
        message=result.message,
        status=None,
        latency_ms=result.latency_ms,
        wait_s=0.0,
        model=result.model,
        cost_usd=(result.cost_usd or 0.0) - sum(known) if is_known else None,
        answer=None,
        problem=None,
        is_last=True,
    )
    return [*calls, call]
