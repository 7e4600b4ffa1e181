"""Which column of the results goes into which column of a table, and whether it can."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from psycopg import sql

from processor.columns import Column
from processor.errors import UsageError
from processor.exports.postgres import catalogue
from processor.exports.postgres.catalogue import Connection, TargetColumn, TargetTable
from processor.postgres.table_name import TableName

LONGEST_NAME_BYTES = 63
REPLACED_AT = "replaced_at"
_HISTORY = "_history"
_NOT_TABLES: Mapping[str, str] = {
    "v": "a view",
    "m": "a materialized view",
    "f": "a foreign table",
    "S": "a sequence",
    "i": "an index",
    "I": "an index",
    "c": "a type",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """The results, as a plan needs to know them.

    Attributes:
        columns: All, in the order in which their values stand in a row.
        id_column: Name of the one that tells rows apart.
        id_field: Its name where the rows come from, which no result has to share.
        task: Name of the task that they are of.
        samples: What the column `result` holds is like one of these; empty when it may be
            anything.
    """

    columns: Sequence[Column]
    id_column: str
    id_field: str
    task: str
    samples: Sequence[str] = ()

    def place(self, name: str) -> int:
        """Where the values of a column stand.

        Raises:
            UsageError: The results have no such column.
        """
        names = [column.name for column in self.columns]
        if name not in names:
            close = get_close_matches(name, names, n=1)
            raise UsageError(
                f"the results have no column {name!r}",
                way_out=(f"Did you mean {close[0]!r}? " if close else "")
                + f"They have: {', '.join(names)}.",
            )
        return names.index(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One column's way.

    Attributes:
        place: Where its values stand in a row of the results.
        column: That it comes from.
        target: That it goes to.
    """

    place: int
    column: Column
    target: TargetColumn


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How results go into a table.

    Attributes:
        key: What tells the rows apart.
        values: All others.
        makes_rows: Whether rows that are not there are made; otherwise the table has its own.
        history: Where the values go that are replaced; None when nobody keeps them.
    """

    table: TargetTable
    key: Slot
    values: Sequence[Slot]
    makes_rows: bool
    history: TableName | None

    @property
    def slots(self) -> Sequence[Slot]:
        """All columns, the key's first."""
        return (self.key, *self.values)


def chosen(results: Results, columns: Sequence[str] | None) -> Mapping[str, int]:
    """Name of a column to the place of its values, for a table of our own.

    Args:
        results: What there is.
        columns: Those that are wanted; None for all. The id comes along, wanted or not.

    Raises:
        UsageError: There is no such column.
    """
    wanted = [column.name for column in results.columns] if columns is None else list(columns)
    if results.id_column not in wanted:
        wanted.insert(0, results.id_column)
    return {name: results.place(name) for name in wanted}


def into_own(
    connection: Connection,
    table: TargetTable,
    results: Results,
    columns: Sequence[str] | None,
    *,
    keep_old: bool,
) -> Plan:
    """The plan for a table that has, or was given, the columns of the results.

    Raises:
        UsageError: It is of another shape; names the column.
    """
    check_kind(table)
    places = chosen(results, columns)
    slots = {name: _slot(table, results, place, name) for name, place in places.items()}
    for column in table.columns.values():
        if column.is_needed and column.name not in slots:
            raise _misfit(table, f"its column {column.name!r} needs a value and has no result")
    key = slots.pop(results.id_column)
    if key.target.name not in table.unique:
        raise UsageError(
            f"table {table.name}: nothing keeps its column {key.target.name!r} unique",
            way_out="Add a primary key or a unique index on it, or name another table with "
            "--output-table.",
        )
    plan = Plan(
        table=table,
        key=key,
        values=tuple(slots.values()),
        makes_rows=True,
        history=history_of(table.name) if keep_old else None,
    )
    _check(connection, plan, results.samples)
    return plan


def into_given(
    connection: Connection,
    table: TargetTable,
    results: Results,
    into: Mapping[str, str],
    *,
    keep_old: bool,
) -> Plan:
    """The plan for columns of a table that has the rows already.

    Raises:
        UsageError: There is no such column, or none that takes the results; names it.
    """
    check_kind(table)
    key = _slot(table, results, results.place(results.id_column), results.id_field)
    values = [_slot(table, results, results.place(name), to) for name, to in into.items()]
    if key.target.name in into.values():
        raise UsageError(f"--write-columns: {key.target.name!r} tells the rows apart and stays")
    plan = Plan(
        table=table,
        key=key,
        values=values,
        makes_rows=False,
        history=history_of(table.name) if keep_old else None,
    )
    _check(connection, plan, results.samples)
    if key.target.name not in table.unique:
        _check_unique(connection, table, key.target)
    return plan


def history_of(table: TableName) -> TableName:
    """The table beside a table that keeps what was replaced in it."""
    return TableName(schema=table.schema, name=fitted(table.name, _HISTORY))


def fitted(name: str, ending: str) -> str:
    """A name with an ending, as long as PostgreSQL lets it be: it cuts off the end, we do not."""
    room = LONGEST_NAME_BYTES - len(ending.encode())
    return name.encode()[:room].decode(errors="ignore") + ending


def check_kind(table: TargetTable) -> None:
    """See that it is a table.

    Raises:
        UsageError: It is a view or the like.
    """
    if table.kind in _NOT_TABLES:
        raise UsageError(
            f"{table.name} is {_NOT_TABLES[table.kind]}, and results go into tables only",
            way_out="Name a table with --output-table.",
        )


def check_names(names: Sequence[str], *, way_out: str) -> None:
    """See that all names can be told apart by PostgreSQL.

    Args:
        names: Of columns, or of a table.
        way_out: What to do about one that is too long.

    Raises:
        UsageError: One is too long.
    """
    for name in names:
        if len(name.encode()) > LONGEST_NAME_BYTES:
            raise UsageError(
                f"{name!r} is longer than the {LONGEST_NAME_BYTES} bytes that a name has in "
                "PostgreSQL",
                way_out=way_out,
            )


def _slot(table: TargetTable, results: Results, place: int, name: str) -> Slot:
    column = results.columns[place]
    target = table.columns.get(name)
    if target is None:
        close = get_close_matches(name, list(table.columns), n=1)
        raise _misfit(
            table,
            f"it has no column {name!r}",
            hint=f"Did you mean {close[0]!r}? " if close else "",
        )
    return Slot(place=place, column=column, target=target)


def _check(connection: Connection, plan: Plan, samples: Sequence[str]) -> None:
    for right, slots in _rights(plan):
        for slot in slots:
            if right not in slot.target.rights:
                raise UsageError(
                    f"table {plan.table.name}: this role may not {right} its column "
                    f"{slot.target.name!r}",
                    way_out=f"Ask its owner: GRANT SELECT, INSERT, UPDATE ON {plan.table.name}.",
                )
    for slot in plan.values if not plan.makes_rows else plan.slots:
        _check_slot(connection, plan.table, slot, samples)
    if plan.history is not None:
        _check_history(connection, plan, plan.history)


def _check_history(connection: Connection, plan: Plan, name: TableName) -> None:
    table = catalogue.find(connection, name)
    if table is None:
        schema = name.schema or ""
        if not catalogue.may_create(connection, schema):
            raise UsageError(
                f"--keep-old: there is no table {name}, and this role may not make one in the "
                f"schema {schema}",
                way_out="Ask its owner to make it, or leave --keep-old out.",
            )
        return
    check_kind(table)
    for column in (*(slot.target.name for slot in plan.slots), REPLACED_AT):
        if column not in table.columns:
            raise _misfit(table, f"it has no column {column!r}")
        if "INSERT" not in table.columns[column].rights:
            raise UsageError(
                f"table {name}: this role may not INSERT into it",
                way_out=f"Ask its owner: GRANT INSERT ON {name}.",
            )


def _rights(plan: Plan) -> Iterator[tuple[str, Sequence[Slot]]]:
    """What is done with the columns, and needs to be granted."""
    yield "SELECT", plan.slots
    yield "UPDATE", plan.values
    if plan.makes_rows:
        yield "INSERT", plan.slots


def _check_slot(
    connection: Connection, table: TargetTable, slot: Slot, samples: Sequence[str]
) -> None:
    target = slot.target
    if target.is_computed:
        raise _misfit(table, f"the values of its column {target.name!r} are made by the database")
    if slot.column.kind is None:
        return  # text that may stand for anything: row by row it is seen
    kind = catalogue.type_of(connection, slot.column)
    if catalogue.takes(connection, target, kind):
        return
    known = samples if slot.column.name == "result" else ()
    if known and all(catalogue.reads(connection, target, sample) for sample in known):
        return
    raise _misfit(
        table, f"its column {target.name!r} is of the type {target.kind}, and {kind} goes into it"
    )


def _check_unique(connection: Connection, table: TargetTable, key: TargetColumn) -> None:
    """Whether the values are, though nothing keeps them so."""
    name = sql.Identifier(key.name)
    found = connection.execute(
        sql.SQL(
            "SELECT {}::text FROM {} WHERE {} IS NOT NULL GROUP BY {} HAVING COUNT(*) > 1 LIMIT 1"
        ).format(name, table.name.quoted, name, name)
    ).fetchone()
    if found is not None:
        raise UsageError(
            f"table {table.name}: {key.name} {found[0]!r} stands in more than one of its rows",
            way_out="Results can only be written to rows that their id tells apart.",
        )


def _misfit(table: TargetTable, problem: str, *, hint: str = "") -> UsageError:
    return UsageError(
        f"table {table.name}: {problem}",
        way_out=f"{hint}It has: {', '.join(table.columns)}. Change it, or name another table "
        "with --output-table.",
    )
