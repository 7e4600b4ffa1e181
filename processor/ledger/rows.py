"""Many rows of the ledger, read in one step.

SQLite's module gives up the interpreter lock at every step and waits to get it back. Beside a busy
event loop that costs ten times the CPU of the reading itself, and a thousand times its wait.
"""

import sqlite3
from collections.abc import Sequence
from typing import Any

import orjson


def read(
    connection: sqlite3.Connection, columns: str, source: str, parameters: Sequence[object]
) -> list[list[Any]]:
    """The rows of a SELECT, in its order: integers, text, floats to 15 digits, None.

    Args:
        connection: The ledger.
        columns: What is selected.
        source: A subquery with an order, in parentheses.
        parameters: Of the subquery.

    Raises:
        sqlite3.Error: The disk or the file refuses.
        ValueError: What stands there is neither text nor a number.
    """
    try:
        (text,) = connection.execute(  # as bytes: what is no UTF-8 is for the reader to tell
            f"SELECT CAST(json_group_array(json_array({columns})) AS BLOB) FROM {source}",
            parameters,
        ).fetchone()
    except sqlite3.DataError:  # together they are longer than SQLite lets a text be
        found = connection.execute(f"SELECT {columns} FROM {source}", parameters)
        return [list(row) for row in found]
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_ERROR:
            raise
        raise ValueError(str(error)) from error  # a blob
    rows: list[list[Any]] = orjson.loads(text)
    return rows
