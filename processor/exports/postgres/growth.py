"""Columns that a table of ours lacks, because the results gained them after it was made."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches

from processor.errors import UsageError
from processor.exports.postgres import catalogue, statements
from processor.exports.postgres.catalogue import Connection, TargetTable

# Who reads the table for long is not waited for with all others behind us.
_LOCK_TIMEOUT = """
SELECT set_config('lock_timeout', '10s', true) WHERE current_setting('lock_timeout') = '0'
"""


def extended(
    connection: Connection, table: TargetTable, types: Mapping[str, str]
) -> tuple[TargetTable, Sequence[str]]:
    """A table with all of these columns, and what was done for that, a line a column.

    Args:
        connection: To its database.
        table: As it is.
        types: Column to type, in the database's words.

    Raises:
        UsageError: Others made it, or own it; names the first column that it lacks.
        psycopg.Error: The connection is gone, or the table is in use for long.
    """
    lacking = {name: kind for name, kind in types.items() if name not in table.columns}
    if not lacking:
        return table, ()
    addition = statements.extend(table.name, lacking)
    if not (table.is_ours and table.is_owned):
        raise _refusal(table, next(iter(lacking)), addition.as_string(connection))
    with connection.transaction():
        connection.execute(_LOCK_TIMEOUT)
        connection.execute(addition)
    found = catalogue.find(connection, table.name)
    assert found is not None, "it was altered just now"
    return found, [f"{table.name} gets a column {name!r} ({lacking[name]})" for name in lacking]


def _refusal(table: TargetTable, name: str, addition: str) -> UsageError:
    close = get_close_matches(name, list(table.columns), n=1)
    hint = f"Did you mean {close[0]!r}? " if close else ""
    who = "Ask its owner" if table.is_ours else "Others made it, so it is for you to change"
    return UsageError(
        f"table {table.name}: it has no column {name!r}",
        way_out=f"{hint}It has: {', '.join(table.columns)}. {who}: {addition}; or choose columns "
        "with --columns, or name another table with --output-table.",
    )
