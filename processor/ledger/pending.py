"""Items without an outcome, as a lane takes them."""

import sqlite3
from array import array
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from msgspec import Struct

from processor import jsontext
from processor.items import Item
from processor.ledger import database, rows

_SLICE_ITEMS = 1_000  # a chunk may be larger than what should be held at once
_UNDONE = "NOT EXISTS (SELECT 1 FROM outcomes WHERE outcomes.seq = items.seq)"
_FREE = f"""
{_UNDONE} AND NOT EXISTS (SELECT 1 FROM shard_items WHERE shard_items.seq = items.seq)
"""
_VALUE = "(SELECT value FROM json_each(fields) WHERE key = ?) AS value"
_WITHOUT_OUTCOME = f"(SELECT * FROM items WHERE seq BETWEEN ? AND ? AND {_FREE} ORDER BY seq)"
_CHOSEN = f"""
(SELECT * FROM items WHERE seq IN (SELECT value FROM json_each(?)) AND {_FREE} ORDER BY seq)
"""
_FREE_OF = f"""
SELECT seq FROM (SELECT value AS seq FROM json_each(?)) AS items WHERE {_FREE} ORDER BY seq
"""
_LAST_OF = f"""
SELECT IFNULL(MAX(seq), 0) FROM (SELECT seq FROM items
 WHERE seq >= (SELECT MIN(first_seq) FROM chunks WHERE items > succeeded + failed)
 AND {_FREE} ORDER BY seq LIMIT ?)
"""
_SEQS = f"""
SELECT json_group_array(seq) FROM
(SELECT seq FROM items WHERE seq <= ? AND {_FREE} ORDER BY seq)
"""
_SEQS_BY_VALUE = f"""
SELECT value, json_group_array(seq) FROM
(SELECT seq, {_VALUE} FROM items WHERE seq <= ? AND {_FREE}) GROUP BY value
"""
_VALUES = f"""
SELECT value, id, COUNT(*), MIN(seq) FROM
(SELECT seq, id, {_VALUE} FROM items WHERE {_UNDONE}) GROUP BY value ORDER BY 4
"""
_TRIED = """
SELECT DISTINCT seq FROM attempts
 WHERE NOT EXISTS (SELECT 1 FROM outcomes WHERE outcomes.seq = attempts.seq)
 AND NOT EXISTS (SELECT 1 FROM shard_items WHERE shard_items.seq = attempts.seq) ORDER BY seq
"""
_OPEN_CHUNKS = """
SELECT number, first_seq, items FROM chunks WHERE items > succeeded + failed ORDER BY number
"""
_LACKS_OUTCOMES = """
SELECT succeeded + failed > (SELECT COUNT(*) FROM outcomes
                             WHERE seq BETWEEN first_seq AND first_seq + items - 1)
FROM chunks WHERE number = ?
"""
_SAMPLED_CHUNKS = 20
_ATTEMPTS = "(SELECT * FROM attempts WHERE seq BETWEEN ? AND ? ORDER BY seq, number)"
_IN_SHARD = """
(SELECT items.* FROM shard_items JOIN items USING (seq)
 WHERE shard = ? AND shard_items.seq IN (SELECT value FROM json_each(?)) ORDER BY seq)
"""
_ATTEMPTS_OF = (
    "(SELECT * FROM attempts WHERE seq IN (SELECT value FROM json_each(?)) ORDER BY seq, number)"
)


class Pending(Struct, frozen=True, kw_only=True, gc=False):
    """An item without an outcome, and what was tried for it in earlier sessions.

    Attributes:
        attempts: Requests sent for it so far.
        invalid: (answer, problem) pairs that its next request shows, oldest first.
    """

    item: Item
    attempts: int = 0
    invalid: tuple[tuple[str, str], ...] = ()


def read(
    path: Path, most: int | None = None, *, elsewhere: Callable[[], Collection[int]] = tuple
) -> Iterator[Pending]:
    """Items without an outcome that no shard holds, in order, a slice of a chunk in memory.

    Each chunk is read once: what becomes pending behind the reader is not seen.

    Args:
        path: The ledger.
        most: Of them; None for all.
        elsewhere: Tells the items, by `seq`, that somebody has who takes them from there when
            their outcome is durable. It is asked before each slice, which may be old when its
            last item is taken: who has got an outcome since must not be seen.

    Raises:
        LedgerError: The ledger cannot be read.
    """
    with database.reading(path) as connection:
        yield from islice(_read(path, connection, elsewhere), most)


def tried(path: Path) -> list[int]:
    """The `seq` of items that `read` would give, and that some call or batch was made for.

    Raises:
        LedgerError: The ledger cannot be read.
    """
    with database.reading(path) as connection:
        return [seq for (seq,) in connection.execute(_TRIED)]


def read_chosen(
    path: Path, seqs: Sequence[int], *, elsewhere: Callable[[], Collection[int]] = tuple
) -> Iterator[Pending]:
    """Those of some items that `read` would give; never more than a slice is read for the next one.

    Args:
        path: The ledger.
        seqs: Theirs, in order.
        elsewhere: As of `read`.

    Raises:
        LedgerError: The ledger cannot be read.
    """
    with database.reading(path) as connection:
        chunks = _Chunks(connection)
        for first in range(0, len(seqs), _SLICE_ITEMS):
            others = frozenset(elsewhere())
            chosen = jsontext.dumps(
                [seq for seq in seqs[first : first + _SLICE_ITEMS] if seq not in others]
            )
            yield from _of_some(connection, chunks, chosen, _CHOSEN, (chosen,))


def free(path: Path, seqs: Iterable[int]) -> list[int]:
    """Those of some items that `read` would give, in order.

    Raises:
        LedgerError: The ledger cannot be read.
    """
    chosen = jsontext.dumps(list(seqs))
    with database.reading(path) as connection:
        return [seq for (seq,) in connection.execute(_FREE_OF, (chosen,))]


class InShard:
    """Reads items that wait in shards.

    Args:
        connection: The ledger.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._chunks = _Chunks(connection)

    def read(self, shard: int, seqs: Sequence[int]) -> dict[int, Pending]:
        """Those of some items that wait in a shard, by `seq`."""
        chosen = jsontext.dumps(list(seqs))
        found = _of_some(self._connection, self._chunks, chosen, _IN_SHARD, (shard, chosen))
        return {each.item.seq: each for each in found}


def succeeded(connection: sqlite3.Connection) -> Pending | None:
    """Some item that has succeeded, with the requests sent for it; None when none has."""
    row = connection.execute(
        "SELECT number, items.seq, id, id_is_integer, fields, MAX(attempts, IFNULL("
        "(SELECT MAX(number) FROM attempts WHERE attempts.seq = items.seq), 0)) "
        "FROM (SELECT number, first_seq, items FROM chunks WHERE succeeded > 0 LIMIT 1) AS chunk "
        "JOIN items ON items.seq BETWEEN first_seq AND first_seq + chunk.items - 1 "
        "JOIN outcomes ON outcomes.seq = items.seq AND succeeded LIMIT 1"
    ).fetchone()
    if row is None:
        return None
    chunk, seq, key, is_integer, fields, attempts = row
    with database.decoding():
        return Pending(item=_item(seq, chunk, key, is_integer, fields), attempts=attempts)


def values_of(connection: sqlite3.Connection, field: str) -> Iterator[tuple[Any, str, int]]:
    """Each value of a field among items without an outcome: it, the id of the first, how many."""
    found = connection.execute(_VALUES, (field,))
    return ((value, key, count) for value, key, count, _ in found)


def last_of(path: Path, most: int) -> int:
    """The `seq` of the last of the first `most` items that `read` gives; 0 without any.

    Raises:
        LedgerError: The ledger cannot be read.
    """
    with database.reading(path) as connection:
        (seq,) = connection.execute(_LAST_OF, (most,)).fetchone()
        return int(seq)


def seqs_through(path: Path, last_seq: int) -> list[int]:
    """The `seq` of each item up to one of them that `read` gives, in order.

    Raises:
        LedgerError: The ledger cannot be read.
    """
    with database.reading(path) as connection:
        (seqs,) = connection.execute(_SEQS, (last_seq,)).fetchone()
        return list(jsontext.loads(seqs))


def seqs_where(
    path: Path, field: str, wanted: Callable[[Any], object], last_seq: int
) -> Iterator[int]:
    """The `seq` of each of them whose value of a field is wanted, in any order; a read of all.

    Raises:
        LedgerError: The ledger cannot be read.
    """
    with database.reading(path) as connection:
        for value, seqs in connection.execute(_SEQS_BY_VALUE, (field, last_seq)):
            if wanted(value):
                yield from jsontext.loads(seqs)


def sample(path: Path, most: int) -> Iterator[Pending]:
    """Some of the items that `read` gives, from all parts of the run: the same ones every time.

    Raises:
        LedgerError: The ledger cannot be read.
    """
    with database.reading(path) as connection:
        chunks = connection.execute(_OPEN_CHUNKS).fetchall()
        taken = chunks[:: max(1, len(chunks) // _SAMPLED_CHUNKS)][:_SAMPLED_CHUNKS]
        for number, first_seq, items in taken:
            last_seq = min(first_seq + items, first_seq + _SLICE_ITEMS) - 1
            found = _of_span(connection, number, (first_seq, last_seq))
            step = max(1, len(found) * len(taken) // most)
            yield from found[::step][: max(1, most // len(taken))]


def _item(seq: int, chunk: int, key: str, is_integer: int, fields: str) -> Item:
    identity = int(key) if is_integer else key
    return Item(seq=seq, chunk=chunk, id=identity, fields=jsontext.loads(fields))


def _read(
    path: Path, connection: sqlite3.Connection, elsewhere: Callable[[], Collection[int]]
) -> Iterator[Pending]:
    number = 0
    while True:
        chunk = connection.execute(
            "SELECT number, first_seq, items, items - succeeded - failed FROM chunks "
            "WHERE number > ? AND items > succeeded + failed ORDER BY number LIMIT 1",
            (number,),
        ).fetchone()
        if chunk is None:
            return
        number, first_seq, items, expected = chunk
        last_seq = first_seq + items - 1
        for first in range(first_seq, last_seq + 1, _SLICE_ITEMS):
            span = (first, min(first + _SLICE_ITEMS - 1, last_seq))
            others = frozenset(elsewhere())
            found = _of_span(connection, number, span)
            expected -= len(found)
            if expected < 0 and _lacks_outcomes(connection, number):
                # They were counted: never pay for them again.
                raise database.damaged(path, f"outcomes of chunk {number} are missing")
            yield from (each for each in found if each.item.seq not in others)


def _lacks_outcomes(connection: sqlite3.Connection, number: int) -> bool:
    """Whether a chunk counts more than there are; failed items may be pending again meanwhile."""
    (lacks,) = connection.execute(_LACKS_OUTCOMES, (number,)).fetchone()
    return bool(lacks)


def _of_span(connection: sqlite3.Connection, number: int, span: tuple[int, int]) -> list[Pending]:
    with database.decoding():
        tried = _tried(connection, _ATTEMPTS, span)
        found = rows.read(connection, "seq, id, id_is_integer, fields", _WITHOUT_OUTCOME, span)
        return [
            _pending(_item(seq, number, key, is_integer, fields), tried.get(seq))
            for seq, key, is_integer, fields in found
        ]


class _Chunks:
    """Tells in which chunk an item is."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._first_seqs, self._numbers = array("q"), array("q")
        for first_seq, number in connection.execute(
            "SELECT first_seq, number FROM chunks ORDER BY first_seq"
        ):
            self._first_seqs.append(first_seq)
            self._numbers.append(number)

    def of(self, seq: int) -> int:
        """Its number."""
        return self._numbers[bisect_right(self._first_seqs, seq) - 1]


def _of_some(
    connection: sqlite3.Connection,
    chunks: _Chunks,
    chosen: str,
    source: str,
    parameters: Sequence[object],
) -> list[Pending]:
    """Items of a source, which are among those of the JSON array `chosen`."""
    with database.decoding():
        tried = _tried(connection, _ATTEMPTS_OF, (chosen,))
        found = rows.read(connection, "seq, id, id_is_integer, fields", source, parameters)
        return [_pending(_item(seq, chunks.of(seq), *rest), tried.get(seq)) for seq, *rest in found]


def _tried(
    connection: sqlite3.Connection, source: str, parameters: Sequence[object]
) -> dict[int, list[list[Any]]]:
    tried: dict[int, list[list[Any]]] = defaultdict(list)
    columns = "seq, number, answer, problem, reask"
    for seq, *attempt in rows.read(connection, columns, source, parameters):
        tried[seq].append(attempt)
    return tried


def _pending(item: Item, tried: Sequence[Sequence[Any]] | None) -> Pending:
    if not tried:
        return Pending(item=item)
    return Pending(
        item=item,
        attempts=tried[-1][0],
        invalid=tuple((answer, problem) for _, answer, problem, reask in tried if reask),
    )
