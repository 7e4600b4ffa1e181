"""A table of a PostgreSQL database as an output."""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg

from processor.errors import DeliveryError, UsageError
from processor.exports import output
from processor.exports.output import Delivered, Terms, belongs
from processor.exports.postgres import plan as plans
from processor.exports.postgres.catalogue import Connection
from processor.exports.postgres.preparation import Preparation
from processor.exports.postgres.rehearsal import Rehearsal
from processor.exports.postgres.writer import Rows, TableWriter, blames_row
from processor.exports.table import ResultTable
from processor.ledger import database, outbox, results, vectors
from processor.ledger.outbox import Outbox
from processor.ledger.results import Result
from processor.postgres import session, trouble
from processor.postgres.address import Address
from processor.postgres.table_name import TableName

_BATCH_CHANGES = 5_000  # a transaction, about a seventh of a second
# A statement takes so many rows, or fewer with long vectors; two of them are in memory at once.
_PART_ROWS = 500
_PART_NUMBERS = 500_000
_RESULTS_ENDING = "_results"
# Besides those that are passing in any connection: a full disk, a standby that has taken over,
# a lock or a statement that took too long.
_READ_ONLY = "25006"
_PASSING = ("53", _READ_ONLY, "55P03", "57014")


class PostgresOutput:
    """Writes results into a table, as they arrive.

    Either into a table of our own, by default `<task>_results`, which is made when it is not
    there: the id as primary key, the input's columns and the results. Or, with `into`, into
    columns of a table that has the rows already. A table of our own is the default, because it
    alters nothing that others have made, and one `JOIN` away it is the same.

    Every row is put there by its id, and only if it differs from what is there, so it does not
    matter how often that happens. How far that went is noted in the ledger, once the database has
    committed. Of several processes that write to one table each waits for the other's batch, and
    reads its own ledger after that: nothing old comes over something new.

    Rows of items that are pending are not written, and no row is ever deleted: of a row that does
    not belong to the terms any more, the table keeps what it was.

    Args:
        address: The database.
        table: The table.
        terms: What goes there. With `keep_old`, what is replaced goes into `<table>_history`,
            which is made when it is not there: beside the table and not in columns of it, because
            it keeps every former value with its time, and the table its shape.

    Raises:
        UsageError: Terms that only files heed.
    """

    live = True

    def __init__(self, address: Address, table: TableName, terms: Terms) -> None:
        self._address = address
        self._table = table
        self._terms = terms
        self._rows: output.Rows = terms.rows or "success"
        self._writer: TableWriter | None = None
        self._began = False
        self._notes: list[str] = []
        if terms.excel:
            raise UsageError("--excel is for files", way_out="Leave it out.")
        if terms.into and terms.columns is not None:
            raise UsageError("--columns and --write-columns exclude each other")
        if len(set(terms.into.values())) != len(terms.into):
            raise UsageError("--write-columns: two results go into one column")
        plans.check_names([table.name], way_out="Name another with --output-table.")
        self._preparation = Preparation(place=address.name, table=table, terms=terms)

    @classmethod
    def open(cls, uri: str, terms: Terms, *, task: str) -> "PostgresOutput":
        """The output that a URI stands for.

        Raises:
            UsageError: It is no address, or no table is named that `terms.into` could be of.
        """
        address = Address.of(uri)
        named = TableName.of(terms.table) if terms.table is not None else address.table
        if named is None and terms.into:
            raise UsageError(
                "--write-columns: of which table?", way_out="Name it with --output-table."
            )
        return cls(address, named or _own(task), terms)

    @classmethod
    def back(
        cls, uri: str, terms: Terms, *, task: str, source_table: str | None
    ) -> "PostgresOutput":
        """The output into the database that rows are read from.

        Args:
            uri: As it was named to be read; a table in it is the one that is read.
            terms: What goes there.
            task: Name of the run's task.
            source_table: The table that is read, when it was named beside the URI.

        Raises:
            UsageError: It is no address, or no table is named that `terms.into` could be of.
        """
        address = Address.of(uri)
        back = source_table if terms.into else None
        named = terms.table if terms.table is not None else back
        if named is not None:
            return cls(address, TableName.of(named), terms)
        if terms.into:
            return cls.open(uri, terms, task=task)
        return cls(address, _own(task), terms)

    @property
    def name(self) -> str:
        """The database and the table, without the password."""
        return f"{self._address.name}, table {self._table}"

    @property
    def target(self) -> str:
        """What the ledger knows this output by: another wish is another target."""
        wish = {
            "rows": self._rows,
            "columns": self._terms.columns,
            "into": dict(self._terms.into),
        }
        return f"{self._address.uri} {self._table} {json.dumps(wish, ensure_ascii=False)}"

    def reach(self) -> None:
        """See that the table is there, or can be made.

        Raises:
            UsageError: No such database, a wrong password, no permission, no table.
        """
        with self._refusing(), self._connected() as connection:
            self._preparation.existing(connection)

    def check(self, connection: sqlite3.Connection) -> None:
        """See that the table takes the results.

        Raises:
            UsageError: It does not; names the column.
        """
        with (
            self._refusing(),
            self._connected() as server,
            server.transaction(force_rollback=True),
        ):
            session.bound_waits(server)
            self._preparation.ready(server, connection)

    def deliver(self, ledger: Path) -> Delivered:
        """Put everything there that is not there yet.

        Raises:
            DeliveryError: The database is away, or does not take the rows.
            LedgerError: The ledger cannot be read or written.
        """
        if self._terms.rehearse:
            return self._rehearse(ledger)
        with outbox.opened(ledger) as connection:
            box = Outbox(connection, self.target)
            if self._began and box.batch(1) is None:
                return Delivered()
            with self._delivering():
                return self._deliver(connection, box)

    def waiting(self, ledger: Path) -> int:
        """How many items with an outcome the table was not told of yet.

        Raises:
            LedgerError: The ledger cannot be read.
        """
        with database.reading(ledger) as connection:
            return Outbox(connection, self.target).waiting()

    def close(self) -> None:
        """Close the connection."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _deliver(self, ledger: sqlite3.Connection, box: Outbox) -> Delivered:
        writer = self._writer or self._open(ledger, box)
        try:
            done = self._written(writer, ledger, box, careful=False)
        except psycopg.Error as error:
            if not blames_row(error):
                raise
            done = self._written(writer, ledger, box, careful=True)
        notes, self._notes = tuple(self._notes), []
        return replace(done, notes=notes)

    def _written(
        self, writer: TableWriter, ledger: sqlite3.Connection, box: Outbox, *, careful: bool
    ) -> Delivered:
        """Some of what is new: one transaction of each side, the database's first.

        One a call, so that what is done is told, whatever becomes of the next.
        """
        table, refused = ResultTable(ledger, with_vectors=True), dict[int, str]()
        with writer.transaction():
            batch = box.batch(_BATCH_CHANGES)  # behind the lock: another may have been faster
            if batch is None:
                return Delivered()
            step = _part_rows(ledger)
            parts = (
                self._chosen(ledger, table, batch.seqs[first : first + step])
                for first in range(0, len(batch.seqs), step)
            )
            total = (
                writer.put_carefully(parts, refused, count=len(batch.seqs))
                if careful
                else writer.put(parts)
            )
        box.settle(batch, refused)
        return replace(total, is_all=batch.is_last)  # what came meanwhile may gather

    def _chosen(self, ledger: sqlite3.Connection, table: ResultTable, seqs: Sequence[int]) -> Rows:
        """Of these items the rows that are wanted."""
        return self._rows_of(table, results.of_items(ledger, seqs))

    def _rows_of(self, table: ResultTable, items: Sequence[Result]) -> Rows:
        wanted = [item for item in items if self._wants(item)]
        return [(item.seq, row) for item, row in zip(wanted, table.rows(wanted), strict=True)]

    def _rehearse(self, ledger: Path) -> Delivered:
        """All of it in one transaction that is taken back, what is made included."""
        rehearsal, total = Rehearsal(), Delivered()
        with (
            database.reading(ledger) as connection,
            self._delivering(),
            self._connected() as server,
            server.transaction(force_rollback=True),
        ):
            session.bound_waits(server)
            ready = self._preparation.ready(server, connection)
            writer = ready.writer
            table = ResultTable(connection, with_vectors=True)
            step = _part_rows(connection)
            with writer.transaction():
                for items in table.items():
                    for first in range(0, len(items), step):
                        rows = self._rows_of(table, items[first : first + step])
                        rehearsal.add(writer.verdicts(rows))
                        total += writer.put_carefully([rows], {}, count=len(rows))
        return replace(total, notes=(*ready.notes, *rehearsal.lines()))

    def _wants(self, item: Result) -> bool:
        return item.status != "pending" and belongs(self._rows, item)

    def _open(self, ledger: sqlite3.Connection, box: Outbox) -> TableWriter:
        """Connect, and see from where on the table is to be told."""
        with ExitStack() as stack:
            connection = session.connect(self._address)
            stack.callback(connection.close)
            with connection.transaction():
                session.bound_waits(connection)
                ready = self._preparation.ready(connection, ledger)
                writer = ready.writer
                is_lost = writer.plan.makes_rows and writer.is_empty()
            self._notes += ready.notes
            everything = self._terms.everything and not self._began
            box.begin(
                writer.plan.table.store,
                everything=everything or is_lost,
                again=not self._began,
            )
            stack.pop_all()
        self._writer, self._began = writer, True
        return writer

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        with closing(session.connect(self._address)) as connection:
            yield connection

    @contextmanager
    def _refusing(self) -> Iterator[None]:
        """What a database says before anything was sent is the user's to mend."""
        try:
            yield
        except psycopg.Error as error:
            said = trouble.of(error)
            raise UsageError(
                f"{self._address.name}: {said.message}", way_out=said.way_out
            ) from error

    @contextmanager
    def _delivering(self) -> Iterator[None]:
        """What a database says while a run goes on may pass; the next call connects anew."""
        with ExitStack() as stack:
            stack.callback(self.close)
            try:
                yield
            except psycopg.Error as error:
                said = trouble.of(error)
                code = error.sqlstate or ""
                raise DeliveryError(
                    f"{self.name}: {said.message}",
                    passing=said.passing or code.startswith(_PASSING),
                    way_out="" if code == _READ_ONLY else said.way_out,
                ) from error
            except UsageError as error:  # the table is another than it was when the run began
                raise DeliveryError(error.message, passing=False, way_out=error.way_out) from error
            stack.pop_all()


def _part_rows(ledger: sqlite3.Connection) -> int:
    length = vectors.length(ledger) or 0
    return max(1, min(_PART_ROWS, _PART_NUMBERS // max(1, length)))


def _own(task: str) -> TableName:
    return TableName(name=plans.fitted(task, _RESULTS_ENDING))
