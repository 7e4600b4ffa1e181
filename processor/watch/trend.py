"""How a run went over time: what the samples tell between one and the next."""

import sqlite3
from collections.abc import Iterator
from itertools import pairwise

from msgspec import Struct

from processor.ledger import samples
from processor.ledger.samples import Sample


class Point(Struct, frozen=True, kw_only=True, gc=False):
    """A stretch of a run, up to a sample.

    Rates are over the stretch; what is None is not known. The first stretch of each start has no
    length: it tells where it began.

    Attributes:
        at: When it ended, in seconds since 1970.
        span_s: How long it was.
        finished: Items with an outcome up to here.
        failed: Of these.
        cost_usd: Up to here.
        per_s: Items finished a second.
        failed_per_s: Items failed a second.
        requests_per_s: Calls a second.
        retries_per_s: Of these, those sent again.
        limited_per_s: Answers a second that said that it was too much.
        p50_ms: Latency of its calls.
        p95_ms: The same.
        window: Calls that may be in flight at its end.
        in_flight: Calls that are.
        limit_per_s: Calls a second that known limits allow.
        cpu: Cores in use, on average.
        rss_mb: Memory at its end.
        sent_per_s: Bytes a second.
        received_per_s: Bytes a second.
        at_provider: Items in batches whose results are not here.
    """

    number: int
    at: float
    span_s: float
    finished: int
    failed: int
    cost_usd: float | None
    per_s: float
    failed_per_s: float
    requests_per_s: float
    retries_per_s: float
    limited_per_s: float
    p50_ms: float | None
    p95_ms: float | None
    window: int | None
    in_flight: int
    limit_per_s: float | None
    cpu: float
    rss_mb: float
    sent_per_s: float
    received_per_s: float
    at_provider: int


def points(connection: sqlite3.Connection, after: int = 0) -> list[Point]:
    """The stretches that end after a sample, the oldest first; 0 for all. 2,000 at most."""
    (before,) = connection.execute(
        "SELECT IFNULL(MAX(number), 0) FROM samples WHERE number <= ?", (after,)
    ).fetchone()
    found = list(samples.after(connection, before - 1))
    if not before and found:
        found.insert(0, found[0])
    return list(_points(found))


def _points(found: list[Sample]) -> Iterator[Point]:
    for before, sample in pairwise(found):
        # A start begins anew to count what its process uses.
        is_first = before.session != sample.session
        yield _point(sample if is_first else before, sample)


def _point(before: Sample, now: Sample) -> Point:
    span_s = max(0.0, now.at - before.at)  # a clock may have been put back

    def per_s(name: str) -> float:
        gone = getattr(now, name) - getattr(before, name)
        return max(0.0, gone) / span_s if span_s > 0 else 0.0

    return Point(
        number=now.number,
        at=now.at,
        span_s=span_s,
        finished=now.succeeded + now.failed,
        failed=now.failed,
        cost_usd=now.cost_usd,
        per_s=per_s("succeeded") + per_s("failed"),
        failed_per_s=per_s("failed"),
        requests_per_s=per_s("requests"),
        retries_per_s=per_s("retries"),
        limited_per_s=per_s("rate_limited"),
        p50_ms=now.p50_ms,
        p95_ms=now.p95_ms,
        window=now.window,
        in_flight=now.in_flight,
        limit_per_s=now.limit_per_s,
        cpu=per_s("cpu_s"),
        rss_mb=now.rss_mb,
        sent_per_s=per_s("bytes_sent"),
        received_per_s=per_s("bytes_received"),
        at_provider=now.at_provider,
    )
