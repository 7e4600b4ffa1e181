"""Rows of a source become items of the ledger: all of them, or none.

One transaction, so that a killed import leaves nothing behind. Rows are loaded first and made
unique after: an index that grows with every row takes twice as long.
"""

import operator
import sqlite3
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from processor import jsontext
from processor.columns import Column
from processor.data.source import BadRow, Source
from processor.ledger import counters, database, ids, repeats
from processor.ledger.changes import NO_CHANGES, Changes, compare, settle
from processor.ledger.reading import IntakeRules, Reading
from processor.ledger.results import columns as known_columns

__all__ = ["Intake", "IntakeRules", "take_in"]

Table = Literal["items", "incoming"]

_INCOMING = """
CREATE TEMP TABLE incoming (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    id_is_integer INTEGER NOT NULL,
    row INTEGER NOT NULL,
    fields TEXT NOT NULL
)
"""

_INDEX = {"items": "items_id", "incoming": "temp.incoming_id"}

# Rows that are alike in every column are told apart by their order among themselves.
_NUMBER_TWINS = """
UPDATE {table} SET {changes}
FROM (SELECT seq, ROW_NUMBER() OVER (PARTITION BY id ORDER BY seq) AS place
      FROM {table}
      WHERE id IN (SELECT id FROM {table} GROUP BY id HAVING COUNT(*) > 1)) AS twin
WHERE twin.seq = {table}.seq AND twin.place > 1
"""
_NUMBERED = "id = id || '-' || twin.place"

_DOUBLED = """
SELECT later.id, later.row, first.row, MIN(later.seq)
FROM (SELECT id, MIN(seq) AS seq FROM {table} GROUP BY id HAVING COUNT(*) > 1) AS doubled
     JOIN {table} AS first ON first.seq = doubled.seq
     JOIN {table} AS later ON later.id = doubled.id AND later.seq > doubled.seq
GROUP BY later.row ORDER BY 4
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """What an import did.

    Attributes:
        rows_read: Rows of the source, good and bad.
        added: New items.
        skipped: Bad rows that were left out.
        changes: What of an earlier import is another now.
    """

    rows_read: int
    added: int
    skipped: int
    changes: Changes = NO_CHANGES


def take_in(connection: sqlite3.Connection, source: Source, rules: IntakeRules) -> Intake:
    """Import the rows of a source that the ledger does not hold yet.

    Raises:
        InputError: A row cannot be an item, an id stands twice, or the source changed while it
            was read; nothing is imported.
    """
    with database.transaction(connection):
        (last_seq,) = connection.execute("SELECT IFNULL(MAX(seq), 0) FROM items").fetchone()
        connection.execute("DELETE FROM skipped WHERE source = ?", (source.uri,))
        reading = Reading(connection, source, rules)
        changes = NO_CHANGES
        if last_seq or rules.skip_invalid:
            changes = _add(connection, reading, rules, last_seq)
        else:
            _fill(connection, reading, rules)
        added = _open_chunks(connection, last_seq, rules.chunk_size)
        _remember_columns(connection, reading)
        whole = rules.limit is None or added < rules.limit
        connection.execute(
            "INSERT OR REPLACE INTO sources VALUES (?, ?, ?)", (source.uri, reading.stamp, whole)
        )
        repeats.keep(connection, rules.repeat)
        _count_skipped(connection)
        if rules.accept is not None:
            rules.accept(connection)
    return Intake(
        rows_read=reading.rows_read, added=added, skipped=reading.bad_rows, changes=changes
    )


def _fill(connection: sqlite3.Connection, reading: Reading, rules: IntakeRules) -> None:
    """The first import goes straight into its table, and reads no further than its limit."""
    connection.execute("DROP INDEX IF EXISTS items_id")
    _load(connection, "items", reading, rules.limit)
    _make_unique(connection, "items", reading)


def _add(
    connection: sqlite3.Connection, reading: Reading, rules: IntakeRules, last_seq: int
) -> Changes:
    """Later ones are read whole, to tell which rows are new, changed or gone."""
    connection.execute(_INCOMING)
    _load(connection, "incoming", reading, None)
    _make_unique(connection, "incoming", reading)
    connection.execute("CREATE UNIQUE INDEX IF NOT EXISTS items_id ON items (id)")
    differs = rules.differs or operator.ne
    changes = (
        settle(
            connection,
            differs=differs,
            update=rules.update,
            outdated=rules.outdated or (lambda _: None),
            is_whole=not rules.only,
        )
        if reading.is_known
        else compare(connection, differs=differs)
    )
    connection.execute(
        "INSERT INTO items SELECT ROW_NUMBER() OVER (ORDER BY seq) + ?, id, id_is_integer, row, "
        "fields FROM incoming WHERE id NOT IN (SELECT id FROM items) ORDER BY seq LIMIT ?",
        (last_seq, -1 if rules.limit is None else rules.limit),
    )
    connection.execute("DROP TABLE incoming")
    return changes


def _load(
    connection: sqlite3.Connection, table: Table, reading: Reading, limit: int | None
) -> None:
    with reading.of_one_state():
        connection.executemany(
            f"INSERT INTO {table} (id, id_is_integer, row, fields) VALUES (?, ?, ?, ?)",
            islice(reading.records(), limit),
        )
        reading.check()


def _make_unique(connection: sqlite3.Connection, table: Table, reading: Reading) -> None:
    index = f"CREATE UNIQUE INDEX {_INDEX[table]} ON {table} (id)"
    with suppress(sqlite3.IntegrityError):  # looked into only when it fails: mostly it does not
        connection.execute(index)
        return
    if reading.are_named:
        _settle_doubled(connection, table, reading)
    else:
        changes = repeats.NUMBERED if reading.are_repeated else _NUMBERED
        connection.execute(_NUMBER_TWINS.format(table=table, changes=changes))
    connection.execute(index)


def _settle_doubled(connection: sqlite3.Connection, table: Table, reading: Reading) -> None:
    """Leave out all but the first row of an id, or refuse the source."""
    for key, row, first, _ in connection.execute(_DOUBLED.format(table=table)):
        reading.note(
            BadRow(
                number=row,
                problem=f"the id {ids.shown(key)} stands in {reading.where(first)} already",
            )
        )
    reading.check()
    connection.execute(
        f"DELETE FROM {table} WHERE seq NOT IN (SELECT MIN(seq) FROM {table} GROUP BY id)"
    )


def _open_chunks(connection: sqlite3.Connection, last_seq: int, chunk_size: int) -> int:
    (end,) = connection.execute("SELECT IFNULL(MAX(seq), 0) FROM items").fetchone()
    (last_chunk,) = connection.execute("SELECT IFNULL(MAX(number), 0) FROM chunks").fetchone()
    connection.executemany(
        "INSERT INTO chunks (number, first_seq, items) VALUES (?, ?, ?)",
        (
            (last_chunk + place, first, min(chunk_size, end - first + 1))
            for place, first in enumerate(range(last_seq + 1, end + 1, chunk_size), start=1)
        ),
    )
    added: int = end - last_seq
    opened = -(-added // chunk_size)
    counters.add(connection, [("", counters.ITEMS, added), ("", counters.CHUNKS, opened)])
    return added


def _count_skipped(connection: sqlite3.Connection) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO counters SELECT '', ?, COUNT(*) FROM skipped", (counters.SKIPPED,)
    )


def _remember_columns(connection: sqlite3.Connection, reading: Reading) -> None:
    """Every column that was ever seen, in the order of the first sight, its type as of late."""
    known = {column.name: column for column in known_columns(connection)}
    typed = {column.name: column for column in reading.typed_columns}
    columns = [
        typed.get(name) or known.get(name) or Column(name)
        for name in dict.fromkeys((*known, *typed, *reading.columns))
    ]
    types = {column.name: (column.kind, column.native) for column in columns if column.kind}
    connection.executemany(
        "INSERT OR REPLACE INTO meta VALUES (?, ?)",
        [
            ("columns", jsontext.dumps([column.name for column in columns])),
            ("column_types", jsontext.dumps(types)),
        ],
    )
