"""A table made ready for results: found or made, and seen to take them."""

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import psycopg

from processor import jsontext
from processor.errors import UsageError
from processor.exports import kinds
from processor.exports.output import Terms
from processor.exports.postgres import catalogue, growth, plan as plans, statements
from processor.exports.postgres.catalogue import Connection, TargetTable
from processor.exports.postgres.plan import Plan, Results
from processor.exports.postgres.writer import TableWriter
from processor.exports.table import ResultTable
from processor.ledger import repeats
from processor.postgres.table_name import TableName


@dataclass(frozen=True, slots=True)
class Ready:
    """A table that takes results.

    Attributes:
        writer: Puts them there.
        notes: What was done to the table for that, a line each.
    """

    writer: TableWriter
    notes: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparation:
    """What is to be made ready.

    Attributes:
        place: The database, for messages.
        table: The table.
        terms: What goes there.
    """

    place: str
    table: TableName
    terms: Terms

    def existing(self, connection: Connection) -> TargetTable | None:
        """The table; None when it is to be made.

        Raises:
            UsageError: It is not there and may not be made, or nothing may be written.
            psycopg.Error: The connection is gone, or its schema may not be looked into.
        """
        if not catalogue.is_writable(connection):
            raise UsageError(
                f"{self.place}: takes no writes",
                way_out="It is a standby, or set to be read only: name the server that is not.",
            )
        table = catalogue.find(connection, self.table)
        if table is None:
            self._check_makeable(connection)
        return table

    def ready(self, connection: Connection, ledger: sqlite3.Connection) -> Ready:
        """The table and its history, made if need be, or given the columns that they lack.

        Args:
            connection: Closed with the writer.
            ledger: That the results are in.

        Raises:
            UsageError: The table does not take the results; names the column.
            psycopg.Error: The connection is gone, or the table cannot be made.
        """
        if self.terms.into and repeats.of_run(ledger, None) > 1:
            raise UsageError(
                f"{self.place}: a row of {self.table} has no room for the answers of its repeats",
                way_out="Leave --write-columns out: a table of their own takes them.",
            )
        results = _results(ledger)
        table = self.existing(connection)
        notes: Sequence[str] = ()
        if table is None:
            table = self._made(connection, ledger, results)
        elif not self.terms.into:
            table, notes = self._grown(connection, ledger, table, results)
        if self.terms.keep_old:
            notes = [*notes, *self._grown_history(connection, table, results)]
        plan = self._plan(connection, table, results)
        if plan.history is not None and catalogue.find(connection, plan.history) is None:
            with connection.transaction():
                connection.execute(statements.create_history(plan))
                connection.execute(statements.mark(plan.history, growth.comment(results.task)))
        return Ready(TableWriter(connection, plan), notes)

    def _check_makeable(self, connection: Connection) -> None:
        missing = f"{self.place}: there is no table {self.table}"
        if self.terms.into:
            raise UsageError(missing, way_out="Name another with --output-table.")
        schema = self.table.schema or catalogue.current_schema(connection)
        if schema is None or not catalogue.may_create(connection, schema):
            raise UsageError(
                f"{missing}, and this role may not make one in the schema "
                f"{schema or 'of its search path'}",
                way_out="Name one that is there with --output-table, or leave the database as it "
                "is with --no-write-back.",
            )

    def _made(
        self, connection: Connection, ledger: sqlite3.Connection, results: Results
    ) -> TargetTable:
        types = self._types(connection, ledger, results)
        # Who makes it at the same moment is told of a key that stands twice, IF NOT EXISTS or not.
        with suppress(psycopg.errors.UniqueViolation), connection.transaction():
            connection.execute(statements.create(self.table, types, results.id_column))
            connection.execute(statements.mark(self.table, growth.comment(results.task)))
        table = catalogue.find(connection, self.table)
        assert table is not None, "it was made just now, by whomever"
        return table

    def _types(
        self, connection: Connection, ledger: sqlite3.Connection, results: Results
    ) -> Mapping[str, str]:
        """The columns of a table of our own to their types."""
        places = plans.chosen(results, self.terms.columns)
        plans.check_names(list(places), way_out="Rename it in the input.")
        columns = kinds.resolved(ledger, ResultTable(ledger, with_vectors=True))
        return {
            name: catalogue.type_of(connection, columns[place]) for name, place in places.items()
        }

    def _grown(
        self,
        connection: Connection,
        ledger: sqlite3.Connection,
        table: TargetTable,
        results: Results,
    ) -> tuple[TargetTable, Sequence[str]]:
        """The table with all columns of the results, and what was done for that."""
        plans.check_kind(table)
        names = plans.chosen(results, self.terms.columns)
        if results.id_column not in table.columns or table.columns.keys() >= names.keys():
            return table, ()
        types = self._types(connection, ledger, results)
        return growth.extended(connection, table, types, task=results.task)

    def _grown_history(
        self, connection: Connection, table: TargetTable, results: Results
    ) -> Sequence[str]:
        history = catalogue.find(connection, plans.history_of(table.name))
        if history is None or not growth.is_of(results.task, history):
            return ()
        into = self.terms.into.values()
        wanted = into or plans.chosen(results, self.terms.columns)
        types = {name: table.columns[name].kind for name in wanted if name in table.columns}
        return growth.extended(connection, history, types, task=results.task)[1]

    def _plan(self, connection: Connection, table: TargetTable, results: Results) -> Plan:
        terms = self.terms
        if terms.into:
            return plans.into_given(connection, table, results, terms.into, keep_old=terms.keep_old)
        return plans.into_own(connection, table, results, terms.columns, keep_old=terms.keep_old)


def _results(ledger: sqlite3.Connection) -> Results:
    table = ResultTable(ledger, with_vectors=True)
    meta = dict(ledger.execute("SELECT key, value FROM meta"))
    return Results(
        columns=table.columns,
        id_column=table.id_column,
        id_field=meta["id_field"],
        task=meta["task"],
        samples=jsontext.loads(meta.get("samples", "[]")),
    )
