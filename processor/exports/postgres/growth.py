"""Columns that a table of a task lacks, because its results gained them after it was made.

A comment on the table tells it from those that people, or other tasks, have made: it is put there
in the transaction that makes the table.
"""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches

from processor.errors import UsageError
from processor.exports.postgres import catalogue, statements
from processor.exports.postgres.catalogue import Connection, TargetTable
from processor.postgres import session


def comment(task: str) -> str:
    """The comment on a table that was made for the results of a task."""
    return f"{_mark(task)} Columns that they gain are added to it."


def is_of(task: str, table: TargetTable) -> bool:
    """Whether a table was made for the results of a task."""
    return table.comment.startswith(_mark(task))


def extended(
    connection: Connection, table: TargetTable, types: Mapping[str, str], *, task: str
) -> tuple[TargetTable, Sequence[str]]:
    """A table with all of these columns, and what was done for that, a line a column.

    Args:
        connection: To its database.
        table: As it is.
        types: Column to type, in the database's words.
        task: Whose results go there.

    Raises:
        UsageError: It was not made for them, or others own it; names the first column it lacks.
        psycopg.Error: The connection is gone, or the table is in use for long.
    """
    lacking = {name: kind for name, kind in types.items() if name not in table.columns}
    if not lacking:
        return table, ()
    addition = statements.extend(table.name, lacking)
    if not (is_of(task, table) and table.is_owned):
        raise _refusal(table, next(iter(lacking)), addition.as_string(connection), task=task)
    with connection.transaction():
        session.bound_waits(connection)  # all others wait behind us for who reads it for long
        connection.execute(addition)
    found = catalogue.find(connection, table.name)
    assert found is not None, "it was altered just now"
    return found, [f"{table.name} gets a column {name!r} ({lacking[name]})" for name in lacking]


def _mark(task: str) -> str:
    return f"Made by processor for the results of {task}."


def _refusal(table: TargetTable, name: str, addition: str, *, task: str) -> UsageError:
    close = get_close_matches(name, list(table.columns), n=1)
    hint = f"Did you mean {close[0]!r}? " if close else ""
    own = f"It was not made for the results of {task}, so it is for you to change"
    who = "Ask its owner" if is_of(task, table) else own
    return UsageError(
        f"table {table.name}: it has no column {name!r}",
        way_out=f"{hint}It has: {', '.join(table.columns)}. {who}: {addition}; or choose columns "
        "with --columns, or name another table with --output-table.",
    )
