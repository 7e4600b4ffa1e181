"""Items beside their outcomes, as every export reads them."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from processor import jsontext
from processor.ledger import database

_SLICE_ITEMS = 500


class Result(Struct, frozen=True, kw_only=True, gc=False):
    """An item and what became of it.

    Attributes:
        status: `success`, `failed` or `pending`.
        fields_json: The input's columns, as `jsontext` wrote them.
        provider: Who answered; None for pending items.
        prompt_tokens: As all tokens and the cost: of every answer paid for; None if unknown.
    """

    id: str | int
    status: str
    fields_json: str
    result: str | None
    check: str | None
    notes: Sequence[str]
    code: str | None
    message: str | None
    retryable: bool
    lane: str | None
    provider: str | None
    model: str | None
    tier: str | None
    attempts: int
    latency_ms: float | None
    prompt_tokens: int | None
    completion_tokens: int | None
    cached_tokens: int | None
    cost_usd: float | None

    def fields(self) -> Mapping[str, Any]:
        """The input's columns; read anew each time."""
        fields: Mapping[str, Any] = jsontext.loads(self.fields_json)
        return fields


_SELECT = """
SELECT id, id_is_integer, fields, succeeded, result, "check", notes, code, message, retryable,
       lane, json_extract(settings, '$.provider'), model, tier, attempts, latency_ms,
       prompt_tokens, completion_tokens, cached_tokens, cost_usd
FROM items LEFT JOIN outcomes USING (seq) LEFT JOIN sessions ON sessions.number = session
"""


def of_chunk(connection: sqlite3.Connection, number: int) -> list[Result]:
    """The items of a chunk, in input order."""
    first_seq, items = connection.execute(
        "SELECT first_seq, items FROM chunks WHERE number = ?", (number,)
    ).fetchone()
    return _of_span(connection, first_seq, first_seq + items - 1)


def of_run(connection: sqlite3.Connection) -> Iterator[Result]:
    """All items, in input order, a slice of them in memory."""
    (last_seq,) = connection.execute("SELECT IFNULL(MAX(seq), 0) FROM items").fetchone()
    for first in range(1, last_seq + 1, _SLICE_ITEMS):
        yield from _of_span(connection, first, first + _SLICE_ITEMS - 1)


def columns(connection: sqlite3.Connection) -> list[str]:
    """The input's columns, in the order in which they were first seen."""
    row = connection.execute("SELECT value FROM meta WHERE key = 'columns'").fetchone()
    return list(jsontext.loads(row[0])) if row else []


def _of_span(connection: sqlite3.Connection, first_seq: int, last_seq: int) -> list[Result]:
    rows = connection.execute(
        _SELECT + "WHERE seq BETWEEN ? AND ? ORDER BY seq", (first_seq, last_seq)
    ).fetchall()
    with database.decoding():
        return [_result(row) for row in rows]


def _result(row: Sequence[Any]) -> Result:
    key, is_integer, fields, succeeded = row[:4]
    return Result(
        id=int(key) if is_integer else key,
        status="pending" if succeeded is None else "success" if succeeded else "failed",
        fields_json=fields,
        result=row[4],
        check=row[5],
        notes=jsontext.loads(row[6]) if row[6] else (),
        code=row[7],
        message=row[8],
        retryable=bool(row[9]),
        lane=row[10],
        provider=row[11],
        model=row[12],
        tier=row[13],
        attempts=row[14] or 0,
        latency_ms=row[15],
        prompt_tokens=row[16],
        completion_tokens=row[17],
        cached_tokens=row[18],
        cost_usd=row[19],
    )
