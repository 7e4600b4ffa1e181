from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from ledger_parts import (
    UNPRICED,
    asked_again,
    failed,
    item,
    ledger_of,
    retried,
    settle,
    succeeded,
    usage,
)

from processor.errors import LedgerError
from processor.exports import stats
from processor.watch import snapshot

# The names that scripts rely on, from the documentation of a run folder.
NAMES = {
    "run_id", "task", "model", "provider", "total", "succeeded", "failed", "pending",
    "success_rate", "error_rate", "started_at", "finished_at", "elapsed_s", "throughput_per_s",
    "latency_ms", "requests_sent", "retries", "rate_limited", "tokens", "cost_usd", "errors",
    "checks", "lanes", "chunks", "stages_s", "cpu_s", "peak_rss_mb", "bytes_sent",
    "bytes_received", "reconciled", "format",
}  # fmt: skip


def written(folder: Path, *, reconciled: bool | None = True) -> dict[str, Any]:
    path = stats.write(snapshot.take(folder), reconciled=reconciled)
    assert path == folder / "conversion_stats.json"
    content: dict[str, Any] = orjson.loads(path.read_bytes())
    return content


def test_every_promised_name_is_there_from_the_first_moment(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 0):
        empty = written(tmp_path, reconciled=None)
    assert set(empty) >= NAMES
    assert set(empty["latency_ms"]) == {"mean", "p50", "p95", "p99", "max"}
    assert set(empty["latency_ms"].values()) == {None}
    assert set(empty["lanes"]) == {"direct", "batch"}
    assert empty["tokens"] == {"prompt": 0, "completion": 0, "cached": 0}
    assert (empty["success_rate"], empty["error_rate"]) == (None, None)
    assert (empty["cost_usd"], empty["reconciled"], empty["finished_at"]) == (0.0, None, None)


def test_the_figures_of_a_run(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 12) as ledger:
        settle(
            ledger.connection,
            retried(item(1), 1, code="rate_limited", status=429),
            asked_again(item(2), 1, paid=usage(10, 1)),
            succeeded(item(1), attempts=2, latency_ms=200.0, check="review"),
            succeeded(item(2), attempts=2, latency_ms=200.0),
            failed(item(3), lane="batch", latency_ms=200.0),
        )
        ledger.add_seconds("import", 1.5)
        ledger.add_seconds("import", 1.0)
        ledger.end_session(1, 2)
        told = written(tmp_path)
    assert {
        name: told[name]
        for name in ("format", "run_id", "task", "model", "provider", "total", "succeeded",
                     "failed", "pending", "requests_sent", "retries", "reasks", "rate_limited",
                     "tokens", "errors", "checks", "chunks", "stages_s", "reconciled")
    } == {
        "format": 1,
        "run_id": "r1",
        "task": "mathml",
        "model": "m",
        "provider": "openai",
        "total": 12,
        "succeeded": 2,
        "failed": 1,
        "pending": 9,
        "requests_sent": 5,
        "retries": 1,
        "reasks": 1,
        "rate_limited": 1,
        "tokens": {"prompt": 210, "completion": 41, "cached": 0},
        "errors": {"timeout": 1},
        "checks": {"review": 1, "verified": 1},
        "chunks": 2,
        "stages_s": {"import": 2.5},
        "reconciled": True,
    }  # fmt: skip
    assert told["success_rate"] == 2 / 3
    assert told["success_rate"] + told["error_rate"] == pytest.approx(1)
    assert told["cost_usd"] == round((210 + 4 * 41) / 1024, 8)
    assert told["latency_ms"] == dict.fromkeys(("mean", "p50", "p95", "p99", "max"), 200.0) | {
        name: pytest.approx(200, rel=0.025) for name in ("p50", "p95", "p99")
    }
    assert told["lanes"]["direct"]["succeeded"] == 2
    assert told["lanes"]["batch"]["failed"] == 1
    assert told["elapsed_s"] >= 0
    started, finished = (
        datetime.fromisoformat(told[name]) for name in ("started_at", "finished_at")
    )
    assert started.utcoffset() == finished.utcoffset()
    assert started <= finished


def test_an_unknown_cost_is_null_in_its_lane_and_in_all(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 2) as ledger:
        settle(
            ledger.connection,
            succeeded(item(1)),
            succeeded(item(2), lane="batch", model=UNPRICED),
        )
        told = written(tmp_path)
    assert told["cost_usd"] is None
    assert told["lanes"]["batch"]["cost_usd"] is None
    assert told["lanes"]["direct"]["cost_usd"] == round(180 / 1024, 8)
    assert told["tokens"]["prompt"] == 200


def test_a_file_that_cannot_be_written_is_an_error_of_the_disk(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 1):
        (tmp_path / "conversion_stats.json").mkdir()
        with pytest.raises(LedgerError, match=r"conversion_stats\.json.*Free the disk"):
            stats.write(snapshot.take(tmp_path), reconciled=None)
    assert not list(tmp_path.glob(".*.tmp"))
