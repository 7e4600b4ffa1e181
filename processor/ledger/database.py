"""Opening the SQLite file of a ledger."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from processor.errors import LedgerError
from processor.ledger.schema import SCHEMA_VERSION, TABLES

LEDGER_NAME = "ledger.sqlite"


@contextmanager
def guard(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into a LedgerError that names the file and the way on."""
    try:
        yield
    except sqlite3.Error as error:
        raise LedgerError(f"{path}: {error}", way_out=_way_out(error)) from error


def connect(path: Path) -> sqlite3.Connection:
    """Open for writing; every commit is on the disk when it returns.

    The connection may move between threads; its owner sees to it that one uses it at a time.
    """
    connection = sqlite3.connect(
        path, isolation_level=None, check_same_thread=False, cached_statements=64, timeout=30
    )
    connection.executescript(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -16384;"
    )
    return connection


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that cannot write, beside whoever writes.

    Raises:
        LedgerError: There is no ledger, or it cannot be read.
    """
    if not path.exists():
        raise LedgerError(f"{path}: there is no ledger", way_out="Name a run folder.")
    uri = f"{path.absolute().as_uri()}?mode=ro"
    with guard(path), closing(sqlite3.connect(uri, uri=True)) as connection:
        check_version(path, connection)
        yield connection


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """One transaction: all of it, or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        if connection.in_transaction:  # a full disk may have rolled it back already
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def prepare(path: Path) -> sqlite3.Connection:
    """Open the ledger of a run for writing; make it when there is none.

    Raises:
        LedgerError: It is damaged, newer than this program, or the disk refuses.
    """
    with guard(path):
        if not path.exists():
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
        connection = connect(path)
        try:
            if connection.execute("SELECT COUNT(*) FROM sqlite_schema").fetchone()[0] == 0:
                with transaction(connection):
                    for statement in TABLES.split(";\n"):
                        connection.execute(statement)
                    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            check_version(path, connection)
        except BaseException:
            connection.close()
            raise
    return connection


def check_version(path: Path, connection: sqlite3.Connection) -> None:
    """Refuse a ledger of another schema.

    Raises:
        LedgerError: The schema is newer, or no ledger's at all.
    """
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > SCHEMA_VERSION:
        raise LedgerError(
            f"{path} was written by a newer processor (schema {version}, this one knows "
            f"{SCHEMA_VERSION})",
            way_out="Update: pip install --upgrade request-processor.",
        )
    if version < 1:
        raise LedgerError(f"{path} is not a ledger", way_out="Name another folder with --out.")


def _way_out(error: sqlite3.Error) -> str:
    text = str(error)
    if "full" in text:
        return "Free some space on the disk, then give the same command again."
    if "malformed" in text or "not a database" in text:
        return (
            "The file is damaged. Restore it from a copy, or start afresh with --new; the "
            "result files beside it keep what was exported."
        )
    if "readonly" in text or "unable to open" in text:
        return "Check the permissions of the folder, or name another with --out."
    return "Check the disk, then give the same command again."
