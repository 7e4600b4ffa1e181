"""Connections to a database."""

from contextlib import suppress

import psycopg
from psycopg.rows import TupleRow

from processor.postgres.address import Address

__all__ = ["bound_waits", "connect", "settle", "watch_client"]

# So that a value's text is the same whoever asks, and reads back as the same value. What decides
# the meaning of a query, such as the time zone, stays as the database has it.
_SETTINGS = {
    "DateStyle": "ISO",
    "IntervalStyle": "postgres",
    "bytea_output": "hex",
    "extra_float_digits": "3",
}
_BOUND_WAITS = """
SELECT set_config('lock_timeout', '5s', true) WHERE current_setting('lock_timeout') = '0'
"""
_CHECK_CLIENT = "SET LOCAL client_connection_check_interval = '2s'"


def connect(address: Address) -> "psycopg.Connection[TupleRow]":
    """A connection of one's own, each statement a transaction unless one is begun.

    Passwords and the rest may come from where libpq looks: PGPASSWORD, ~/.pgpass, services.

    Raises:
        psycopg.Error: There is none; `trouble.of` says why.
    """
    return psycopg.connect(
        address.conninfo, autocommit=True, prepare_threshold=None, client_encoding="utf8"
    )


def settle(connection: "psycopg.Connection[TupleRow]") -> None:
    """Give a transaction, until it ends, the settings that our texts of values rely on.

    Raises:
        psycopg.Error: The connection is gone.
    """
    calls = ", ".join(["set_config(%s, %s, true)"] * len(_SETTINGS))
    connection.execute(
        f"SELECT {calls}", [word for setting in _SETTINGS.items() for word in setting]
    )


def bound_waits(connection: "psycopg.Connection[TupleRow]") -> None:
    """Let nothing in this transaction wait for ever for what others have locked.

    A table may be locked for a night, by somebody who forgot to commit. How long is long is the
    database's own lock_timeout, where it has one.

    Raises:
        psycopg.Error: The connection is gone.
    """
    connection.execute(_BOUND_WAITS)


def watch_client(connection: "psycopg.Connection[TupleRow]") -> None:
    """Let the server end a query of this transaction by itself when its client is gone.

    Servers before 14, and those on some systems, do not know how: there it goes on to its end.

    Raises:
        psycopg.Error: The connection is gone.
    """
    with suppress(psycopg.DataError, psycopg.ProgrammingError), connection.transaction():
        connection.execute(_CHECK_CLIENT)
