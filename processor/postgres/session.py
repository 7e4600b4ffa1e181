"""Connections to a database."""

import psycopg
from psycopg.rows import TupleRow

from processor.postgres.address import Address

__all__ = ["connect", "settle"]

# So that a value's text is the same whoever asks, and reads back as the same value. What decides
# the meaning of a query, such as the time zone, stays as the database has it.
_SETTINGS = {
    "DateStyle": "ISO",
    "IntervalStyle": "postgres",
    "bytea_output": "hex",
    "extra_float_digits": "3",
}
# A server that works for a client that is gone notices it; older ones do not know how.
_CHECK_CLIENT = "client_connection_check_interval"
_CHECK_CLIENT_SINCE, _CHECK_CLIENT_EVERY = 140_000, "2s"


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
    """Begin a transaction with the settings that our texts of values rely on; they end with it.

    Raises:
        psycopg.Error: The connection is gone.
    """
    settings = dict(_SETTINGS)
    if connection.info.server_version >= _CHECK_CLIENT_SINCE:
        settings[_CHECK_CLIENT] = _CHECK_CLIENT_EVERY
    calls = ", ".join(["set_config(%s, %s, true)"] * len(settings))
    connection.execute(
        f"SELECT {calls}", [word for setting in settings.items() for word in setting]
    )
