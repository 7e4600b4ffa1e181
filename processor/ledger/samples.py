"""Figures over time: what the counters were, a row at every sample, so that nothing is scanned.

A run has at most `MOST` of them. When they are too many every second one goes, and from then on
they are taken half as often: a chart of an hour and one of a week are drawn from as many points.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from math import log2
from statistics import median

from msgspec import Struct

from processor.ledger import counters, histogram, shards
from processor.ledger.gauges import Gauges
from processor.ledger.vitals import Vitals

MOST = 2_000
_STEP_S = 1.0
_GAPS = "SELECT at - LAG(at) OVER (PARTITION BY session ORDER BY number) FROM samples"


class Sample(Struct, frozen=True, kw_only=True, gc=False):
    """The figures of a run at one moment.

    Attributes:
        at: Seconds since 1970.
        succeeded: Items, as all counts of the whole run up to here.
        cost_usd: None when that of any answer is unknown.
        p50_ms: Latency of the items answered directly since the sample before; None without any.
        window: None without a direct lane.
        limit_per_s: Calls a second that known limits allow; None where none is known.
        at_provider: Items in batches whose results are not here.
        cpu_s: Of the session up to here, as the bytes.
        rss_mb: At this moment.
    """

    number: int = 0
    session: int
    at: float
    succeeded: int
    failed: int
    requests: int
    retries: int
    rate_limited: int
    cost_usd: float | None
    p50_ms: float | None
    p95_ms: float | None
    window: int | None
    in_flight: int
    limit_per_s: float | None
    at_provider: int
    cpu_s: float
    rss_mb: float
    bytes_sent: int
    bytes_received: int


_FIELDS = Sample.__struct_fields__[1:]
_COLUMNS = ", ".join(f'"{name}"' for name in _FIELDS)
_INSERT = f"INSERT INTO samples ({_COLUMNS}) VALUES ({', '.join('?' * len(_FIELDS))})"
_THIN = """
DELETE FROM samples WHERE number IN (
    SELECT number FROM (SELECT number, ROW_NUMBER() OVER (ORDER BY number DESC) AS place
                        FROM samples) WHERE place % 2 = 0)
"""


def after(connection: sqlite3.Connection, number: int) -> Iterator[Sample]:
    """Those that come after one, the oldest first; 0 for all."""
    rows = connection.execute(
        f"SELECT number, {_COLUMNS} FROM samples WHERE number > ? ORDER BY number", (number,)
    )
    return (Sample(**dict(zip(Sample.__struct_fields__, row, strict=True))) for row in rows)


class Earlier(Struct, frozen=True, kw_only=True, gc=False):
    """How far a start was at a sample."""

    at: float
    finished: int


def earlier(connection: sqlite3.Connection, at: float) -> Earlier | None:
    """How far the latest start was then, or when it began to send; None before it does.

    Args:
        connection: The ledger.
        at: Seconds since 1970.
    """
    found = "SELECT at, succeeded + failed FROM samples WHERE session = ?"
    (session,) = connection.execute("SELECT MAX(number) FROM sessions").fetchone()
    row = (
        connection.execute(f"{found} AND at <= ? ORDER BY number DESC", (session, at)).fetchone()
        or connection.execute(f"{found} ORDER BY number", (session,)).fetchone()
    )
    return None if row is None else Earlier(at=row[0], finished=row[1])


class Sampler:
    """Takes samples of one session, in the thread of the ledger's writer.

    Args:
        connection: The ledger.
        session: Its number.
    """

    def __init__(self, connection: sqlite3.Connection, session: int) -> None:
        self._session = session
        self._due_s = 0.0
        self._latencies = _latencies(connection)
        (self._count,) = connection.execute("SELECT COUNT(*) FROM samples").fetchone()
        self._step_s = _step_s(connection, self._count)

    def is_due(self, now_s: float) -> bool:
        """Whether it is time for the next one; `now_s` is monotonic."""
        return now_s >= self._due_s

    def wait(self, now_s: float) -> None:
        """One is on its way: the next is due a step later."""
        self._due_s = now_s + self._step_s

    def take(self, connection: sqlite3.Connection, gauges: Gauges, vitals: Vitals) -> None:
        """Take one, within the caller's transaction."""
        connection.execute(_INSERT, self._row(connection, gauges, vitals))
        self._count += 1
        if self._count >= MOST:
            self._count -= connection.execute(_THIN).rowcount
            self._step_s *= 2

    def _row(
        self, connection: sqlite3.Connection, gauges: Gauges, vitals: Vitals
    ) -> tuple[object, ...]:
        found = counters.read(connection)
        lanes = [values for lane, values in found.items() if lane]
        before, self._latencies = self._latencies, _latencies(connection)
        since = {
            bucket: max(0, count - before.get(bucket, 0))  # failed items may be pending again
            for bucket, count in self._latencies.items()
        }
        is_priced = not any(values.get("unpriced") for values in lanes)
        sample = Sample(
            session=self._session,
            at=gauges.at,
            **{name: _summed(lanes, name) for name in ("succeeded", "failed", "requests")},
            **{name: _summed(lanes, name) for name in ("retries", "rate_limited")},
            cost_usd=sum(values.get("cost_usd", 0.0) for values in lanes) if is_priced else None,
            p50_ms=histogram.percentile(since, 0.5),
            p95_ms=histogram.percentile(since, 0.95),
            window=gauges.window,
            in_flight=gauges.in_flight,
            limit_per_s=gauges.calls_per_s,
            at_provider=shards.at_provider(connection),
            cpu_s=vitals.cpu_s,
            rss_mb=vitals.rss_mb,
            bytes_sent=vitals.bytes_sent,
            bytes_received=vitals.bytes_received,
        )
        return tuple(getattr(sample, name) for name in _FIELDS)


def _step_s(connection: sqlite3.Connection, count: int) -> float:
    """How far apart they are taken: as far as those of earlier starts, once there are many."""
    if count < MOST // 2:
        return _STEP_S
    gaps_s = [gap_s for (gap_s,) in connection.execute(_GAPS) if gap_s is not None]
    # Not the mean: a machine that slept, or whose clock was set, is in it with hours or years.
    usual_s = max(median(gaps_s), _STEP_S) if gaps_s else _STEP_S
    doublings = round(log2(usual_s / _STEP_S))
    return float(_STEP_S * 2**doublings)


def _summed(lanes: list[dict[str, float]], name: str) -> int:
    return int(sum(values.get(name, 0) for values in lanes))


def _latencies(connection: sqlite3.Connection) -> Mapping[int, int]:
    return dict(connection.execute("SELECT bucket, count FROM latencies"))
