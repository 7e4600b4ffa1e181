"""Items made pending again that have an outcome, and every figure that they moved moved back."""

import sqlite3
from collections.abc import Sequence

from processor.ledger import histogram
from processor.ledger.tally import tier_counter

# `called`: the outcome stands for a request of its own, which no attempt stands for.
_CHOOSE = """
INSERT INTO again
SELECT seq, attempts > IFNULL((SELECT MAX(number) FROM attempts a WHERE a.seq = outcomes.seq), 0),
       succeeded
FROM outcomes WHERE {which}
"""

# The attempts hold what was paid before; the last answer's share is the rest.
_KEEP_LAST_CALLS = """
INSERT INTO attempts
SELECT seq, attempts, lane, IFNULL(code, 'changed'), IFNULL(message, 'The row changed'), NULL,
       latency_ms, 0, model,
       prompt_tokens - IFNULL(before.prompt, 0), completion_tokens - IFNULL(before.completion, 0),
       cached_tokens - IFNULL(before.cached, 0), cost_usd - IFNULL(before.cost, 0), body, NULL, 0,
       at
FROM again JOIN outcomes USING (seq)
     LEFT JOIN (SELECT seq, SUM(prompt_tokens) AS prompt, SUM(completion_tokens) AS completion,
                       SUM(cached_tokens) AS cached, SUM(cost_usd) AS cost
                FROM attempts WHERE seq IN (SELECT seq FROM again) GROUP BY seq) AS before
     USING (seq)
WHERE called
"""

_CHUNKS_COMPLETE = """
UPDATE counters SET value = value - (
    SELECT COUNT(*) FROM chunks WHERE succeeded + failed = items AND EXISTS (
        SELECT 1 FROM again WHERE seq BETWEEN first_seq AND first_seq + items - 1))
WHERE lane = '' AND name = 'chunks_complete'
"""

_CHUNKS = """
UPDATE chunks SET failed = failed - gone.failures, succeeded = succeeded - gone.successes,
                  file_bytes = NULL
FROM (SELECT number,
             (SELECT COUNT(*) FROM again WHERE again.succeeded = 0
              AND seq BETWEEN first_seq AND first_seq + chunks.items - 1) AS failures,
             (SELECT COUNT(*) FROM again WHERE again.succeeded = 1
              AND seq BETWEEN first_seq AND first_seq + chunks.items - 1) AS successes
      FROM chunks WHERE failed + chunks.succeeded > 0) AS gone
WHERE gone.number = chunks.number AND failures + successes > 0
"""

_COUNTERS = """
UPDATE counters SET value = value - gone.items
FROM (SELECT lane, 'error.' || code AS name, COUNT(*) AS items
      FROM again JOIN outcomes USING (seq) GROUP BY 1, 2
      UNION ALL
      SELECT lane, 'check.' || "check", COUNT(*) FROM again JOIN outcomes USING (seq) GROUP BY 1, 2
      UNION ALL
      SELECT lane, tier_counter(tier), COUNT(*) FROM again JOIN outcomes USING (seq)
      WHERE tier IS NOT NULL GROUP BY 1, 2
      UNION ALL
      SELECT lane, IIF(again.succeeded, 'succeeded', 'failed'), COUNT(*)
      FROM again JOIN outcomes USING (seq) GROUP BY 1, 2) AS gone
WHERE gone.lane = counters.lane AND gone.name = counters.name
"""

_LATENCIES = """
UPDATE latencies SET count = count - gone.calls
FROM (SELECT bucket(latency_ms) AS bucket, COUNT(*) AS calls
      FROM again JOIN outcomes USING (seq) WHERE called AND latency_ms > 0 GROUP BY 1) AS gone
WHERE gone.bucket = latencies.bucket
"""

_LATENCY_SUM = """
UPDATE counters SET value = value - (SELECT IFNULL(SUM(latency_ms), 0)
                                     FROM again JOIN outcomes USING (seq) WHERE called)
WHERE lane = '' AND name = 'latency_sum_ms'
"""

_LATENCY_MAX = """
UPDATE counters SET value = (SELECT IFNULL(MAX(latency_ms), 0) FROM outcomes WHERE attempts > 0)
WHERE lane = '' AND name = 'latency_max_ms'
"""

_STEPS = (
    "UPDATE attempts SET reask = 0 WHERE reask = 1 AND seq IN (SELECT seq FROM again)",
    _KEEP_LAST_CALLS,
    _CHUNKS_COMPLETE,  # while the chunks still are
    _CHUNKS,
    _COUNTERS,
    _LATENCIES,
    _LATENCY_SUM,
    "DELETE FROM outcomes WHERE seq IN (SELECT seq FROM again)",
    "DELETE FROM vectors WHERE seq IN (SELECT seq FROM again)",
    _LATENCY_MAX,
)


def requeue(connection: sqlite3.Connection, codes: Sequence[str] | None) -> int:
    """Make failed items pending again, within the caller's transaction.

    Args:
        connection: The ledger.
        codes: Error codes to take; None for every failure that asking again may mend.

    Returns:
        How many items it were.
    """
    which = "retryable = 1" if codes is None else f"code IN ({', '.join('?' * len(codes))})"
    return _move_back(connection, f"succeeded = 0 AND {which}", codes or ())


def requeue_answered(connection: sqlite3.Connection, seqs: str) -> int:
    """Make items pending again whatever their outcome is, within the caller's transaction.

    Args:
        connection: The ledger.
        seqs: A SELECT of theirs.

    Returns:
        How many items it were.
    """
    return _move_back(connection, f"seq IN ({seqs})", ())


def _move_back(connection: sqlite3.Connection, which: str, parameters: Sequence[str]) -> int:
    """Remove outcomes, and what they added to chunks, counters and latencies.

    Their last call joins their attempts, so that what was paid stays counted and attempts go on
    being numbered; their next request shows none of their earlier answers.
    """
    execute = connection.execute
    connection.create_function("bucket", 1, histogram.bucket, deterministic=True)
    connection.create_function("tier_counter", 1, tier_counter, deterministic=True)
    execute(
        "CREATE TEMP TABLE again "
        "(seq INTEGER PRIMARY KEY, called INTEGER NOT NULL, succeeded INTEGER NOT NULL)"
    )
    count = execute(_CHOOSE.format(which=which), tuple(parameters)).rowcount
    for statement in _STEPS if count else ():
        execute(statement)
    execute("DROP TABLE again")
    return count
