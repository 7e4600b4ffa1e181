"""Opening the SQLite file of a ledger."""

import json
import os
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from types import MappingProxyType

from processor.errors import LedgerError
from processor.ledger import migrate
from processor.ledger.schema import APPLICATION_ID, SCHEMA_VERSION, TABLES

LEDGER_NAME = "ledger.sqlite"

# An import writes all of its rows into the write-ahead log first; of that this much disk is kept,
# twice what a log fills before it begins anew.
_WAL_KEPT_BYTES = 8 * 1024 * 1024
# Items are read and written in their order, so a larger cache is not faster; it fills with the
# table, and the sorting of an import takes as much again.
_CACHE_KIB = 4096
_DAMAGED = (
    "The file is damaged. Restore it from a copy, or start afresh with --new; the result files "
    "beside it keep what was exported."
)
# What would be paid for twice comes first, rows of the input last: they are seen as they are sent.
_EXAMINED = (
    *("meta", "sources", "counters", "chunks", "sessions", "shards", "shard_items", "batches"),
    *("decisions", "control", "samples", "attempts", "outcomes", "items"),
)
_EXAMINED_MOST_S = 0.5
_CLOSED = "Check the permissions of the folder, or name another with --out."
_WAYS_OUT: Mapping[int, str] = MappingProxyType(
    {
        sqlite3.SQLITE_FULL: "Free some space on the disk, and where temporary files go, then give "
        "the same command again.",
        sqlite3.SQLITE_CORRUPT: _DAMAGED,
        sqlite3.SQLITE_NOTADB: _DAMAGED,
        sqlite3.SQLITE_READONLY: _CLOSED,
        sqlite3.SQLITE_CANTOPEN: _CLOSED,
        sqlite3.SQLITE_PERM: _CLOSED,
        sqlite3.SQLITE_BUSY: "Close the program that holds the file, then give the same command.",
    }
)
_ANY_WAY_OUT = "Check the disk, then give the same command again."


class _UnreadableError(sqlite3.DatabaseError):
    """A row is not what was written."""


@contextmanager
def guard(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into a LedgerError that names the file and the way on.

    Text that came out of the ledger and cannot be read is damage, too.
    """
    try:
        yield
    except sqlite3.Error as error:
        raise told(path, error) from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise damaged(path, f"unreadable text: {error}") from error


@contextmanager
def decoding() -> Iterator[None]:
    """Make of a row that cannot be what was written an error of the `guard` around it."""
    try:
        yield
    except (ValueError, TypeError) as error:
        raise _UnreadableError(f"a row cannot be read: {error}") from error


def told(path: Path, error: sqlite3.Error) -> LedgerError:
    """What SQLite said about a ledger, with the way on."""
    if isinstance(error, _UnreadableError):
        return damaged(path, str(error))
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    way_out = _WAYS_OUT.get(code & 0xFF, _ANY_WAY_OUT)  # the low byte; the rest is detail
    return LedgerError(f"{path}: {error}", way_out=way_out)


def damaged(path: Path, problem: str) -> LedgerError:
    """A ledger that contradicts itself or cannot be read, with the way on."""
    return LedgerError(f"{path}: {problem}", way_out=_DAMAGED)


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that cannot write, beside whoever writes.

    Raises:
        LedgerError: There is no ledger, or it cannot be read.
    """
    if not os.path.exists(path):  # noqa: PTH110 - a name that is too long is no ledger's, either
        raise LedgerError(f"{path}: there is no ledger", way_out="Name a run folder.")
    with guard(path), closing(open_to_read(path)) as connection:
        version = _recognise(path, connection)
        if version < SCHEMA_VERSION:
            raise LedgerError(
                f"{path} was written by an older processor (schema {version}, this one reads "
                f"{SCHEMA_VERSION})",
                way_out="Give the command once that began the run: it keeps a copy and brings the "
                "ledger up to date.",
            )
        yield connection


def is_older(path: Path) -> bool:
    """Whether a ledger has an older schema, which opening it to write brings up to date.

    Raises:
        LedgerError: It cannot be read.
    """
    with guard(path), closing(open_to_read(path)) as connection:
        return _recognise(path, connection) < SCHEMA_VERSION


def open_to_read(path: Path) -> sqlite3.Connection:
    """A connection that cannot write, to a ledger of whatever schema.

    Raises:
        sqlite3.Error: There is none, or it cannot be read.
    """
    return sqlite3.connect(_uri_to_read(path), uri=True, check_same_thread=False)


def _uri_to_read(path: Path) -> str:
    """Where nobody can write, SQLite lacks the file that readers and writers of a log share.

    Without a log there is nothing to share, and nothing that could change.
    """
    log = path.with_name(f"{path.name}-wal")
    frozen = not os.access(path.parent, os.W_OK) and not log.exists()
    return f"{path.absolute().as_uri()}?{'immutable=1' if frozen else 'mode=ro'}"


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """One transaction: all of it, or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # a full disk may have rolled it back already
            connection.execute("ROLLBACK")
        raise


def prepare(path: Path) -> sqlite3.Connection:
    """Open the ledger of a run for writing; make it when there is none.

    One of an older schema is copied, then migrated.

    Every commit is on the disk when it returns. The connection may move between threads; its owner
    sees to it that one uses it at a time.

    Raises:
        LedgerError: It is damaged, newer than this program, or the disk refuses.
    """
    with guard(path):
        if not path.exists():
            _create(path)
        connection = sqlite3.connect(
            path, isolation_level=None, check_same_thread=False, cached_statements=64, timeout=30
        )
        try:
            version = _recognise(path, connection)  # first: what is not ours stays as it is
            examine(path, connection, _EXAMINED_MOST_S)
            connection.executescript(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; "
                f"PRAGMA journal_size_limit = {_WAL_KEPT_BYTES}; "
                f"PRAGMA cache_size = {-_CACHE_KIB}; "
                # What an earlier process left in the log may not be on the disk, if the disk failed
                # it: it goes into the ledger before anything is written behind it.
                "PRAGMA wal_checkpoint(PASSIVE);"
            )
            if version < SCHEMA_VERSION:
                _migrate(path, connection, version)
        except BaseException:
            connection.close()
            raise
    return connection


def _create(path: Path) -> None:
    """Make an empty ledger; it comes into its place whole, so that a torn one is never taken."""
    beside = path.with_name(f".{path.name}.new")
    try:
        beside.unlink(missing_ok=True)
        os.close(os.open(beside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        with closing(sqlite3.connect(beside, isolation_level=None)) as connection:
            connection.executescript(
                f"PRAGMA journal_mode = WAL; PRAGMA application_id = {APPLICATION_ID}; "
                f"PRAGMA user_version = {SCHEMA_VERSION}; BEGIN; {TABLES} COMMIT;"
            )
        beside.replace(path)
    except OSError as error:
        raise LedgerError(f"{path}: {error.strerror or error}", way_out=_CLOSED) from error


def examine(path: Path, connection: sqlite3.Connection, most_s: float) -> bool:
    """Look for damage; a million items take half a second.

    What comes after that, or from a slower disk, is seen when it is used.

    Args:
        path: Of the ledger, for the message.
        connection: To it.
        most_s: How long to look.

    Returns:
        Whether everything was seen in this time.

    Raises:
        LedgerError: It is damaged.
    """
    alarm = threading.Timer(most_s, connection.interrupt)
    alarm.start()
    try:
        there = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema")}
        for table in _EXAMINED:
            if table not in there:  # of a later schema
                continue
            (found,) = connection.execute(f"PRAGMA quick_check({table})").fetchone()
            if found != "ok":
                raise damaged(path, found.splitlines()[-1])
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
            raise
        return False
    finally:
        alarm.cancel()
        alarm.join()  # it may be about to interrupt, and the connection to be closed
    return True


def _migrate(path: Path, connection: sqlite3.Connection, version: int) -> None:
    try:
        migrate.migrate(path, connection, version)
    except OSError as error:
        raise LedgerError(
            f"{migrate.copy_of(path, version)}: {error.strerror or error}",
            way_out="Mend the disk or the permissions, then give the same command again.",
        ) from error


def _recognise(path: Path, connection: sqlite3.Connection) -> int:
    """Its schema version; refuses what is no ledger, or of a schema that this program lacks."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if application != APPLICATION_ID or version < min(migrate.STEPS):
        raise LedgerError(
            f"{path} is not a ledger",
            way_out="Restore it from a copy, start afresh with --new, or name another folder "
            "with --out.",
        )
    if version > SCHEMA_VERSION:
        raise LedgerError(
            f"{path} was written by a newer processor (schema {version}, this one knows "
            f"{SCHEMA_VERSION})",
            way_out="Update: pip install --upgrade request-processor.",
        )
    return int(version)
