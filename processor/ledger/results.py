"""Items beside their outcomes, as every export reads them."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from processor import jsontext
from processor.columns import Column
from processor.ledger import database, rows

_SLICE_ITEMS = 500


class Result(Struct, frozen=True, gc=False):
    """An item and what became of it.

    Attributes:
        status: `success`, `failed` or `pending`.
        fields_json: The input's columns, as `jsontext` wrote them.
        provider: Who answered; None for pending items.
        latency_ms: None when it is not known.
        prompt_tokens: As all tokens and the cost: of every answer paid for; None if unknown.
    """

    seq: int
    id: str | int
    notes: Sequence[str]
    provider: str | None
    retryable: bool
    # From here on in the order of `_COLUMNS`.
    status: str
    fields_json: str
    result: str | None
    check: str | None
    code: str | None
    message: str | None
    lane: str | None
    model: str | None
    tier: str | None
    attempts: int
    latency_ms: float | None
    prompt_tokens: int | None
    completion_tokens: int | None
    cached_tokens: int | None
    cost_usd: float | None

    @property
    def answer(self) -> str | None:
        """The result of a success."""
        return self.result if self.status == "success" else None

    def fields(self) -> Mapping[str, Any]:
        """The input's columns; read anew each time."""
        fields: Mapping[str, Any] = jsontext.loads(self.fields_json)
        return fields


_COLUMNS = """
seq, id, id_is_integer, notes, session, retryable,
CASE succeeded WHEN 1 THEN 'success' WHEN 0 THEN 'failed' ELSE 'pending' END,
fields, result, "check", code, message, lane, model, tier, IFNULL(attempts, 0),
NULLIF(latency_ms, 0), prompt_tokens, completion_tokens, cached_tokens, cost_usd
"""
_SPAN = (
    "(SELECT * FROM items LEFT JOIN outcomes USING (seq) WHERE seq BETWEEN ? AND ? ORDER BY seq)"
)
_CHOSEN = (
    "(SELECT * FROM items LEFT JOIN outcomes USING (seq) "
    "WHERE seq IN (SELECT value FROM json_each(?)) ORDER BY seq)"
)
_NAMED = (
    "(SELECT * FROM items LEFT JOIN outcomes USING (seq) "
    "WHERE id IN (SELECT value FROM json_each(?)) ORDER BY seq)"
)


def of_chunk(connection: sqlite3.Connection, number: int) -> list[Result]:
    """The items of a chunk, in input order."""
    first_seq, items = connection.execute(
        "SELECT first_seq, items FROM chunks WHERE number = ?", (number,)
    ).fetchone()
    return of_span(connection, first_seq, first_seq + items - 1)


def of_run(connection: sqlite3.Connection) -> Iterator[list[Result]]:
    """All items, in input order, a slice of them at a time."""
    (last_seq,) = connection.execute("SELECT IFNULL(MAX(seq), 0) FROM items").fetchone()
    for first in range(1, last_seq + 1, _SLICE_ITEMS):
        yield of_span(connection, first, first + _SLICE_ITEMS - 1)


def of_span(connection: sqlite3.Connection, first_seq: int, last_seq: int) -> list[Result]:
    """The items from one to another, in input order."""
    return _read(connection, _SPAN, (first_seq, last_seq))


def of_items(connection: sqlite3.Connection, seqs: Sequence[int]) -> list[Result]:
    """Certain items, in input order."""
    return _read(connection, _CHOSEN, (jsontext.dumps(seqs),))


def of_ids(connection: sqlite3.Connection, ids: Sequence[str | int]) -> list[Result]:
    """The items of certain ids, in input order; ids that there are not are passed over."""
    return _read(connection, _NAMED, (jsontext.dumps([str(one) for one in ids]),))


def columns(connection: sqlite3.Connection) -> list[Column]:
    """The input's columns, in the order in which they were first seen."""
    found = dict(
        connection.execute("SELECT key, value FROM meta WHERE key IN ('columns', 'column_types')")
    )
    types = jsontext.loads(found.get("column_types", "{}"))
    return [
        Column(name, *types.get(name, ())) for name in jsontext.loads(found.get("columns", "[]"))
    ]


def _read(
    connection: sqlite3.Connection, source: str, parameters: Sequence[object]
) -> list[Result]:
    providers: dict[int, str] = dict(
        connection.execute("SELECT number, json_extract(settings, '$.provider') FROM sessions")
    )
    with database.decoding():
        found = rows.read(connection, _COLUMNS, source, parameters)
        return [
            Result(
                seq,
                int(key) if is_integer else key,
                jsontext.loads(notes) if notes else (),
                providers.get(session),
                bool(retryable),
                *rest,
            )
            for seq, key, is_integer, notes, session, retryable, *rest in found
        ]
