"""What is asked of a database: a query of the user's, or a whole table."""

import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Protocol

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

from processor.data.wanted import Wanted
from processor.errors import InputError, UsageError
from processor.postgres.table_name import TableName
from processor.postgres.trouble import Trouble

__all__ = ["Query", "Selection", "Table", "selected"]

_READS = ("SELECT", "WITH", "VALUES", "TABLE")
_READ_ONLY = "Give one SELECT; its rows are the items."
_FIRST_WORD = re.compile(r"(?:[\s(]|--[^\n]*|/\*.*?\*/)*(\\?\w*)", re.DOTALL)
# What the server says of statements that the words above let through.
_REFUSALS = (
    ("multiple commands", "the query holds more than one statement"),
    ("data-modifying statements", "the query writes in its WITH"),
    ("INTO", "the query writes: SELECT … INTO makes a table"),
)

_TABLES = """
SELECT relname FROM pg_catalog.pg_class
WHERE relkind IN ('r', 'p', 'v', 'm', 'f')
  AND CASE WHEN %(schema)s::text IS NULL THEN pg_catalog.pg_table_is_visible(oid)
           ELSE relnamespace IN (SELECT oid FROM pg_catalog.pg_namespace
                                 WHERE nspname = %(schema)s) END
"""
_KEY = """
SELECT attname
FROM pg_catalog.pg_index, unnest(indkey) WITH ORDINALITY AS key (number, place)
     JOIN pg_catalog.pg_attribute ON attnum = key.number
WHERE indrelid = %(table)s::regclass AND attrelid = indrelid AND indisprimary
ORDER BY key.place
"""


class Selection(Protocol):
    """Which rows are wanted."""

    @property
    def path(self) -> tuple[str, ...]:
        """What the names of a source and its run folder end in."""

    @property
    def uri(self) -> str:
        """What tells it from other selections of the same database."""

    def query(
        self, connection: "psycopg.Connection[TupleRow]", source: str
    ) -> bytes | sql.Composed:
        """The SELECT.

        Raises:
            InputError: There is nothing of that name in the database.
        """

    def refusal(self, told: Trouble) -> Trouble:
        """What the server says against the query, in words that fit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A SELECT of the user's."""

    text: str

    def __post_init__(self) -> None:
        """See that it may be a SELECT.

        Raises:
            UsageError: It begins with another word.
        """
        found = _FIRST_WORD.match(self.text)
        word = found[1] if found else ""
        if word.upper() in _READS:
            return
        begins = f"begins with {word}" if word else "is empty"
        raise UsageError(f"the query is no SELECT: it {begins}", way_out=_READ_ONLY)

    @property
    def path(self) -> tuple[str, ...]:
        """Nothing: the database stands for it."""
        return ()

    @property
    def uri(self) -> str:
        """The query, however it is laid out."""
        return f"query={' '.join(self.text.split()).rstrip('; ')}"

    def query(
        self,
        connection: "psycopg.Connection[TupleRow]",  # noqa: ARG002 - the protocol's
        source: str,  # noqa: ARG002
    ) -> bytes:
        """As the user wrote it."""
        return self.text.encode()

    def refusal(self, told: Trouble) -> Trouble:
        """The server's words, or plainer ones."""
        for words, message in _REFUSALS:
            if words in told.message:
                return Trouble(message=message, way_out=_READ_ONLY)
        return told


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """All columns and rows of a table, in the order of its primary key if it has one."""

    table: TableName

    @property
    def path(self) -> tuple[str, ...]:
        """Schema and name."""
        table = self.table
        return (table.name,) if table.schema is None else (table.schema, table.name)

    @property
    def uri(self) -> str:
        """The table's name."""
        return f"table={self.table}"

    def query(self, connection: "psycopg.Connection[TupleRow]", source: str) -> sql.Composed:
        """All of the table.

        Raises:
            InputError: There is no such table.
        """
        quoted = self.table.quoted.as_string(connection)
        (found,) = connection.execute("SELECT to_regclass(%s)", [quoted]).fetchone() or (None,)
        if found is None:
            raise self._missing(connection, source)
        key = [sql.Identifier(name) for (name,) in connection.execute(_KEY, {"table": quoted})]
        order = sql.SQL(" ORDER BY {}").format(sql.SQL(", ").join(key)) if key else sql.SQL("")
        return sql.SQL("SELECT * FROM {}{}").format(self.table.quoted, order)

    def refusal(self, told: Trouble) -> Trouble:
        """The server's words."""
        return told

    def _missing(self, connection: "psycopg.Connection[TupleRow]", source: str) -> InputError:
        names = [name for (name,) in connection.execute(_TABLES, {"schema": self.table.schema})]
        near = get_close_matches(self.table.name, names, n=3)
        return InputError(
            f"there is no table {self.table}",
            source=source,
            way_out=f"Did you mean {' or '.join(near)}?" if near else "",
        )


def selected(wanted: Wanted, named: TableName | None) -> Selection:
    """The rows that are meant.

    Args:
        wanted: What was asked for.
        named: The table that the database's URI names.

    Raises:
        UsageError: Nothing names them, or more than one thing does.
    """
    table = TableName.of(wanted.table) if wanted.table is not None else named
    if wanted.query is not None and table is not None:
        raise UsageError("a query and a table were named", way_out="Name one of them.")
    if table is not None:
        return Table(table=table)
    query = wanted.query if wanted.query is not None else wanted.otherwise
    if query is None:
        raise UsageError(
            "which rows of the database are meant is not said",
            way_out="--table NAME takes a whole table, --query 'SELECT …' what a query finds.",
        )
    return Query(text=query)
