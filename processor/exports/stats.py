"""`conversion_stats.json`: the snapshot of a run in the users' names."""

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from processor.exports.atomic import replacing
from processor.exports.chunk_files import FORMAT
from processor.watch.course import Course, Timing, all_directly_usd, course_of, timing_of
from processor.watch.snapshot import LaneTotals, Session, Snapshot

STATS_NAME = "conversion_stats.json"


def write(snapshot: Snapshot, *, reconciled: bool | None) -> Path:
    """Write the statistics into the run's folder; returns the file.

    Args:
        snapshot: The figures.
        reconciled: Whether ledger, files and input agree; None when it was not looked at.

    Raises:
        LedgerError: The disk refuses.
    """
    path = snapshot.folder / STATS_NAME
    with replacing(path) as file:
        file.write(
            orjson.dumps(
                as_json(snapshot, reconciled=reconciled),
                option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE,
            ).decode()
        )
    return path


def requests_sent(folder: Path, run_id: str) -> int:
    """What the statistics in a folder tell of the requests of a run; 0 if they tell nothing.

    Args:
        folder: The run's folder.
        run_id: Which run; "" for whatever run it was.
    """
    try:
        told = orjson.loads((folder / STATS_NAME).read_bytes())
        return int(told["requests_sent"]) if run_id in ("", told["run_id"]) else 0
    except (OSError, ValueError, TypeError, KeyError):
        return 0


def as_json(snapshot: Snapshot, *, reconciled: bool | None = None) -> dict[str, Any]:
    """The statistics as JSON values."""
    overall = snapshot.overall
    latency = snapshot.latency_ms
    return {
        "format": FORMAT,
        "run_id": snapshot.run_id,
        "task": snapshot.task,
        "model": snapshot.model,
        "provider": snapshot.provider,
        "total": snapshot.total,
        "succeeded": snapshot.succeeded,
        "failed": snapshot.failed,
        "pending": snapshot.pending,
        "skipped": snapshot.skipped,
        "success_rate": snapshot.success_rate,
        "error_rate": snapshot.error_rate,
        "started_at": _moment(snapshot.started_at),
        "finished_at": _moment(snapshot.finished_at),
        "elapsed_s": _rounded(snapshot.elapsed_s, 3),
        "throughput_per_s": _rounded(snapshot.throughput_per_s, 3),
        "latency_ms": {name: _rounded(value, 1) for name, value in asdict(latency).items()},
        "requests_sent": overall.requests_sent,
        "requests_lost": overall.requests_lost,
        "retries": overall.retries,
        "reasks": overall.reasks,
        "rate_limited": overall.rate_limited,
        "tokens": _tokens(overall),
        "cost_usd": _rounded(overall.cost_usd, 8),
        "budget_usd": snapshot.session.budget_usd if snapshot.session else None,
        "spent_usd": _rounded(snapshot.spent_usd, 8),
        "errors": dict(snapshot.errors),
        "checks": dict(snapshot.checks),
        "tiers": dict(snapshot.tiers),
        "route": {name: snapshot.route.get(name) for name in ("lane", "split", "reason")},
        "lanes": {
            lane: _lane(totals) | (_jobs(snapshot) if lane == "batch" else {})
            for lane, totals in snapshot.lanes.items()
        },
        "chunks": snapshot.chunks,
        "chunks_complete": snapshot.chunks_complete,
        "stages_s": {name: round(value, 3) for name, value in snapshot.stages_s.items()},
        "cpu_s": round(snapshot.cpu_s, 3),
        "peak_rss_mb": round(snapshot.peak_rss_mb, 1),
        "bytes_sent": snapshot.bytes_sent,
        "bytes_received": snapshot.bytes_received,
        **_of_both_lanes(snapshot),
        "stopped": _stop(snapshot.session),
        "reconciled": reconciled,
    }


def _stop(session: Session | None) -> dict[str, str | None] | None:
    """Why the latest start ended early; None if it did not."""
    if session is None or session.stop_code is None:
        return None
    return {"code": session.stop_code, "message": session.stop_message}


def _of_both_lanes(snapshot: Snapshot) -> dict[str, Any]:
    """What a run under a deadline has beside what every run has."""
    return {
        "deadline": _deadline(timing_of(snapshot)),
        "decision": _decision(course_of(snapshot)),
        "all_direct_usd": _rounded(all_directly_usd(snapshot), 8),
    }


def _deadline(timing: Timing | None) -> dict[str, Any] | None:
    """How the latest start stands to its deadline; None without one."""
    if timing is None:
        return None
    return {
        "at": _moment(timing.deadline_s),
        "made": timing.made,
        "forecast": timing.verdict,
        "done_at": _moment(timing.done_s),
    }


def _decision(course: Course | None) -> dict[str, Any] | None:
    """The latest decision between the lanes; None where nothing is decided."""
    if course is None:
        return None
    decision, view = course.decision, course.view
    return {
        "at": _moment(course.at),
        "direct": decision.direct,
        "batch": decision.batch,
        "taken_back": list(decision.cancel),
        "reason": decision.reason,
        "known": {
            "not_sent": view.fresh + view.returned,
            "returned": view.returned,
            "in_direct_lane": view.queued,
            "in_batches": sum(shard.items for shard in view.open),
            "answered_there": sum(shard.answered for shard in view.open),
            "batches": len(view.open),
            "direct_per_s": _rounded(view.per_s, 3),
            "is_measured": view.is_measured,
            "budget_left_usd": _rounded(view.left_usd, 8),
        },
    }


def _lane(totals: LaneTotals) -> dict[str, Any]:
    return {
        "succeeded": totals.succeeded,
        "failed": totals.failed,
        "requests_sent": totals.requests_sent,
        "requests_lost": totals.requests_lost,
        "retries": totals.retries,
        "reasks": totals.reasks,
        "rate_limited": totals.rate_limited,
        "no_room": totals.no_room,
        "tokens": _tokens(totals),
        "cost_usd": _rounded(totals.cost_usd, 8),
    }


def _jobs(snapshot: Snapshot) -> dict[str, Any]:
    """What the batch lane has beside what every lane has."""
    jobs = snapshot.jobs
    return {
        "http_calls": snapshot.lanes["batch"].http_calls,
        "shards": jobs.shards,
        "batches": jobs.batches,
        "at_provider": jobs.at_provider,
        "statuses": dict(jobs.statuses),
    }


def _tokens(totals: LaneTotals) -> dict[str, int]:
    return {
        "prompt": totals.prompt_tokens,
        "completion": totals.completion_tokens,
        "cached": totals.cached_tokens,
    }


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


def _moment(at: float | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")
