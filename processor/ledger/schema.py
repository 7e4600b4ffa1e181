"""The ledger's tables. `PRAGMA application_id` tells a ledger, `user_version` its schema.

Who changes a table raises the version and writes the step that leads there: `migrate.STEPS`.

A chunk is a range of `seq`, so an item needs no column for it, and an open chunk costs one row.
An item is pending while it has no outcome; a chunk is complete when its counts add up.
"""

SCHEMA_VERSION = 7
APPLICATION_ID = 0x70726F63  # "proc"

TABLES = """
CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE sources (
    uri TEXT PRIMARY KEY,
    stamp TEXT,
    whole INTEGER NOT NULL            -- 0: a limit ended the reading before the source did
) WITHOUT ROWID;

CREATE TABLE items (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    id_is_integer INTEGER NOT NULL,
    row INTEGER NOT NULL,
    fields TEXT NOT NULL              -- JSON object
);

CREATE TABLE skipped (                -- rows left out with --skip-invalid
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
    file_bytes INTEGER,               -- NULL: its file is not written, or no longer true
    file_crc32 INTEGER
);
-- Not `succeeded + failed < items`: SQLite turns that round in a query, not here, and scans.
CREATE INDEX open_chunks ON chunks (number) WHERE items > succeeded + failed;

CREATE TABLE outcomes (
    seq INTEGER PRIMARY KEY,
    session INTEGER NOT NULL,         -- who answered: the session's settings name the provider
    succeeded INTEGER NOT NULL,
    result TEXT,
    "check" TEXT,
    notes TEXT,                       -- JSON array
    code TEXT,
    message TEXT,
    retryable INTEGER,
    lane TEXT NOT NULL,
    model TEXT,
    tier TEXT,
    attempts INTEGER NOT NULL,
    latency_ms REAL NOT NULL,
    prompt_tokens INTEGER,            -- tokens and cost: every answer paid for, re-asks too;
                                      -- NULL when that of any answer is unknown
    completion_tokens INTEGER,
    cached_tokens INTEGER,
    cost_usd REAL,
    request_id TEXT,
    body TEXT,
    at REAL NOT NULL
);
-- Both are small and cost nothing where all goes well; who looks for these items reads no others.
CREATE INDEX failures ON outcomes (code, seq) WHERE succeeded = 0;
CREATE INDEX reviews ON outcomes (seq) WHERE "check" = 'review';

CREATE TABLE vectors (                -- of embeddings; apart, so that who reads outcomes is quick
    seq INTEGER PRIMARY KEY,
    vector BLOB NOT NULL              -- little-endian float32
);

CREATE TABLE attempts (               -- requests that did not settle their item
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
    reask INTEGER NOT NULL,           -- 1: the item's next request shows this answer and problem
    at REAL NOT NULL,
    PRIMARY KEY (seq, number)
) WITHOUT ROWID;

CREATE TABLE counters (               -- kept in the transaction of what they count
    lane TEXT NOT NULL,               -- '': the run itself
    name TEXT NOT NULL,
    value REAL NOT NULL,
    PRIMARY KEY (lane, name)
) WITHOUT ROWID;

CREATE TABLE latencies (              -- histogram of the last calls of items
    bucket INTEGER PRIMARY KEY,
    count INTEGER NOT NULL
);

CREATE TABLE sessions (               -- one row for each time the run was started
    number INTEGER PRIMARY KEY,
    started_at REAL NOT NULL,
    seen_at REAL NOT NULL,
    exit_code INTEGER,
    stop_code TEXT,                   -- why it ended early: an error code, and words
    stop_message TEXT,
    pid INTEGER NOT NULL,
    settings TEXT NOT NULL,           -- JSON object, secrets left out
    cpu_s REAL NOT NULL DEFAULT 0,
    peak_rss_mb REAL NOT NULL DEFAULT 0,
    bytes_sent INTEGER NOT NULL DEFAULT 0,
    bytes_received INTEGER NOT NULL DEFAULT 0,
    gauges TEXT                       -- what it said of itself last: see gauges.py
);

CREATE TABLE samples (                -- figures over time: see samples.py
    number INTEGER PRIMARY KEY,
    session INTEGER NOT NULL,
    at REAL NOT NULL,
    succeeded INTEGER NOT NULL,       -- counts are of the whole run up to here
    failed INTEGER NOT NULL,
    requests INTEGER NOT NULL,
    retries INTEGER NOT NULL,
    rate_limited INTEGER NOT NULL,
    cost_usd REAL,                    -- NULL: unknown
    p50_ms REAL,                      -- of calls since the sample before
    p95_ms REAL,
    "window" INTEGER,
    in_flight INTEGER NOT NULL,
    limit_per_s REAL,                 -- NULL: none known
    at_provider INTEGER NOT NULL,
    cpu_s REAL NOT NULL,              -- of the session up to here, as bytes
    rss_mb REAL NOT NULL,
    bytes_sent INTEGER NOT NULL,
    bytes_received INTEGER NOT NULL
);

CREATE TABLE control (                -- what people asked of the run while it works
    number INTEGER PRIMARY KEY,
    at REAL NOT NULL,
    asked_by TEXT NOT NULL,
    words TEXT NOT NULL,              -- the order: see control.py
    taken_at REAL,                    -- NULL: not yet
    accepted INTEGER,
    answer TEXT
);

CREATE TABLE outbox (                 -- items that changed, since there is an output: see outbox.py
    number INTEGER PRIMARY KEY,
    seq INTEGER NOT NULL
);

CREATE TABLE deliveries (
    target TEXT PRIMARY KEY,          -- an output, and what of the results it wants
    number INTEGER NOT NULL,          -- it was told the outbox up to here
    store TEXT NOT NULL               -- tells a store from a later one of the same name
) WITHOUT ROWID;

CREATE TABLE refusals (               -- items that an output did not take
    target TEXT NOT NULL,
    seq INTEGER NOT NULL,
    problem TEXT NOT NULL,
    PRIMARY KEY (target, seq)
) WITHOUT ROWID;

CREATE TABLE shards (                 -- input files of the batch lane, and how far each one is
    number INTEGER PRIMARY KEY,
    state TEXT NOT NULL,              -- the last step that is durable: see shards.State
    at REAL NOT NULL,                 -- when it came into this state
    account TEXT,                     -- short hash of provider and key that it was sent with
    endpoint TEXT NOT NULL,
    model TEXT NOT NULL,
    upload INTEGER NOT NULL,          -- how many times its file was sent, or is about to be
    items INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    tokens INTEGER NOT NULL,          -- of its prompts, estimated
    reserved_usd REAL NOT NULL,
    file_id TEXT,                     -- at the provider
    problem TEXT                      -- why it was given up
);

CREATE TABLE shard_items (            -- items that are in a shard, and were not answered yet
    seq INTEGER PRIMARY KEY,
    shard INTEGER NOT NULL
);

CREATE TABLE batches (                -- jobs at the provider; more than one a shard after a doubt
    id TEXT PRIMARY KEY,
    shard INTEGER NOT NULL,
    status TEXT NOT NULL,
    created_at REAL,
    seen_at REAL NOT NULL,
    total INTEGER,
    completed INTEGER,
    failed INTEGER,
    output_file_id TEXT,
    error_file_id TEXT,
    problem TEXT                      -- why it failed
) WITHOUT ROWID;

CREATE TABLE decisions (              -- which way items were sent under a deadline, and why
    number INTEGER PRIMARY KEY,
    at REAL NOT NULL,
    view TEXT NOT NULL,               -- what was known: JSON
    decision TEXT NOT NULL            -- JSON
);
"""
