"""A table of a database, or what a query makes of its tables, as rows."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from itertools import chain
from threading import Lock, Thread
from typing import Any, NoReturn

import psycopg
from psycopg.rows import TupleRow

from processor.columns import Column
from processor.data.selection import Selection, selected
from processor.data.wanted import Wanted
from processor.errors import InputError, SourceAwayError
from processor.items import Row
from processor.postgres import trouble
from processor.postgres.address import Address
from processor.postgres.session import connect, settle, watch_client
from processor.postgres.types import as_text, columns_of
from processor.postgres.values import reader_of

__all__ = ["PostgresSource"]

# Nothing is written, and every row is of the same moment.
_BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"
# Without it, plans are made for somebody who wants the first tenth of the rows.
_READ_ALL = "SET LOCAL cursor_tuple_fraction = 1"
_AGAIN = "The same command reads it again."
_CANCEL_S = 10.0
_FIRST_PAGE_ROWS, _PAGE_ROWS, _PAGE_CHARACTERS, _SAMPLE_ROWS = 16, 2_000, 1 << 20, 16

_Cursor = psycopg.ServerCursor[TupleRow]


class _Running:
    """The connection that is being read from, so that another thread can end its query."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._connection: psycopg.Connection[TupleRow] | None = None

    @contextmanager
    def on(self, connection: "psycopg.Connection[TupleRow]") -> Iterator[None]:
        with self._lock:
            self._connection = connection
        try:
            yield
        finally:
            with self._lock:
                self._connection = None

    def cancel(self) -> None:
        with self._lock:
            connection = self._connection
        if connection is not None:
            Thread(target=_cancel, args=(connection,), name="cancel", daemon=True).start()


def _cancel(connection: "psycopg.Connection[TupleRow]") -> None:
    with suppress(psycopg.Error):  # whoever reads is told what became of it
        connection.cancel_safe(timeout=_CANCEL_S)


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresSource:
    """What a selection finds in a database.

    It is read through a cursor of the server, in one read-only transaction that sees the tables
    as they are when it begins. Rows are numbered as the cursor gives them.

    Attributes:
        address: Where the database is.
        selection: What is asked of it.
    """

    address: Address
    selection: Selection
    _running: _Running = field(default_factory=_Running, init=False, repr=False, compare=False)

    @classmethod
    def of(cls, uri: str, wanted: Wanted) -> "PostgresSource":
        """The source that a URI, and what is wanted of the database, stand for.

        Raises:
            UsageError: One of the two cannot be read, or it is not clear what is wanted.
        """
        address = Address.of(uri)
        return cls(address=address, selection=selected(wanted, address.table))

    @property
    def name(self) -> str:
        """The database's, and the table's; without the password."""
        return "/".join((self.address.name, *self.selection.path))

    @property
    def uri(self) -> str:
        """The database and what is asked of it, whoever asks."""
        return f"{self.address.uri}?{self.selection.uri}"

    def stamp(self) -> None:
        """None: a database does not tell for certain that its tables are unchanged."""
        return

    def columns(self) -> Sequence[Column]:
        """The columns with their types.

        Raises:
            InputError: The database cannot be reached, or refuses the query.
        """
        with self._told(), self._asked() as (_, columns):
            return columns

    def rows(self) -> Iterator[Row]:
        """The rows in the cursor's order; none is no error, a table may be empty.

        Raises:
            InputError: The database cannot be reached, or refuses the query.
            SourceAwayError: It went away.
        """
        with self._told(), self._asked() as (cursor, columns):
            names = [column.name for column in columns]
            readers = [(column.name, reader_of(column)) for column in columns]
            special = [(name, read) for name, read in readers if read is not None]
            for number, values in enumerate(chain.from_iterable(_pages(cursor)), 1):
                fields = dict(zip(names, values, strict=True))
                for name, read in special:
                    if (text := fields[name]) is not None:
                        fields[name] = read(text)
                yield Row(number=number, fields=fields)

    def cancel(self) -> None:
        """End a query that another thread waits for, which then raises; returns at once."""
        self._running.cancel()

    @contextmanager
    def _asked(self) -> Iterator[tuple[_Cursor, Sequence[Column]]]:
        """A cursor before the first row, and its columns."""
        try:
            connection = connect(self.address)
        except psycopg.Error as error:
            self._refuse(error, begun=False)
        with closing(connection), self._running.on(connection):
            connection.execute(_BEGIN)
            settle(connection)
            watch_client(connection)
            connection.execute(_READ_ALL)
            query = self.selection.query(connection, self.name)
            with connection.cursor(name="rows") as cursor:
                as_text(cursor)
                cursor.execute(query)
                columns = columns_of(connection, cursor)
                self._check(columns)
                yield cursor, columns

    def _check(self, columns: Sequence[Column]) -> None:
        names = Counter(column.name for column in columns)
        twice = [name for name, count in names.items() if count > 1]
        if twice:
            raise InputError(
                f"the query returns more than one column named {', '.join(twice)}",
                source=self.name,
                way_out="Name them apart: SELECT a.id, b.id AS other_id.",
            )
        if not columns:
            raise InputError("the query returns no columns", source=self.name)

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Turn what the client library raises into what the user is told."""
        try:
            yield
        except psycopg.Error as error:
            self._refuse(error, begun=True)

    def _refuse(self, error: psycopg.Error, *, begun: bool) -> NoReturn:
        told = trouble.of(error)
        if told.passing:
            way_out = _AGAIN if begun else told.way_out
            raise SourceAwayError(
                told.message, source=self.name, way_out=way_out, begun=begun
            ) from error
        refused = self.selection.refusal(told)
        raise InputError(refused.message, source=self.name, way_out=refused.way_out) from error


def _pages(cursor: _Cursor) -> Iterator[list[tuple[Any, ...]]]:
    size = _FIRST_PAGE_ROWS
    while page := cursor.fetchmany(size):
        yield page
        size = next_page_rows(size, page)


def next_page_rows(rows: int, page: Sequence[Sequence[str | None]]) -> int:
    """How many rows to take at once after a page: about a megabyte of them.

    Args:
        rows: How many were asked for last.
        page: What came.
    """
    sample = page[:: max(1, len(page) // _SAMPLE_ROWS)]
    characters = sum(len(text) for values in sample for text in values if text)
    fitting = _PAGE_CHARACTERS * len(sample) // max(1, characters)
    return max(1, min(fitting, 2 * rows, _PAGE_ROWS))
