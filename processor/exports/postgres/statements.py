"""What is said to a database, with every name quoted and every value bound."""

from collections.abc import Iterable, Mapping

from psycopg import sql

from processor.columns import VECTOR
from processor.exports.postgres.plan import REPLACED_AT, Plan, Slot
from processor.postgres.table_name import TableName

# The rows, as typed columns c0, c1, …; to a type of open length, so that nothing is cut off: what
# is too long for its column is refused when it is put there.
_NEW = "WITH new AS (SELECT {cells} FROM jsonb_array_elements($1::jsonb) AS one (value))"
_KNOWN = "known AS (SELECT {must} AS must FROM {table} AS old JOIN new ON old.{key} = new.c0)"
_COUNTS = """
SELECT (SELECT COUNT(*) FROM new), (SELECT COUNT(*) FROM known),
       (SELECT COUNT(*) FROM known WHERE must), (SELECT COUNT(*) FROM done)
"""
# Whole rows are compared as they are stored: there are types without an equality of their own.
_DIFFER, _NEVER = sql.SQL("ROW({})::record *<> ROW({})::record"), sql.SQL("false")
_UPSERT = (
    _NEW
    + ", "
    + _KNOWN
    + """, done AS (
    INSERT INTO {table} AS old ({names}) SELECT {places} FROM new
    ON CONFLICT ({key}) DO UPDATE SET {excluded_set}
    WHERE ROW({old})::record *<> ROW({excluded})::record
    RETURNING 1
)"""
    + _COUNTS
)
_UPSERT_KEYS = (
    _NEW
    + ", "
    + _KNOWN
    + """, done AS (
    INSERT INTO {table} ({names}) SELECT {places} FROM new ON CONFLICT ({key}) DO NOTHING
    RETURNING 1
)"""
    + _COUNTS
)
_UPDATE = (
    _NEW
    + ", "
    + _KNOWN
    + """, done AS (
    UPDATE {table} AS old SET {new_set} FROM new
    WHERE old.{key} = new.c0 AND {differs}
    RETURNING 1
)"""
    + _COUNTS
)
# Before a row is changed, and locked until it is. Values that are all NULL are none.
_KEEP = (
    _NEW
    + """
INSERT INTO {history} ({names}, {replaced_at})
SELECT old.{key}, {old}, now() FROM {table} AS old JOIN new ON old.{key} = new.c0
WHERE {differs} AND NOT ROW({old}) IS NULL
FOR UPDATE OF old
"""
)
_TELL = (
    _NEW
    + """
SELECT CASE WHEN old.{key} IS NULL THEN {otherwise}
            WHEN {differs} THEN 'update' ELSE 'leave' END,
       new.c0::text
FROM new LEFT JOIN {table} AS old ON old.{key} = new.c0
"""
)
_CREATE = "CREATE TABLE IF NOT EXISTS {table} ({columns}, PRIMARY KEY ({key}))"
_CREATE_HISTORY = """
CREATE TABLE IF NOT EXISTS {history} AS
SELECT {names}, NULL::timestamptz AS {replaced_at} FROM {table} WITH NO DATA
"""


def store(plan: Plan) -> sql.Composed:
    """Put rows there; answers how many there were, were known, must change, and were put there."""
    if not plan.values:
        return _said(_UPSERT_KEYS, plan)
    return _said(_UPSERT if plan.makes_rows else _UPDATE, plan)


def keep(plan: Plan) -> sql.Composed:
    """Put what the rows would replace into the history."""
    return _said(_KEEP, plan)


def tell(plan: Plan) -> sql.Composed:
    """Ask what would be done with rows; answers what, and the id of each."""
    return _said(_TELL, plan)


def create(table: TableName, types: Mapping[str, str], key: str) -> sql.Composed:
    """Make a table.

    Args:
        table: Its name.
        types: Column to type, in their order.
        key: The column that tells its rows apart.
    """
    return sql.SQL(_CREATE).format(
        table=table.quoted, columns=_declared(types), key=sql.Identifier(key)
    )


def mark(table: TableName, comment: str) -> sql.Composed:
    """Put a comment on a table."""
    return sql.SQL("COMMENT ON TABLE {} IS {}").format(table.quoted, sql.Literal(comment))


def extend(table: TableName, types: Mapping[str, str]) -> sql.Composed:
    """Give a table columns that it lacks; another who has just done so is no obstacle."""
    added = _declared(types, before="ADD COLUMN IF NOT EXISTS ")
    return sql.SQL("ALTER TABLE {} {}").format(table.quoted, added)


def create_history(plan: Plan) -> sql.Composed:
    """Make the table that keeps what is replaced."""
    return _said(_CREATE_HISTORY, plan)


def _declared(types: Mapping[str, str], *, before: str = "") -> sql.Composed:
    return _list(
        sql.SQL("{}{} {}").format(sql.SQL(before), sql.Identifier(name), _type(kind))
        for name, kind in types.items()
    )


def _said(template: str, plan: Plan) -> sql.Composed:
    places = [sql.Identifier(f"c{place}") for place in range(len(plan.slots))]
    pairs = list(zip(plan.values, places[1:], strict=True))
    history = plan.history.quoted if plan.history is not None else sql.SQL("")
    old = _list(sql.SQL("old.{}").format(_name(slot)) for slot in plan.values)
    new = _list(
        sql.SQL("new.{}::{}").format(place, _type(slot.target.kind)) for slot, place in pairs
    )
    differs = _DIFFER.format(old, new) if plan.values else _NEVER
    return sql.SQL(template).format(
        table=plan.table.name.quoted,
        history=history,
        key=_name(plan.key),
        otherwise=sql.Literal("insert" if plan.makes_rows else "miss"),
        replaced_at=sql.Identifier(REPLACED_AT),
        names=_list(_name(slot) for slot in plan.slots),
        places=_list(places),
        cells=_list(_cell(place, slot) for place, slot in enumerate(plan.slots)),
        old=old,
        differs=differs,
        # What an upsert compares has been through triggers, which may make it equal.
        must=_NEVER if plan.makes_rows else differs,
        new_set=_list(sql.SQL("{} = new.{}").format(_name(slot), place) for slot, place in pairs),
        excluded=_list(sql.SQL("excluded.{}").format(_name(slot)) for slot in plan.values),
        excluded_set=_list(
            sql.SQL("{0} = excluded.{0}").format(_name(slot)) for slot in plan.values
        ),
    )


def _cell(place: int, slot: Slot) -> sql.Composed:
    # Vectors come as arrays, which the types for vectors take.
    written = f"::{slot.column.native}" if slot.column.kind == VECTOR else ""
    return sql.SQL("(value ->> {}){}::{} AS {}").format(
        sql.Literal(place),
        sql.SQL(written),
        _type(slot.target.open_kind),
        sql.Identifier(f"c{place}"),
    )


def _name(slot: Slot) -> sql.Identifier:
    return sql.Identifier(slot.target.name)


def _type(kind: str) -> sql.SQL:
    """A type in the database's own words, as the catalogue gave them."""
    return sql.SQL(kind)


def _list(parts: Iterable[sql.Composable]) -> sql.Composed:
    return sql.SQL(", ").join(parts)
