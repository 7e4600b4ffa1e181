"""Rows of a source become items of the ledger: all of them, or none.

One transaction, so that a killed import leaves nothing behind. Rows are loaded first and made
unique after: an index that grows with every row takes twice as long.
"""

import hashlib
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from itertools import islice

from processor import jsontext
from processor.data.source import BadRow, Source
from processor.errors import InputError
from processor.items import Row
from processor.ledger import database
from processor.ledger.schema import ID_INDEX

ROW_ID = "row"
_SHOWN_PROBLEMS = 5
_SKIPPED_KEPT = 100_000

_INCOMING = """
CREATE TEMP TABLE incoming (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    id_is_integer INTEGER NOT NULL,
    row INTEGER NOT NULL,
    fields TEXT NOT NULL
)
"""

# Rows that are alike in every column are told apart by their order among themselves.
_NUMBER_TWINS = """
UPDATE {table} SET id = id || '-' || twin.place
FROM (SELECT seq, ROW_NUMBER() OVER (PARTITION BY id ORDER BY seq) AS place
      FROM {table}
      WHERE id IN (SELECT id FROM {table} GROUP BY id HAVING COUNT(*) > 1)) AS twin
WHERE twin.seq = {table}.seq AND twin.place > 1
"""

_DUPLICATES = """
SELECT MIN(id), MIN(row), MAX(row) FROM {table} GROUP BY id HAVING COUNT(*) > 1 ORDER BY 3 LIMIT ?
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeRules:
    """How rows become items.

    Attributes:
        id_field: The column that identifies a row, or `row` for the row's content.
        required: Columns that must be there and not empty.
        chunk_size: Items per chunk.
        limit: How many new items are taken at most; None for all.
        skip_invalid: Leave bad rows out and list them, instead of refusing the source.
    """

    id_field: str
    required: Sequence[str]
    chunk_size: int
    limit: int | None = None
    skip_invalid: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """What an import did."""

    rows_read: int
    added: int
    skipped: int


@dataclass(slots=True)
class _Reading:
    """What is learnt while a source is read."""

    source: Source
    rules: IntakeRules
    columns: dict[str, None]
    rows_read: int = 0
    whole: bool = True
    problems: list[BadRow] = field(default_factory=list)
    problem_count: int = 0

    def records(self) -> Iterator[tuple[str, int, int, str]]:
        """(id, id_is_integer, row, fields) of every good row."""
        id_field, required = self.rules.id_field, tuple(self.rules.required)
        columns = self.columns
        for row in self.source.rows():
            self.rows_read += 1
            if isinstance(row, BadRow):
                self._note(row)
                continue
            fields = row.fields
            if not columns.keys() >= fields.keys():
                columns.update(dict.fromkeys(fields))
            problem = self._missing(row, required)
            if problem is None:
                try:
                    text = jsontext.dumps(fields)
                    yield (*_identify(fields, id_field, text), row.number, text)
                except ValueError as error:
                    problem = str(error)
            if problem is not None:
                self._note(BadRow(number=row.number, problem=problem))

    def _missing(self, row: Row, required: tuple[str, ...]) -> str | None:
        for name in required:
            value = row.fields.get(name)
            if value is None or value == "" or (isinstance(value, str) and value.isspace()):
                if name not in row.fields and self.rows_read == 1 + self.problem_count:
                    raise _no_column(self.source.name, name, list(row.fields))
                return f"{name} is empty" if name in row.fields else f"{name} is missing"
        return None

    def _note(self, bad: BadRow) -> None:
        self.problem_count += 1
        if len(self.problems) < (_SKIPPED_KEPT if self.rules.skip_invalid else _SHOWN_PROBLEMS):
            self.problems.append(bad)


def take_in(connection: sqlite3.Connection, source: Source, rules: IntakeRules) -> Intake:
    """Import the rows of a source that the ledger does not hold yet.

    Raises:
        InputError: A row cannot be an item, or an id stands twice; nothing is imported.
    """
    with database.transaction(connection):
        (last_seq,) = connection.execute("SELECT IFNULL(MAX(seq), 0) FROM items").fetchone()
        staged = last_seq > 0 or rules.skip_invalid
        table = "incoming" if staged else "items"
        if staged:
            connection.execute("DROP TABLE IF EXISTS temp.incoming")
            connection.execute(_INCOMING)
        reading = _Reading(source, rules, _columns(connection))
        limit = None if staged else rules.limit
        _load(connection, table, reading, limit)
        if reading.problem_count and not rules.skip_invalid:
            raise _refusal(source.name, reading.problems, reading.problem_count)
        if rules.id_field == ROW_ID:
            connection.execute(_NUMBER_TWINS.format(table=table))
        _settle_duplicates(connection, table, reading)
        if staged:
            _move(connection, last_seq, rules.limit)
        connection.execute(ID_INDEX)
        added = _open_chunks(connection, last_seq, rules.chunk_size)
        _remember(connection, reading)
    return Intake(rows_read=reading.rows_read, added=added, skipped=reading.problem_count)


def _load(connection: sqlite3.Connection, table: str, reading: _Reading, limit: int | None) -> None:
    records = reading.records()
    connection.executemany(
        f"INSERT INTO {table} (id, id_is_integer, row, fields) VALUES (?, ?, ?, ?)",
        records if limit is None else islice(records, limit),
    )
    reading.whole = limit is None or next(records, None) is None


def _identify(fields: object, id_field: str, text: str) -> tuple[str, int]:
    if id_field == ROW_ID:
        return hashlib.sha256(text.encode()).hexdigest()[:16], 0
    value = fields[id_field]  # type: ignore[index]  # `required` holds the id's field
    if isinstance(value, str):
        return value, 0
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # Excel and data frames know whole numbers as 1.0
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value), 1
    raise ValueError(f"{id_field} is {value!r}, and an id must be text or a whole number")


def _settle_duplicates(connection: sqlite3.Connection, table: str, reading: _Reading) -> None:
    name = reading.source.name
    (twice,) = connection.execute(f"SELECT COUNT(*) - COUNT(DISTINCT id) FROM {table}").fetchone()
    if not twice:
        return
    if not reading.rules.skip_invalid:
        found = connection.execute(_DUPLICATES.format(table=table), (_SHOWN_PROBLEMS,)).fetchall()
        raise _refusal(
            name,
            [
                BadRow(number=row, problem=f"the id {key!r} stands in row {first} already")
                for key, first, row in found
            ],
            twice,
        )
    later = f"{table} WHERE seq NOT IN (SELECT MIN(seq) FROM {table} GROUP BY id)"
    for key, row in connection.execute(f"SELECT id, row FROM {later}"):
        reading._note(BadRow(number=row, problem=f"the id {key!r} stands in an earlier row"))  # noqa: SLF001 - same module
    connection.execute(f"DELETE FROM {later}")


def _move(connection: sqlite3.Connection, last_seq: int, limit: int | None) -> None:
    connection.execute(
        "INSERT INTO items SELECT ROW_NUMBER() OVER (ORDER BY seq) + ?, id, id_is_integer, row, "
        "fields FROM incoming WHERE id NOT IN (SELECT id FROM items) ORDER BY seq LIMIT ?",
        (last_seq, -1 if limit is None else limit),
    )
    connection.execute("DROP TABLE incoming")


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
    return added


def _columns(connection: sqlite3.Connection) -> dict[str, None]:
    row = connection.execute("SELECT value FROM meta WHERE key = 'columns'").fetchone()
    return dict.fromkeys(jsontext.loads(row[0])) if row else {}


def _remember(connection: sqlite3.Connection, reading: _Reading) -> None:
    source = reading.source
    connection.execute(
        "INSERT OR REPLACE INTO meta VALUES ('columns', ?)",
        (jsontext.dumps(list(reading.columns)),),
    )
    connection.execute(
        "INSERT OR REPLACE INTO sources VALUES (?, ?, ?, ?, ?, ?)",
        (
            source.uri,
            source.name,
            source.stamp(),
            reading.rows_read,
            reading.whole and reading.rules.limit is None,
            time.time(),
        ),
    )
    connection.execute("DELETE FROM skipped WHERE source = ?", (source.uri,))
    connection.executemany(
        "INSERT OR REPLACE INTO skipped VALUES (?, ?, ?)",
        ((source.uri, bad.number, bad.problem) for bad in reading.problems),
    )


def _no_column(source: str, name: str, columns: list[str]) -> InputError:
    close = get_close_matches(name, columns, n=1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    return InputError(
        f"there is no column {name!r}",
        source=source,
        way_out=f"It has: {', '.join(columns)}; {hint}Rename the column or choose another task.",
    )


def _refusal(source: str, problems: Iterable[BadRow], count: int) -> InputError:
    first, *others = problems
    more = ""
    if count > 1:
        rows = ", ".join(str(bad.number) for bad in others)
        more = f" (and {count - 1} more: row {rows}{', …' if count > 1 + len(others) else ''})"
    return InputError(
        f"{first.problem}{more}; nothing was imported",
        source=source,
        row=first.number,
        way_out="Mend the rows, or leave them out with --skip-invalid.",
    )
