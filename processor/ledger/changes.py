"""Rows of a source that are not what the ledger holds of them any more."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from processor import jsontext
from processor.ledger.requeue import requeue_answered

Differs = Callable[[Mapping[str, Any], Mapping[str, Any]], bool]
"""Whether two states of a row's fields, the earlier first, ask for different things."""

_SHOWN = 3
_CHANGED = """
CREATE TEMP TABLE changed (
    seq INTEGER PRIMARY KEY,
    fields TEXT NOT NULL,
    again INTEGER NOT NULL            -- 1: its outcome is of the fields before, or will be
)
"""
_COMPARED = """
SELECT items.seq, items.fields, incoming.fields,
       EXISTS (SELECT 1 FROM outcomes WHERE outcomes.seq = items.seq)
       OR EXISTS (SELECT 1 FROM shard_items WHERE shard_items.seq = items.seq)
FROM incoming JOIN items USING (id)
WHERE incoming.fields <> items.fields
"""
_OF_ANOTHER = """
SELECT items.id, items.fields, incoming.fields FROM incoming JOIN items USING (id)
WHERE incoming.fields <> items.fields ORDER BY incoming.seq
"""
_CHUNKS = """
SELECT number FROM chunks
WHERE EXISTS (SELECT 1 FROM changed WHERE seq BETWEEN first_seq AND first_seq + items - 1)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What a source that was read again no longer has as it was.

    Attributes:
        changed: Rows that have an outcome, or are in a shard, and now ask for something else.
        redone: How many of these are pending again.
        gone: Rows that are not there any more; their results stay.
        taken: Of a source that is new to the ledger, rows whose id another source's row has that
            asks for something else; they are left out.
        changed_ids: The first few of them.
        gone_ids: The same.
        taken_ids: The same.
    """

    changed: int = 0
    redone: int = 0
    gone: int = 0
    taken: int = 0
    changed_ids: Sequence[str] = ()
    gone_ids: Sequence[str] = ()
    taken_ids: Sequence[str] = ()


NO_CHANGES = Changes()


def settle(
    connection: sqlite3.Connection,
    *,
    differs: Differs,
    update: bool,
    outdated: Callable[[Sequence[int]], None],
    is_whole: bool,
) -> Changes:
    """Compare the rows of the table `incoming` with the items of the same ids.

    Items without an outcome take the new fields at once, and those whose change asks for nothing
    else. Others keep theirs, beside the result that belongs to them, until `update`. Those in a
    shard were asked already: they keep theirs until their answer is there.

    Args:
        connection: The ledger, within the caller's transaction.
        differs: Whether a change matters.
        update: Make items pending again whose change matters.
        outdated: Told the numbers of chunks that no longer are as their files tell, before the
            transaction ends.
        is_whole: The table holds all rows of the source, so that others are gone.
    """
    execute = connection.execute
    execute(_CHANGED)
    connection.executemany(
        "INSERT INTO changed VALUES (?, ?, ?)", _changed_rows(connection, differs)
    )
    (changed,) = execute("SELECT COUNT(*) FROM changed WHERE again").fetchone()
    changed_ids = _first(connection, "SELECT id FROM changed JOIN items USING (seq) WHERE again")
    kept = "SELECT seq FROM shard_items" if update else "SELECT seq FROM changed"
    execute(f"DELETE FROM changed WHERE again AND seq IN ({kept})")
    outdated([number for (number,) in execute(_CHUNKS)])
    execute("UPDATE chunks SET file_bytes = NULL WHERE number IN (" + _CHUNKS + ")")
    execute("UPDATE items SET fields = changed.fields FROM changed WHERE changed.seq = items.seq")
    redone = requeue_answered(connection, "SELECT seq FROM changed WHERE again")
    execute("DROP TABLE changed")
    gone, gone_ids = _gone(connection) if is_whole else (0, ())
    return Changes(
        changed=changed, redone=redone, gone=gone, changed_ids=changed_ids, gone_ids=gone_ids
    )


def compare(connection: sqlite3.Connection, *, differs: Differs) -> Changes:
    """Which rows of `incoming`, of a source that is new, have the ids of others; changes nothing.

    Args:
        connection: The ledger.
        differs: Whether two rows of one id are different rows.
    """
    taken = 0
    taken_ids: list[str] = []
    for key, before, now in connection.execute(_OF_ANOTHER):
        if differs(jsontext.loads(before), jsontext.loads(now)):
            taken += 1
            if len(taken_ids) < _SHOWN:
                taken_ids.append(key)
    return Changes(taken=taken, taken_ids=taken_ids)


def _changed_rows(
    connection: sqlite3.Connection, differs: Differs
) -> Iterator[tuple[int, str, bool]]:
    for seq, before, now, asked in connection.execute(_COMPARED):
        earlier, later = jsontext.loads(before), jsontext.loads(now)
        if earlier != later:
            yield seq, now, bool(asked) and differs(earlier, later)


def _gone(connection: sqlite3.Connection) -> tuple[int, Sequence[str]]:
    """Items that are in no row; of several sources nobody knows which of them had an item."""
    (sources,) = connection.execute("SELECT COUNT(*) FROM sources").fetchone()
    if sources > 1:
        return 0, ()
    where = "FROM items WHERE id NOT IN (SELECT id FROM incoming)"
    (count,) = connection.execute(f"SELECT COUNT(*) {where}").fetchone()
    return count, _first(connection, f"SELECT id {where} ORDER BY seq")


def _first(connection: sqlite3.Connection, select: str) -> Sequence[str]:
    return tuple(key for (key,) in islice(connection.execute(select), _SHOWN))
