"""Errors of a run by cause, each with an example and its remedy."""

import sqlite3
from dataclasses import dataclass

from processor.codes import cause_of
from processor.watch.snapshot import Snapshot

_EXAMPLE = """
SELECT id, message FROM outcomes JOIN items USING (seq)
WHERE succeeded = 0 AND code = ? ORDER BY seq LIMIT 1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Items that failed for one reason.

    Attributes:
        code: As in results, statistics and logs.
        means: What happened, in one sentence.
        remedy: What to do about it, in one sentence.
        example_id: Of the first item; None when it is pending again.
        example_message: What was said of it; it may hold the provider's own words.
    """

    code: str
    count: int
    retryable: bool
    means: str
    remedy: str
    example_id: str | None
    example_message: str | None


def faults(connection: sqlite3.Connection, shot: Snapshot) -> list[Fault]:
    """The causes, the most frequent first; a look at one item for each, however many there are."""
    return [_fault(connection, code, count) for code, count in shot.errors.items()]


def _fault(connection: sqlite3.Connection, code: str, count: int) -> Fault:
    cause = cause_of(code)
    example = connection.execute(_EXAMPLE, (code,)).fetchone() or (None, None)
    return Fault(
        code=code,
        count=count,
        retryable=cause.retryable,
        means=cause.means,
        remedy=cause.remedy,
        example_id=example[0],
        example_message=example[1],
    )
