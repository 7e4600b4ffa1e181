"""The way of an older ledger to the schema of today: copied first, then changed in one go.

Killed at any moment, a ledger is whole and of the old schema or of the new one.
"""

import os
import sqlite3
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from types import MappingProxyType

from processor.ledger.schema import SCHEMA_VERSION

# From 1 to 2: a snapshot reads counters where it summed the chunks; columns that nobody read go.
_COUNT = """
INSERT INTO counters
SELECT '', 'items', IFNULL(SUM(items), 0) FROM chunks UNION ALL
SELECT '', 'chunks', COUNT(*) FROM chunks UNION ALL
SELECT '', 'chunks_complete', COUNT(*) FROM chunks WHERE succeeded + failed = items UNION ALL
SELECT '', 'skipped', COUNT(*) FROM skipped
"""
_FROM_1 = (
    _COUNT,
    "ALTER TABLE sources DROP COLUMN name",
    "ALTER TABLE sources DROP COLUMN rows_read",
    "ALTER TABLE sources DROP COLUMN imported_at",
    "ALTER TABLE sessions DROP COLUMN ended_at",
)
# From 2 to 3: embeddings have a place.
_FROM_2 = ("CREATE TABLE vectors (seq INTEGER PRIMARY KEY, vector BLOB NOT NULL)",)
# From 3 to 4: outputs that are told of results have a place.
_DELIVERIES = """
CREATE TABLE deliveries (
    target TEXT PRIMARY KEY, number INTEGER NOT NULL, store TEXT NOT NULL
) WITHOUT ROWID
"""
_REFUSALS = """
CREATE TABLE refusals (
    target TEXT NOT NULL, seq INTEGER NOT NULL, problem TEXT NOT NULL, PRIMARY KEY (target, seq)
) WITHOUT ROWID
"""
_FROM_3 = (
    "CREATE TABLE outbox (number INTEGER PRIMARY KEY, seq INTEGER NOT NULL)",
    _DELIVERIES,
    _REFUSALS,
)
# From 4 to 5: the batch lane has a place.
_SHARDS = """
CREATE TABLE shards (
    number INTEGER PRIMARY KEY, state TEXT NOT NULL, at REAL NOT NULL, account TEXT,
    endpoint TEXT NOT NULL, model TEXT NOT NULL, upload INTEGER NOT NULL, items INTEGER NOT NULL,
    bytes INTEGER NOT NULL, sha256 TEXT NOT NULL, tokens INTEGER NOT NULL,
    reserved_usd REAL NOT NULL, file_id TEXT, problem TEXT
)
"""
_BATCHES = """
CREATE TABLE batches (
    id TEXT PRIMARY KEY, shard INTEGER NOT NULL, status TEXT NOT NULL, created_at REAL,
    seen_at REAL NOT NULL, total INTEGER, completed INTEGER, failed INTEGER, output_file_id TEXT,
    error_file_id TEXT, problem TEXT
) WITHOUT ROWID
"""
_FROM_4 = (
    _SHARDS,
    "CREATE TABLE shard_items (seq INTEGER PRIMARY KEY, shard INTEGER NOT NULL)",
    _BATCHES,
)

# From 5 to 6: decisions under a deadline are kept.
_DECISIONS = """
CREATE TABLE decisions (
    number INTEGER PRIMARY KEY, at REAL NOT NULL, view TEXT NOT NULL, decision TEXT NOT NULL
)
"""
_FROM_5 = (_DECISIONS,)

# From 6 to 7: figures over time and orders have a place, failures and doubts are found at once.
_SAMPLES = """
CREATE TABLE samples (
    number INTEGER PRIMARY KEY, session INTEGER NOT NULL, at REAL NOT NULL,
    succeeded INTEGER NOT NULL, failed INTEGER NOT NULL, requests INTEGER NOT NULL,
    retries INTEGER NOT NULL, rate_limited INTEGER NOT NULL, cost_usd REAL, p50_ms REAL,
    p95_ms REAL, "window" INTEGER, in_flight INTEGER NOT NULL, limit_per_s REAL,
    at_provider INTEGER NOT NULL, cpu_s REAL NOT NULL, rss_mb REAL NOT NULL,
    bytes_sent INTEGER NOT NULL, bytes_received INTEGER NOT NULL
)
"""
_CONTROL = """
CREATE TABLE control (
    number INTEGER PRIMARY KEY, at REAL NOT NULL, asked_by TEXT NOT NULL, words TEXT NOT NULL,
    taken_at REAL, accepted INTEGER, answer TEXT
)
"""
_FROM_6 = (
    "CREATE INDEX failures ON outcomes (code, seq) WHERE succeeded = 0",
    "CREATE INDEX reviews ON outcomes (seq) WHERE \"check\" = 'review'",
    "CREATE INDEX open_chunks ON chunks (number) WHERE items > succeeded + failed",
    "ALTER TABLE sessions ADD COLUMN gauges TEXT",
    _SAMPLES,
    _CONTROL,
)

STEPS: Mapping[int, Sequence[str]] = MappingProxyType(
    {1: _FROM_1, 2: _FROM_2, 3: _FROM_3, 4: _FROM_4, 5: _FROM_5, 6: _FROM_6}
)
"""Schema version to the statements that make it the next one."""


def copy_of(path: Path, version: int) -> Path:
    """Where the copy of a ledger is kept that was migrated from this schema version."""
    return path.with_name(f"{path.name}.v{version}")


def migrate(path: Path, connection: sqlite3.Connection, version: int) -> None:
    """Copy a ledger beside itself, then bring it to the schema of today.

    Args:
        path: The ledger's file.
        connection: Open on it for writing, in autocommit, every commit waiting for the disk.
        version: Its schema version; there are steps from there.

    Raises:
        sqlite3.Error: The disk refuses; the ledger is as it was.
        OSError: The same.
    """
    _copy(connection, copy_of(path, version))
    connection.execute("BEGIN IMMEDIATE")
    try:
        for number in range(version, SCHEMA_VERSION):
            for statement in STEPS[number]:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _copy(connection: sqlite3.Connection, target: Path) -> None:
    """All that was committed, also what stands in the write-ahead log only; whole or not there.

    One of an earlier start that was killed is replaced: the ledger may have grown since.
    """
    beside = target.with_name(f".{target.name}.tmp")
    beside.unlink(missing_ok=True)
    os.close(os.open(beside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        with closing(sqlite3.connect(beside)) as copy:
            connection.backup(copy)  # waits for the disk
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)
    _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    """Make the names in a folder durable; where folders can be opened at all."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
