import math
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st
from ledger_parts import (
    UNPRICED,
    failed,
    item,
    ledger_of,
    numbered,
    rules,
    settle,
    succeeded,
)

from processor.ledger import histogram
from processor.watch import snapshot

SHARES = (0.5, 0.95, 0.99)


def exact(latencies_ms: list[float], share: float) -> float:
    """The nearest rank."""
    rank = math.ceil(round(share * len(latencies_ms), 9))
    return sorted(latencies_ms)[max(rank, 1) - 1]


@settings(max_examples=200)
@given(st.lists(st.floats(0.001, 1e7), min_size=1, max_size=200), st.sampled_from(SHARES))
def test_percentiles_are_within_two_and_a_half_percent(
    latencies_ms: list[float], share: float
) -> None:
    counts: dict[int, int] = {}
    for latency_ms in latencies_ms:
        number = histogram.bucket(latency_ms)
        counts[number] = counts.get(number, 0) + 1
    assert histogram.percentile(counts, share) == pytest.approx(
        exact(latencies_ms, share), rel=0.025
    )


@pytest.mark.parametrize("latency_ms", [0.0, -1.0, 1e-9])
def test_no_time_at_all_is_the_smallest(latency_ms: float) -> None:
    assert histogram.bucket(latency_ms) == histogram.bucket(0.001)


def test_without_calls_there_is_no_percentile() -> None:
    assert histogram.percentile({}, 0.5) is None


def test_the_latencies_of_a_run(tmp_path: Path) -> None:
    latencies_ms = [1.7**n for n in range(20)]
    with ledger_of(tmp_path, 20) as ledger:
        settle(
            ledger.connection,
            *(succeeded(item(n + 1), latency_ms=ms) for n, ms in enumerate(latencies_ms)),
        )
        found = snapshot.take(tmp_path).latency_ms
    assert found.mean == pytest.approx(sum(latencies_ms) / 20)
    assert found.max == max(latencies_ms)
    for share, value in zip(SHARES, (found.p50, found.p95, found.p99), strict=True):
        assert value == pytest.approx(exact(latencies_ms, share), rel=0.025)
        assert value is not None
        assert value <= found.max


def test_a_run_that_has_not_begun(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 0):
        shot = snapshot.take(tmp_path)
    assert (shot.total, shot.finished, shot.pending) == (0, 0, 0)
    assert (shot.success_rate, shot.error_rate, shot.throughput_per_s) == (None, None, None)
    assert shot.latency_ms.max is None
    assert shot.session is not None
    assert shot.session.exit_code is None
    assert shot.finished_at is None


def test_an_unknown_cost_stays_unknown(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 3) as ledger:
        settle(ledger.connection, succeeded(item(1)))
        assert snapshot.take(tmp_path).overall.cost_usd == 180 / 1024
        settle(ledger.connection, succeeded(item(2), model=UNPRICED))
        assert snapshot.take(tmp_path).overall.cost_usd is None
        settle(ledger.connection, succeeded(item(3)))
        shot = snapshot.take(tmp_path)
    assert shot.overall.cost_usd is None
    assert shot.lanes["batch"].cost_usd == 0.0


def test_a_call_that_was_not_answered_costs_nothing(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 1) as ledger:
        settle(ledger.connection, failed(item(1), answered=False))
        assert snapshot.take(tmp_path).overall.cost_usd == 0.0


def test_errors_are_told_the_most_frequent_first(tmp_path: Path) -> None:
    codes = ["dns", "timeout", "timeout", "auth", "dns", "timeout"]
    with ledger_of(tmp_path, 6) as ledger:
        settle(
            ledger.connection,
            *(failed(item(n), code=code) for n, code in enumerate(codes, 1)),
        )
        found = snapshot.take(tmp_path).errors
    assert list(found.items()) == [("timeout", 3), ("dns", 2), ("auth", 1)]


def test_sessions_add_up(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 1) as ledger:
        second = ledger.start_session({"provider": "openai"})
        ledger.end_session(second, 2)
        ledger.connection.execute(
            "UPDATE sessions SET started_at = 100 * number, seen_at = 100 * number + 5, "
            "cpu_s = 2, peak_rss_mb = 10 * number, bytes_sent = 3, bytes_received = 4"
        )
        shot = snapshot.take(tmp_path)
    assert (shot.started_at, shot.finished_at, shot.elapsed_s) == (100.0, 205.0, 10.0)
    assert (shot.cpu_s, shot.peak_rss_mb) == (4.0, 20.0)
    assert (shot.bytes_sent, shot.bytes_received) == (6, 8)
    assert shot.session is not None
    assert (shot.session.exit_code, shot.session.started_at) == (2, 200.0)


@pytest.mark.parametrize(
    ("limits", "least_s"),
    [
        ({}, 0.0),
        ({"rpm": None, "tpm": None}, 0.0),
        ({"rpm": 60}, 8.0),
        ({"tpm": 480}, 8 * 120 / 8),  # an item took 120 tokens
        ({"rpm": 2, "tpm": 480}, 240.0),
    ],
)
def test_limits_that_were_set_bound_how_soon_it_may_end(
    tmp_path: Path, limits: dict[str, int | None], least_s: float
) -> None:
    with ledger_of(tmp_path, 10) as ledger:
        settle(ledger.connection, *(succeeded(item(n)) for n in (1, 2)))
        ledger.start_session({"provider": "openai", **limits})
        assert snapshot.take(tmp_path).pending_least_s == pytest.approx(least_s)


def test_skipped_rows_are_counted(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 2) as ledger:
        table = numbered(4)
        table.content = [{"id": 9}, {"id": None}, {"id": ""}]
        ledger.take_in(table, rules(skip_invalid=True))
        shot = snapshot.take(tmp_path)
    assert (shot.total, shot.skipped) == (3, 2)


def test_every_look_beside_a_writer_is_of_one_moment(tmp_path: Path) -> None:
    """Every commit fills a chunk, so tables that are read one after the other must agree."""
    done = threading.Event()

    def watch() -> tuple[int, list[snapshot.Snapshot]]:
        looks, torn = 0, []
        while not done.is_set():
            shot = snapshot.take(tmp_path)
            looks += 1
            if shot.finished != 10 * shot.chunks_complete or shot.pending < 0:
                torn.append(shot)
        return looks, torn

    with ledger_of(tmp_path, 4_000) as ledger, ThreadPoolExecutor(1) as pool:
        watching = pool.submit(watch)
        try:
            for first in range(1, 4_001, 10):
                settle(ledger.connection, *(succeeded(item(n)) for n in range(first, first + 10)))
        finally:
            done.set()
        looks, torn = watching.result()
        assert snapshot.take(tmp_path).succeeded == 4_000
    assert looks > 0
    assert torn == []
