"""What a database says of a table: its columns, and what we may do with them."""

from collections.abc import Mapping
from dataclasses import dataclass

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

from processor.columns import ARRAY, Column
from processor.postgres.table_name import TableName

Connection = psycopg.Connection[TupleRow]

_TABLE = """
SELECT c.oid, n.nspname, c.relname, c.relkind::text,
    concat_ws('/', (SELECT oid FROM pg_database WHERE datname = current_database()), c.oid),
    obj_description(c.oid, 'pg_class'), pg_has_role(c.relowner, 'USAGE')
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.oid = to_regclass(%s)
"""
# -1 gives the name of a type whose length is left open, which NULL does not: `bit` is `bit(1)`.
_COLUMNS = """
SELECT attname, format_type(atttypid, atttypmod), format_type(atttypid, -1), typcategory = 'S',
    attnotnull AND NOT atthasdef AND attidentity = '',
    attgenerated <> '' OR attidentity = 'a',
    has_column_privilege(attrelid, attnum, 'SELECT'),
    has_column_privilege(attrelid, attnum, 'INSERT'),
    has_column_privilege(attrelid, attnum, 'UPDATE')
FROM pg_attribute JOIN pg_type ON pg_type.oid = atttypid
WHERE attrelid = %s AND attnum > 0 AND NOT attisdropped ORDER BY attnum
"""
_UNIQUE = """
SELECT attname
FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = indkey[0]
WHERE indrelid = %s AND indisunique AND indisvalid AND indimmediate AND indnkeyatts = 1
    AND indpred IS NULL AND indexprs IS NULL
"""
# What goes into a domain is what goes into the type that it is of.
_ASSIGNABLE = """
SELECT %(from)s::regtype IN (oid, base) OR EXISTS (
    SELECT FROM pg_cast
    WHERE castsource = %(from)s::regtype AND casttarget = base AND castcontext IN ('a', 'i'))
FROM (SELECT oid, COALESCE(NULLIF(typbasetype, 0), oid) AS base
      FROM pg_type WHERE oid = %(to)s::regtype) AS target
"""
_TYPES: Mapping[str, str] = {
    "boolean": "boolean",
    "bytes": "bytea",
    "date": "date",
    "decimal": "numeric",
    "integer": "bigint",
    "interval": "interval",
    "json": "jsonb",
    "real": "double precision",
    "text": "text",
    "time": "time",
    "timestamp": "timestamp",
    "timestamptz": "timestamptz",
    "uuid": "uuid",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetColumn:
    """A column of a table in a database.

    Attributes:
        kind: Its type, such as `character varying(10)`.
        open_kind: The same of any length: a cast to a length cuts off, putting in refuses.
        is_text: Whether it is some kind of text.
        is_needed: Whether a new row must have a value for it.
        is_computed: Whether the table makes its values and takes none.
        rights: Those of `SELECT`, `INSERT`, `UPDATE` that we have.
    """

    name: str
    kind: str
    open_kind: str
    is_text: bool
    is_needed: bool
    is_computed: bool
    rights: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetTable:
    """A table, view or the like in a database.

    Attributes:
        kind: As `pg_class.relkind` tells it.
        store: Tells it from a later one of the same name.
        unique: Columns that tell its rows apart, each alone.
        comment: On it; empty without.
        is_owned: Whether we have its owner's rights, such as to add columns.
    """

    name: TableName
    oid: int
    kind: str
    store: str
    columns: Mapping[str, TargetColumn]
    unique: frozenset[str]
    comment: str
    is_owned: bool


def find(connection: Connection, name: TableName) -> TargetTable | None:
    """The table of that name; None when there is none.

    Raises:
        psycopg.Error: The connection is gone, or its schema may not be looked into.
    """
    spelled = name.quoted.as_string(connection)
    row = connection.execute(_TABLE, (spelled,)).fetchone()
    if row is None:
        return None
    oid, schema, own_name, kind, store, comment, is_owned = row
    return TargetTable(
        name=TableName(schema=schema, name=own_name),
        oid=oid,
        kind=kind,
        store=f"{_cluster(connection)}/{store}",
        columns={
            column.name: column for column in map(_column, connection.execute(_COLUMNS, (oid,)))
        },
        unique=frozenset(column for (column,) in connection.execute(_UNIQUE, (oid,))),
        comment=comment or "",
        is_owned=is_owned,
    )


def current_schema(connection: Connection) -> str | None:
    """Where a table is made whose name says no schema; None when there is no such place.

    Raises:
        psycopg.Error: The connection is gone.
    """
    row = connection.execute("SELECT current_schema()").fetchone()
    return row[0] if row else None


def may_create(connection: Connection, schema: str) -> bool:
    """Whether we may make tables in a schema.

    Raises:
        psycopg.Error: There is no such schema, or the connection is gone.
    """
    row = connection.execute("SELECT has_schema_privilege(%s, 'CREATE')", (schema,)).fetchone()
    return bool(row and row[0])


def is_writable(connection: Connection) -> bool:
    """Whether the server takes writes at all: a standby does not.

    Raises:
        psycopg.Error: The connection is gone.
    """
    row = connection.execute("SHOW transaction_read_only").fetchone()
    return row is not None and row[0] == "off"


def is_empty(connection: Connection, table: TargetTable) -> bool:
    """Whether a table has no rows.

    Raises:
        psycopg.Error: The connection is gone.
    """
    query = sql.SQL("SELECT NOT EXISTS (SELECT FROM {})").format(table.name.quoted)
    row = connection.execute(query).fetchone()
    return bool(row and row[0])


def takes(connection: Connection, column: TargetColumn, kind: str) -> bool:
    """Whether values of a type go into a column without being asked to.

    Raises:
        psycopg.Error: The connection is gone.
    """
    if column.is_text:
        return True
    given, wanted = kind, column.open_kind
    if given.endswith(ARRAY) and wanted.endswith(ARRAY):  # an array goes as its elements do
        given, wanted = given.removesuffix(ARRAY), wanted.removesuffix(ARRAY)
    row = connection.execute(_ASSIGNABLE, {"to": wanted, "from": given}).fetchone()
    return bool(row and row[0])


def reads(connection: Connection, column: TargetColumn, text: str) -> bool:
    """Whether a text stands for a value of a column's type.

    Raises:
        psycopg.Error: The connection is gone.
    """
    kind = sql.SQL(column.open_kind)  # the database's own word
    try:
        with connection.transaction():
            connection.execute(sql.SQL("SELECT %s::text::{}").format(kind), (text,))
    except psycopg.DataError:
        return False
    return True


def type_of(connection: Connection, column: Column) -> str:
    """The type of a column that is made for values of ours: its own where the database knows it.

    Raises:
        psycopg.Error: The connection is gone.
    """
    if column.native is not None and _knows(connection, column.native):
        return column.native
    kind = column.kind or "text"
    base = _TYPES.get(kind.removesuffix(ARRAY), "text")
    return base + ARRAY if kind.endswith(ARRAY) else base


def _knows(connection: Connection, kind: str) -> bool:
    """Whether that is the name of a type, and nothing but one."""
    try:
        with connection.transaction():
            row = connection.execute("SELECT to_regtype(%s) IS NOT NULL", (kind,)).fetchone()
    except psycopg.errors.SyntaxError:
        return False
    return bool(row and row[0])


def _column(row: TupleRow) -> TargetColumn:
    name, kind, open_kind, is_text, is_needed, is_computed, *may = row
    return TargetColumn(
        name=name,
        kind=kind,
        open_kind=open_kind,
        is_text=is_text,
        is_needed=is_needed,
        is_computed=is_computed,
        rights=frozenset(
            right
            for right, granted in zip(("SELECT", "INSERT", "UPDATE"), may, strict=True)
            if granted
        ),
    )


def _cluster(connection: Connection) -> str:
    """Tells a server from another that has taken its address; empty where it keeps that secret."""
    try:
        with connection.transaction():
            row = connection.execute("SELECT system_identifier FROM pg_control_system()").fetchone()
    except psycopg.errors.InsufficientPrivilege:
        return ""
    return str(row[0]) if row else ""
