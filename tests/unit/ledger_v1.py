"""A ledger as version 1 of the schema left it: 25 items, two complete chunks, one that is open."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

ITEMS = 25
SUCCEEDED = 20
FAILED = 1
SKIPPED = 2

V1 = """
CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE sources (
    uri TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    stamp TEXT,
    rows_read INTEGER NOT NULL,
    whole INTEGER NOT NULL,
    imported_at REAL NOT NULL
) WITHOUT ROWID;

CREATE TABLE items (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    id_is_integer INTEGER NOT NULL,
    row INTEGER NOT NULL,
    fields TEXT NOT NULL
);

CREATE TABLE skipped (
    source TEXT NOT NULL,
    row INTEGER NOT NULL,
    problem TEXT NOT NULL,
    PRIMARY KEY (source, row)
) WITHOUT ROWID;

CREATE TABLE chunks (
    number INTEGER PRIMARY KEY,
    first_seq INTEGER NOT NULL,
    items INTEGER NOT NULL,
    succeeded INTEGER NOT NULL DEFAULT 0,
    failed INTEGER NOT NULL DEFAULT 0,
    file_bytes INTEGER,
    file_crc32 INTEGER
);

CREATE TABLE outcomes (
    seq INTEGER PRIMARY KEY,
    session INTEGER NOT NULL,
    succeeded INTEGER NOT NULL,
    result TEXT,
    "check" TEXT,
    notes TEXT,
    code TEXT,
    message TEXT,
    retryable INTEGER,
    lane TEXT NOT NULL,
    model TEXT,
    tier TEXT,
    attempts INTEGER NOT NULL,
    latency_ms REAL NOT NULL,
    prompt_tokens INTEGER,

    completion_tokens INTEGER,
    cached_tokens INTEGER,
    cost_usd REAL,
    request_id TEXT,
    body TEXT,
    at REAL NOT NULL
);

CREATE TABLE attempts (
    seq INTEGER NOT NULL,
    number INTEGER NOT NULL,
    lane TEXT NOT NULL,
    code TEXT NOT NULL,
    message TEXT NOT NULL,
    status INTEGER,
    latency_ms REAL NOT NULL,
    wait_s REAL NOT NULL,
    model TEXT,
    prompt_tokens INTEGER,
    completion_tokens INTEGER,
    cached_tokens INTEGER,
    cost_usd REAL,
    answer TEXT,
    problem TEXT,
    reask INTEGER NOT NULL,
    at REAL NOT NULL,
    PRIMARY KEY (seq, number)
) WITHOUT ROWID;

CREATE TABLE counters (
    lane TEXT NOT NULL,
    name TEXT NOT NULL,
    value REAL NOT NULL,
    PRIMARY KEY (lane, name)
) WITHOUT ROWID;

CREATE TABLE latencies (
    bucket INTEGER PRIMARY KEY,
    count INTEGER NOT NULL
);

CREATE TABLE sessions (
    number INTEGER PRIMARY KEY,
    started_at REAL NOT NULL,
    seen_at REAL NOT NULL,
    ended_at REAL,
    exit_code INTEGER,
    stop_code TEXT,
    stop_message TEXT,
    pid INTEGER NOT NULL,
    settings TEXT NOT NULL,
    cpu_s REAL NOT NULL DEFAULT 0,
    peak_rss_mb REAL NOT NULL DEFAULT 0,
    bytes_sent INTEGER NOT NULL DEFAULT 0,
    bytes_received INTEGER NOT NULL DEFAULT 0
);
"""

# One source, two rows of it left out; seq 12 failed, 22 to 25 are pending.
_CONTENT = f"""
INSERT INTO meta VALUES
    ('run_id', 'r1'), ('task', 'greet'), ('model', 'gpt-6-luna'), ('provider', 'openai'),
    ('id_field', 'id'), ('columns', '["id","word"]');
INSERT INTO sources VALUES ('memory:table', 'table.csv', '1', {ITEMS + SKIPPED}, 1, 1.8e9);
WITH RECURSIVE n(seq) AS (SELECT 1 UNION ALL SELECT seq + 1 FROM n WHERE seq < {ITEMS})
INSERT INTO items SELECT seq, seq, 1, seq, json_object('id', seq, 'word', 'word' || seq) FROM n;
CREATE UNIQUE INDEX items_id ON items (id);
INSERT INTO skipped VALUES ('memory:table', 26, 'id is empty'), ('memory:table', 27, 'no JSON');
INSERT INTO chunks VALUES (1, 1, 10, 10, 0, NULL, NULL), (2, 11, 10, 9, 1, NULL, NULL),
                          (3, 21, 5, 1, 0, NULL, NULL);
INSERT INTO outcomes SELECT seq, 1, seq <> 12, iif(seq <> 12, 'hello', NULL),
    iif(seq <> 12, 'unchecked', NULL), NULL, iif(seq = 12, 'timeout', NULL),
    iif(seq = 12, 'no answer', NULL), iif(seq = 12, 1, NULL), 'direct', 'gpt-6-luna', NULL, 1,
    100.0, 10, 2, 0, 0.5, 'req-1', NULL, 1.8e9
    FROM items WHERE seq <= 21;
INSERT INTO counters VALUES
    ('direct', 'succeeded', 20), ('direct', 'failed', 1), ('direct', 'requests', 21),
    ('direct', 'check.unchecked', 20), ('direct', 'error.timeout', 1), ('direct', 'cost_usd', 10),
    ('', 'latency_sum_ms', 2100), ('', 'latency_max_ms', 100), ('', 'stage.import_s', 2);
INSERT INTO latencies VALUES (95, 21);
INSERT INTO sessions (started_at, seen_at, ended_at, exit_code, pid, settings)
    VALUES (1.8e9, 1.8e9 + 60, 1.8e9 + 60, 130, 4711, '{{"provider": "openai"}}');
"""


def make(folder: Path) -> Path:
    """Write it; its last transactions stand in the write-ahead log only, as after a kill."""
    made = folder / "made.sqlite"
    path = folder / "ledger.sqlite"
    with closing(sqlite3.connect(made, isolation_level=None)) as connection:
        connection.executescript(
            "PRAGMA journal_mode = WAL; PRAGMA application_id = 1886547811; "
            f"PRAGMA user_version = 1; BEGIN; {V1} COMMIT; PRAGMA wal_checkpoint(TRUNCATE);"
            f"PRAGMA wal_autocheckpoint = 0; BEGIN; {_CONTENT} COMMIT;"
        )
        for ending in ("", "-wal"):
            shutil.copy(f"{made}{ending}", f"{path}{ending}")
    made.unlink()
    assert Path(f"{path}-wal").stat().st_size > 0
    return path
