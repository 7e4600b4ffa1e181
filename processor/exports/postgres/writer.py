"""Rows on their way into a table, over one connection."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.rows import TupleRow

from processor.errors import DeliveryError
from processor.exports.output import Delivered
from processor.exports.postgres import catalogue, statements
from processor.exports.postgres.catalogue import Connection
from processor.exports.postgres.cells import Cells
from processor.exports.postgres.plan import Plan
from processor.ledger import ids
from processor.postgres import session, trouble

Rows = Sequence[tuple[int, list[Any]]]
"""Rows of the results, each with a number that its refusal is told by."""

_LOCK_CLASS = 0x70726F63  # "proc"
# A few texts that are too long keep no others out; a table of another meaning takes none at all.
_REFUSED_MOST, _REFUSED_SHARE = 100, 10
_CLASS_LENGTH = 2
# Classes of errors that a row is to blame for: its values, a constraint, a trigger's objection,
# its size.
_BY_ROW = frozenset({"21", "22", "23", "27", "44", "54", "P0"})
_PASSED_OVER = "the database passed it over: a policy of the table, or a trigger, keeps it as it is"
_ENTER = """
SELECT pg_advisory_xact_lock(%s, %s::bigint::bit(32)::int),
    CASE current_setting('synchronous_commit') WHEN 'off'
    THEN set_config('synchronous_commit', 'on', true) END
"""


class TableWriter:
    """Puts rows into a table.

    Args:
        connection: Its own, closed with it.
        plan: What goes where.
    """

    def __init__(self, connection: Connection, plan: Plan) -> None:
        self._connection = connection
        self._cursor = psycopg.RawCursor(connection)  # a name may hold a percent sign
        self._cells = Cells(plan.slots)
        self._store = statements.store(plan).as_bytes(connection)
        keeps = plan.history is not None
        self._keep = statements.keep(plan).as_bytes(connection) if keeps else None
        self._tell = statements.tell(plan).as_bytes(connection)
        self.plan = plan

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    @contextmanager
    def transaction(self, *, taken_back: bool = False) -> Iterator[None]:
        """One at a time of all processes that write to the table.

        Its commit waits for the disk: a server may be set to acknowledge what it could still
        lose, and the ledger would rely on that.

        Args:
            taken_back: Undo at the end what was done.

        Raises:
            psycopg.Error: The connection is gone, or what was deferred to the end is refused.
        """
        with self._connection.transaction(force_rollback=taken_back):
            session.settle(self._connection)
            session.bound_waits(self._connection)
            self._connection.execute(_ENTER, (_LOCK_CLASS, self.plan.table.oid))
            yield

    def is_empty(self) -> bool:
        """Whether the table has no rows."""
        return catalogue.is_empty(self._connection, self.plan.table)

    def put(self, parts: Iterable[Rows]) -> Delivered:
        """Put rows there; the database works on one part while the next one is made.

        Raises:
            psycopg.Error: The connection is gone, or a row is refused: see `blames_row`.
        """
        total = Delivered()
        before: psycopg.RawCursor[TupleRow] | None = None
        with self._connection.pipeline():
            for rows in parts:
                if rows:
                    cursor = self._sent(rows)
                    total += self._answer(before)
                    before = cursor
            return total + self._answer(before)

    def put_carefully(
        self, parts: Iterable[Rows], refused: dict[int, str], *, count: int
    ) -> Delivered:
        """Put rows there, but for those that the table does not take.

        Args:
            parts: The rows.
            refused: Gets the number of each that is not taken, and why.
            count: How many rows these are, or a few more.

        Raises:
            psycopg.Error: The connection is gone, or no row is to blame.
            DeliveryError: So many are refused that all may be.
        """
        # What would be refused at the commit, and blame nobody, is refused with its row.
        self._connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
        most = max(_REFUSED_MOST, count // _REFUSED_SHARE)
        total = Delivered()
        for rows in parts:
            total += self._halved(rows, refused, most)
        return total

    def _halved(self, rows: Rows, refused: dict[int, str], most: int) -> Delivered:
        """All of them at once; if that is refused, each half apart, down to the row at fault."""
        if not rows:
            return Delivered()
        try:
            with self._connection.transaction():
                return self._answer(self._sent(rows))
        except psycopg.Error as error:
            if not blames_row(error):
                raise
            if len(rows) == 1:
                return self._refused(rows[0], error, refused, most)
        half = len(rows) // 2
        return self._halved(rows[:half], refused, most) + self._halved(rows[half:], refused, most)

    def verdicts(self, rows: Rows) -> list[tuple[str, str]]:
        """What would be done with rows, and the id of each."""
        self._cursor.execute(self._tell, [self._payload(rows)])
        return [(verdict, key) for verdict, key in self._cursor]

    def _sent(self, rows: Rows) -> "psycopg.RawCursor[TupleRow]":
        payload = [self._payload(rows)]
        cursor = psycopg.RawCursor(self._connection)
        if self._keep is not None:
            self._cursor.execute(self._keep, payload)
        return cursor.execute(self._store, payload)

    def _payload(self, rows: Rows) -> str:
        return self._cells.payload([row for _, row in rows])

    def _answer(self, cursor: "psycopg.RawCursor[TupleRow] | None") -> Delivered:
        """What was done; without a question, nothing.

        Raises:
            psycopg.Error: A row is refused, or was passed over without an error.
        """
        if cursor is None:
            return Delivered()
        counts = cursor.fetchone()
        assert counts is not None
        given, known, must, done = counts
        inserted = given - known if self.plan.makes_rows else 0
        if done < inserted + must:
            raise psycopg.errors.TriggeredDataChangeViolation(_PASSED_OVER)
        updated = done - inserted
        return Delivered(
            inserted=inserted,
            updated=updated,
            unchanged=known - updated,
            missing=given - known - inserted,
        )

    def _refused(
        self, row: tuple[int, list[Any]], error: psycopg.Error, refused: dict[int, str], most: int
    ) -> Delivered:
        number, values = row
        problem = trouble.of(error).message
        key = self.plan.key
        line = f"the row of {key.column.name} {ids.shown(values[key.place])}: {problem}"
        refused[number] = problem
        if len(refused) > most:
            raise DeliveryError(
                f"table {self.plan.table.name} refuses row after row, as {line}", passing=False
            ) from error
        return Delivered(refused=(line,), refused_rows=1)


def blames_row(error: psycopg.Error) -> bool:
    """Whether some row is at fault, so that others may be taken without it."""
    return (error.sqlstate or "")[:_CLASS_LENGTH] in _BY_ROW
