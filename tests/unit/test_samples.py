"""Figures over time: how many are kept, and what points are made of them."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st
from ledger_parts import failed, item, ledger_of, price, settle, succeeded, vitals

from processor.ledger import database, samples
from processor.ledger.gauges import Gauges
from processor.ledger.ledger import Ledger, open_ledger
from processor.ledger.requeue import requeue
from processor.ledger.samples import MOST, Sampler
from processor.ledger.schema import TABLES
from processor.ledger.writer import Writer
from processor.watch import trend
from processor.watch.trend import Point


def take(ledger: Ledger, sampler: Sampler, at: float, **told: Any) -> None:
    with database.transaction(ledger.connection):
        sampler.take(ledger.connection, Gauges(at=at, **told), vitals())


def points(ledger: Ledger, after: int = 0) -> list[Point]:
    return trend.points(ledger.connection, after)


def count(ledger: Ledger) -> int:
    return int(ledger.connection.execute("SELECT COUNT(*) FROM samples").fetchone()[0])


def paced(ledger: Ledger, session: int, first_s: float, seconds: float) -> Iterator[int]:
    """Samples as a start takes them that looks every second; how many there are after each."""
    sampler = Sampler(ledger.connection, session)
    with database.transaction(ledger.connection):
        for second in range(int(seconds)):
            if sampler.is_due(second):
                sampler.wait(second)
                sampler.take(ledger.connection, Gauges(at=first_s + second), vitals())
                yield count(ledger)


def gaps(ledger: Ledger, session: int) -> set[float]:
    found = ledger.connection.execute(
        "SELECT at FROM samples WHERE session = ? ORDER BY number", (session,)
    ).fetchall()
    times = [at for (at,) in found]
    return {later - sooner for sooner, later in pairwise(times)}


def test_many_starts_keep_so_many_samples_at_most(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 1) as ledger:
        assert max(paced(ledger, 1, 0.0, 3_000)) < MOST
        assert gaps(ledger, 1) == {1.0, 2.0}  # one was on its way
        session = ledger.start_session({})
        assert max(paced(ledger, session, 1e5, 2_000)) < MOST
        assert min(gaps(ledger, session)) >= 2.0  # no finer than what was thinned before
        found = points(ledger)
        assert MOST // 2 <= len(found) < MOST
        assert (
            found[-1].at == ledger.connection.execute("SELECT MAX(at) FROM samples").fetchone()[0]
        )
        assert [point.number for point in found] == sorted(point.number for point in found)


def test_hours_of_sleep_make_later_samples_no_rarer(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 1) as ledger:
        assert [*paced(ledger, 1, 0.0, MOST // 2 + 1)]
        sleeps = "UPDATE samples SET at = at + 1e6 WHERE number > 500"
        ledger.connection.execute(sleeps)
        session = ledger.start_session({})
        assert [*paced(ledger, session, 2e6, 10)]
        assert gaps(ledger, session) == {1.0}


def test_a_short_start_is_sampled_every_second(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 1) as ledger:
        assert list(paced(ledger, 1, 0.0, 50)) == list(range(1, 51))
        session = ledger.start_session({})
        assert len(list(paced(ledger, session, 1e5, 50))) == 50
        assert gaps(ledger, session) == {1.0}


def test_the_first_point_of_each_start_has_no_length(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 4) as ledger:
        sampler = Sampler(ledger.connection, 1)
        take(ledger, sampler, 100.0)
        settle(ledger.connection, succeeded(item(1)), succeeded(item(2)))
        take(ledger, sampler, 102.0, in_flight=3, window=8)
        session = ledger.start_session({})
        take(ledger, Sampler(ledger.connection, session), 900.0)
        first, second, third = points(ledger)
        assert (first.span_s, first.per_s, first.finished) == (0.0, 0.0, 0)
        assert (second.span_s, second.per_s, second.finished) == (2.0, 1.0, 2)
        assert (second.in_flight, second.window) == (3, 8)
        assert second.p50_ms == pytest.approx(100.0, rel=0.03)
        assert (third.span_s, third.per_s, third.sent_per_s, third.cpu) == (0.0, 0.0, 0.0, 0.0)
        assert third.p50_ms is None


def test_no_rate_is_negative_when_items_are_pending_again(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 4) as ledger:
        sampler = Sampler(ledger.connection, 1)
        settle(ledger.connection, succeeded(item(1)), failed(item(2)), failed(item(3)))
        take(ledger, sampler, 1.0)
        with database.transaction(ledger.connection):
            requeue(ledger.connection, None)
        settle(ledger.connection, succeeded(item(4)))
        take(ledger, sampler, 2.0)
        last = points(ledger)[-1]
        assert (last.finished, last.failed) == (2, 0)
        assert (last.per_s, last.failed_per_s) == (1.0, 0.0)


def test_a_clock_that_is_put_back_makes_no_stretch_of_less_than_nothing(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 2) as ledger:
        sampler = Sampler(ledger.connection, 1)
        take(ledger, sampler, 5_000.0)
        settle(ledger.connection, succeeded(item(1)))
        take(ledger, sampler, 1_400.0)
        settle(ledger.connection, succeeded(item(2)))
        take(ledger, sampler, 1_402.0)
        _, back, last = points(ledger)
        assert (back.span_s, back.per_s) == (0.0, 0.0)
        assert (last.span_s, last.per_s, last.finished) == (2.0, 0.5, 2)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 60), st.integers(0, 70))
def test_what_is_newer_than_a_point_goes_on_from_it(taken: int, after: int) -> None:
    """Also when the point itself is of a thinned past."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.executescript(TABLES)
        connection.execute(
            "INSERT INTO sessions (number, started_at, seen_at, pid, settings) "
            "VALUES (1, 0, 0, 1, '{}')"
        )
        sampler = Sampler(connection, 1)
        for second in range(taken):
            sampler.take(connection, Gauges(at=float(second)), vitals())
        connection.execute(samples._THIN)
        whole = trend.points(connection)
        newer = trend.points(connection, after)
        assert [p.number for p in newer] == [p.number for p in whole if p.number > after]
        for point in newer[1:] if after < whole[0].number else newer:
            assert point.span_s == 2.0


@contextmanager
def writer_of(ledger: Ledger) -> Iterator[Writer]:
    broken: list[BaseException] = []
    with ledger.writing(
        session=1,
        price=price,
        vitals=vitals,
        on_commit=lambda *_: None,
        on_failure=broken.append,
    ) as writer:
        yield writer
    assert not broken


def test_a_disk_that_stalls_makes_nobody_wait_and_leaves_one_sample(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 5) as ledger:
        other = sqlite3.connect(ledger.path, isolation_level=None)
        with closing(other), writer_of(ledger) as writer:
            writer.gauge(Gauges(at=1.0))
            writer.flush().result(10)
            other.execute("BEGIN IMMEDIATE")  # nobody else can write now
            begun_s, slowest_s = time.monotonic(), 0.0
            while time.monotonic() < begun_s + 2.5:
                called_s = time.monotonic()
                writer.gauge(Gauges(at=2.0 + called_s))
                slowest_s = max(slowest_s, time.monotonic() - called_s)
                threading.Event().wait(0.01)
            other.execute("ROLLBACK")
            writer.flush().result(10)
        assert slowest_s < 10.0  # who waits for the disk waits for half a minute
        assert count(ledger) <= 3


def test_the_last_sample_tells_of_the_end(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 5) as ledger:
        with writer_of(ledger) as writer:
            writer.gauge(Gauges(at=1.0))
            for seq in range(1, 6):
                writer.record(succeeded(item(seq)))
            writer.gauge(Gauges(at=2.0))
            writer.flush().result(10)
            writer.sample()
        assert points(ledger)[-1].finished == 5
    with open_ledger(tmp_path) as ledger:
        assert points(ledger)[-1].finished == 5
