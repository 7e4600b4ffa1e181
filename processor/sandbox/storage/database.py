"""The SQLite file of a storage folder."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from processor.sandbox.config import ConfigError

_VERSION = 1
# A sandbox that was just told to end may still be at it.
_PATIENCE_S = 3.0
_SCHEMA = """
CREATE TABLE IF NOT EXISTS files (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    purpose TEXT NOT NULL,
    name TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    created_s REAL NOT NULL,
    expires_s REAL
);
CREATE TABLE IF NOT EXISTS batches (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    record BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS lines (
    batch TEXT NOT NULL,
    custom_id TEXT NOT NULL,
    item TEXT,
    charged INTEGER NOT NULL,
    prompt_tokens INTEGER NOT NULL,
    completion_tokens INTEGER NOT NULL,
    PRIMARY KEY (batch, custom_id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS events (
    number INTEGER PRIMARY KEY,
    at_s REAL NOT NULL,
    what TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail TEXT NOT NULL
);
"""


def open_database(path: Path) -> sqlite3.Connection:
    """A connection that no other process has beside it.

    Written without fsync: what is committed survives the sandbox's death, not the machine's.

    Raises:
        ConfigError: Another sandbox has it, or it is none of ours.
    """
    connection = sqlite3.connect(path, timeout=_PATIENCE_S, isolation_level=None)
    try:
        version = _locked(connection)
        if version in (0, _VERSION):
            connection.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version={_VERSION}; COMMIT;")
            return connection
    except sqlite3.Error as error:
        connection.close()
        is_busy = error.sqlite_errorcode == sqlite3.SQLITE_BUSY
        reason = "another sandbox has it" if is_busy else error
        raise ConfigError(f"{path} cannot be used: {reason}") from error
    connection.close()
    raise ConfigError(f"{path} was made by another version: choose another folder")


def _locked(connection: sqlite3.Connection) -> int:
    """Lock it for good; gives the version that it has."""
    connection.execute("PRAGMA locking_mode=EXCLUSIVE")
    connection.execute("PRAGMA synchronous=OFF")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("BEGIN EXCLUSIVE")
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    connection.execute("COMMIT")
    return int(version)


def erase(connection: sqlite3.Connection) -> None:
    """Empty every table."""
    with transaction(connection):
        for table in ("files", "batches", "lines", "events"):
            connection.execute(f"DELETE FROM {table}")


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All of it or nothing."""
    connection.execute("BEGIN")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
