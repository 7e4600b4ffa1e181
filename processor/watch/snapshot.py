"""How a run stands, in figures: the one function that every display and statistic reads from."""

import json
import shlex
import sqlite3
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from processor.ledger import (
    account,
    cancellation,
    counters,
    database,
    deadline as kept_deadline,
    decisions,
    gauges,
    histogram,
    route as kept_route,
    samples,
    shards,
)
from processor.ledger.calls import LOST, REQUESTS
from processor.ledger.decisions import Kept
from processor.ledger.gauges import Gauges
from processor.ledger.samples import Earlier
from processor.ledger.shards import Standing

_RECENTLY_S = 20.0
_STAGES = ("import", "send", "export")
_LANES = ("direct", "batch")  # always shown; others when they did something


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """Of the last calls of finished items, in ms; percentiles are within 2.5 %.

    Answers of a batch have none.
    """

    mean: float | None
    p50: float | None
    p95: float | None
    p99: float | None
    max: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneTotals:
    """What one lane did.

    Attributes:
        requests_sent: Requests, the lost ones too.
        requests_lost: Of these, what a killed start had begun and nothing was recorded of.
        no_room: Requests for which their service tier had none; they were sent again.
        http_calls: With files and batches at the provider; those of killed starts left out. 0 of
            the direct lane, where a request is a call.
    """

    succeeded: int
    failed: int
    requests_sent: int
    requests_lost: int
    http_calls: int
    retries: int
    reasks: int
    rate_limited: int
    no_room: int
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    cost_usd: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """The latest start of the run.

    Attributes:
        exit_code: None while it goes on, and for ever if it was killed.
        stop_code: The error code of what ended it early; None if nothing did.
        stop_message: The same in words.
        budget_usd: What the run may spend over all its starts; None for no bound.
        rpm: Requests a minute that it was told to send at most; None when it was not.
        tpm: The same of tokens.
        deadline: As somebody typed it; None without one.
    """

    pid: int
    started_at: float
    exit_code: int | None
    stop_code: str | None
    stop_message: str | None
    budget_usd: float | None
    rpm: int | None
    tpm: int | None
    deadline: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A run at one moment; succeeded + failed + pending = total.

    `spent_usd` is what counts against a budget: all known costs, and what cut-off calls and answers
    of unknown price of earlier starts may have cost; of that, `killed_usd` was only reserved when
    starts were killed. A start with a budget may spend up to `reserved_usd` before it writes again;
    0 when it has ended, unless it was killed. `jobs` tells how far the batch lane is; what was
    `cancelled` is not sent again unless somebody asks for it. `tiers` counts items that were
    answered directly, by the service tier that their answers report. `route` is the latest choice
    of lanes (see `ledger.route`); `deadline_s` is when the latest start is to be done, `decided`
    its latest decision under that (see `watch.course`). `now` is what the latest start said of
    itself last, `earlier` how far it was a moment before; `command` began the run, as it may be
    typed again.

    Times are seconds since the epoch, money US dollars (None: unknown), shares 0-1 over finished
    items (None before any).
    """

    folder: Path
    run_id: str
    task: str
    model: str
    provider: str
    total: int
    succeeded: int
    failed: int
    skipped: int
    started_at: float | None
    finished_at: float | None
    elapsed_s: float
    latency_ms: Latency
    overall: LaneTotals
    lanes: Mapping[str, LaneTotals]
    errors: Mapping[str, int]
    checks: Mapping[str, int]
    tiers: Mapping[str, int]
    jobs: Standing
    route: Mapping[str, Any]
    deadline_s: float | None
    decided: Kept | None
    cancelled: bool
    chunks: int
    chunks_complete: int
    stages_s: Mapping[str, float]
    cpu_s: float
    peak_rss_mb: float
    bytes_sent: int
    bytes_received: int
    session: Session | None
    now: Gauges | None
    earlier: Earlier | None
    command: str | None
    spent_usd: float
    killed_usd: float
    reserved_usd: float

    @property
    def finished(self) -> int:
        """Items with an outcome."""
        return self.succeeded + self.failed

    @property
    def pending(self) -> int:
        """Items without an outcome."""
        return self.total - self.finished

    @property
    def success_rate(self) -> float | None:
        """Share of successes among finished items."""
        return self.succeeded / self.finished if self.finished else None

    @property
    def error_rate(self) -> float | None:
        """Share of failures among finished items."""
        return self.failed / self.finished if self.finished else None

    @property
    def throughput_per_s(self) -> float | None:
        """Finished items a second of active time."""
        return self.finished / self.elapsed_s if self.finished and self.elapsed_s else None

    @property
    def recent_per_s(self) -> float | None:
        """Finished items a second, of late; of a run that works."""
        if self.earlier is None:
            return None
        done, span_s = self.finished - self.earlier.finished, time.time() - self.earlier.at
        return done / span_s if done > 0 and span_s > 0 else None

    @property
    def pending_least_s(self) -> float:
        """How long what is pending takes at least, for the limits that were set."""
        bounds = self.now or self.session  # somebody may have set others meanwhile
        if bounds is None:
            return 0.0
        done = max(1, self.finished)
        tokens = (self.overall.prompt_tokens + self.overall.completion_tokens) / done
        minutes = self.pending / bounds.rpm if bounds.rpm else 0.0
        if bounds.tpm:
            minutes = max(minutes, self.pending * tokens / bounds.tpm)
        return 60.0 * minutes


Counters = Mapping[str, Mapping[str, float]]


def take(folder: Path) -> Snapshot:
    """Read the figures of a run; costs the same however many items it has.

    Raises:
        LedgerError: There is no ledger, or it cannot be read.
    """
    with database.reading(folder / database.LEDGER_NAME) as connection:
        connection.execute("BEGIN")  # every figure of the same moment
        return read(folder, connection)


def read(folder: Path, connection: sqlite3.Connection) -> Snapshot:
    """The same within a read that somebody has begun."""
    meta = dict(connection.execute("SELECT key, value FROM meta"))
    found = counters.read(connection)
    own = found.get("", {})
    lanes = {lane: _lane(found.get(lane, {})) for lane in dict.fromkeys((*_LANES, *found)) if lane}
    overall = _lane(_summed(found))
    session, spending = _session(connection), account.read(found)
    return Snapshot(
        folder=folder,
        run_id=meta.get("run_id", ""),
        task=meta.get("task", ""),
        model=meta.get("model", ""),
        provider=meta.get("provider", ""),
        total=int(own.get(counters.ITEMS, 0)),
        succeeded=overall.succeeded,
        failed=overall.failed,
        skipped=int(own.get(counters.SKIPPED, 0)),
        **_of_sessions(connection, session),
        latency_ms=_latency(connection, own),
        overall=overall,
        lanes=lanes,
        errors=_named(found, "error."),
        checks=_named(found, "check."),
        tiers=_named({"direct": found.get("direct", {})}, "tier."),
        jobs=shards.standing(connection),
        route=kept_route.kept_in(meta),
        deadline_s=_deadline_s(meta, session),
        decided=decisions.latest(connection),
        cancelled=cancellation.is_noted_in(meta),
        chunks=int(own.get(counters.CHUNKS, 0)),
        chunks_complete=int(own.get(counters.CHUNKS_COMPLETE, 0)),
        stages_s=_stages_s(own),
        session=session,
        now=gauges.latest(connection),
        earlier=samples.earlier(connection, time.time() - _RECENTLY_S),
        command=_command(meta),
        spent_usd=spending.priced_usd + spending.aside_usd,
        killed_usd=spending.killed_usd,
        reserved_usd=spending.claimed_usd,
    )


def _of_sessions(connection: sqlite3.Connection, latest: Session | None) -> dict[str, Any]:
    """What all starts of the run add up to."""
    started_at, seen_at, elapsed_s, cpu_s, peak_rss_mb, sent, received = connection.execute(
        "SELECT MIN(started_at), MAX(seen_at), IFNULL(SUM(seen_at - started_at), 0), "
        "IFNULL(SUM(cpu_s), 0), IFNULL(MAX(peak_rss_mb), 0), IFNULL(SUM(bytes_sent), 0), "
        "IFNULL(SUM(bytes_received), 0) FROM sessions"
    ).fetchone()
    has_ended = latest is not None and latest.exit_code is not None
    return {
        "started_at": started_at,
        "finished_at": seen_at if has_ended else None,
        "elapsed_s": elapsed_s,
        "cpu_s": cpu_s,
        "peak_rss_mb": peak_rss_mb,
        "bytes_sent": sent,
        "bytes_received": received,
    }


def _command(meta: Mapping[str, str]) -> str | None:
    """What goes on with the run, to be typed here; None when a program began it."""
    command, place = meta.get("command"), meta.get("place")
    if not command or not place:
        return None
    where = json.loads(place)  # the name of a folder may be no text, and is escaped
    try:
        is_here = Path(where) == Path.cwd()
    except OSError:  # whose folder is gone
        is_here = False
    return command if is_here else f"cd {shlex.quote(where)} && {command}"


def _stages_s(own: Mapping[str, float]) -> dict[str, float]:
    kept = {stage: own.get(f"stage.{stage}_s") for stage in _STAGES}
    return {stage: value for stage, value in kept.items() if value is not None}


def _deadline_s(meta: Mapping[str, str], session: Session | None) -> float | None:
    """When the latest start is to be done; None when it was given no deadline."""
    kept = kept_deadline.kept_in(meta)
    if kept is None or session is None or session.deadline != kept.text:
        return None
    return kept.at_s


def _summed(found: Counters) -> dict[str, float]:
    totals: dict[str, float] = {}
    for lane, values in found.items():
        for name, value in values.items() if lane else ():
            totals[name] = totals.get(name, 0) + value
    return totals


def _lane(values: Mapping[str, float]) -> LaneTotals:
    def count(name: str) -> int:
        return int(values.get(name, 0))

    return LaneTotals(
        succeeded=count("succeeded"),
        failed=count("failed"),
        requests_sent=count(REQUESTS) + count(LOST),
        requests_lost=count(LOST),
        http_calls=count(counters.HTTP_CALLS),
        retries=count("retries"),
        reasks=count("reasks"),
        rate_limited=count("rate_limited"),
        no_room=count("no_room"),
        prompt_tokens=count("prompt_tokens"),
        completion_tokens=count("completion_tokens"),
        cached_tokens=count("cached_tokens"),
        cost_usd=None if count("unpriced") else values.get("cost_usd", 0.0),
    )


def _named(found: Counters, prefix: str) -> dict[str, int]:
    """Counts by code or check, the most frequent first; those that went back to 0 left out."""
    summed = _summed(found)
    named = {
        name.removeprefix(prefix): int(value)
        for name, value in summed.items()
        if name.startswith(prefix) and value
    }
    return dict(sorted(named.items(), key=lambda pair: (-pair[1], pair[0])))


def _latency(connection: sqlite3.Connection, values: Mapping[str, float]) -> Latency:
    counts = dict(connection.execute("SELECT bucket, count FROM latencies"))
    calls = sum(counts.values())
    highest = values.get("latency_max_ms") if calls else None

    def percentile(share: float) -> float | None:
        value = histogram.percentile(counts, share)
        return None if value is None or highest is None else min(value, highest)

    return Latency(
        mean=values.get("latency_sum_ms", 0.0) / calls if calls else None,
        p50=percentile(0.5),
        p95=percentile(0.95),
        p99=percentile(0.99),
        max=highest,
    )


def _session(connection: sqlite3.Connection) -> Session | None:
    row = connection.execute(
        "SELECT pid, started_at, exit_code, stop_code, stop_message, "
        "json_extract(settings, '$.budget_usd'), json_extract(settings, '$.rpm'), "
        "json_extract(settings, '$.tpm'), json_extract(settings, '$.deadline') "
        "FROM sessions ORDER BY number DESC LIMIT 1"
    ).fetchone()
    if row is None:
        return None
    return Session(
        pid=row[0],
        started_at=row[1],
        exit_code=row[2],
        stop_code=row[3],
        stop_message=row[4],
        budget_usd=row[5],
        rpm=row[6],
        tpm=row[7],
        deadline=row[8],
    )
