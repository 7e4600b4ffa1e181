"""A database server as one meets it: what it is, or why it lets nobody in."""

from contextlib import closing
from dataclasses import dataclass

import psycopg

from processor.postgres import session, trouble
from processor.postgres.address import Address
from processor.postgres.trouble import Trouble

__all__ = ["Server", "met"]

_MAJOR = 10_000
_READ_ONLY = "SELECT pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server that let us in.

    Attributes:
        version: Such as `16.14`.
        is_encrypted: Whether the connection has TLS.
        takes_writes: False of a standby, and of one that is set to be read only.
    """

    version: str
    is_encrypted: bool
    takes_writes: bool


def met(address: Address) -> Server | Trouble:
    """Connect, look, and leave; why not, when that fails."""
    try:
        with closing(session.connect(address)) as connection:
            row = connection.execute(_READ_ONLY).fetchone()
            number = connection.info.server_version
            return Server(
                version=f"{number // _MAJOR}.{number % _MAJOR}",
                is_encrypted=connection.pgconn.ssl_in_use,
                takes_writes=row is not None and not row[0],
            )
    except psycopg.Error as error:
        return trouble.of(error)
