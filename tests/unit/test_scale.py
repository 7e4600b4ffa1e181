"""What must not grow with the number of items, nor with those who look on."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from callless_run import Numbers
from ledger_parts import failed, item, ledger_of, retried, rules, settle, succeeded

from processor.ledger import database, results
from processor.ledger.ledger import Ledger
from processor.watch import look, snapshot
from processor.watch.items import Wanted, find

_RUN = Path(__file__).with_name("callless_run.py")
_KEPT_BYTES = 9e6
_ROUNDS = 60


def peak_mb(folder: Path, items: int) -> float:
    done = subprocess.run(
        [sys.executable, str(_RUN), str(folder), str(items)],
        check=True,
        capture_output=True,
        text=True,
    )
    return float(done.stdout)


def test_memory_is_the_same_for_four_times_the_items(tmp_path: Path) -> None:
    small_mb = peak_mb(tmp_path / "small", 10_000)
    large_mb = peak_mb(tmp_path / "large", 40_000)
    print(f"peak {small_mb:.1f} MB, {large_mb:.1f} MB")
    assert large_mb <= 1.2 * small_mb


@contextmanager
def growing(folder: Path) -> Iterator[tuple[Ledger, Iterator[float]]]:
    """A ledger, and rounds of outcomes; each gives the size of the write-ahead log in bytes.

    All rounds together write several times what the log may hold.
    """
    log = folder / f"{database.LEDGER_NAME}-wal"

    def rounds() -> Iterator[float]:
        for number in range(_ROUNDS):
            first = number * 100 + 1
            settle(
                ledger.connection,
                *(succeeded(item(seq), result="x" * 4_000) for seq in range(first, first + 100)),
            )
            yield log.stat().st_size

    with ledger_of(folder, 0) as ledger:
        ledger.take_in(Numbers(_ROUNDS * 100), rules())
        yield ledger, rounds()


def test_readers_that_come_and_go_do_not_make_the_log_grow(tmp_path: Path) -> None:
    with growing(tmp_path) as (ledger, rounds):
        for number, size in enumerate(rounds, 1):
            assert size < _KEPT_BYTES
            assert snapshot.take(tmp_path).finished == number * 100
            with database.reading(ledger.path) as connection:
                assert len(results.of_chunk(connection, number)) == 10
            assert find(ledger.path, Wanted(text=f"text {number * 100}")).items


def test_the_reader_of_pending_items_does_not_make_the_log_grow(tmp_path: Path) -> None:
    with growing(tmp_path) as (ledger, rounds):
        pending = ledger.pending()
        for number, size in enumerate(rounds, 1):
            assert size < _KEPT_BYTES
            if number == 1:
                assert next(pending).item.seq == 101  # and there it stays, in the middle


def test_a_reader_that_stays_makes_the_log_grow_while_it_stays(tmp_path: Path) -> None:
    with growing(tmp_path) as (ledger, rounds):
        next(rounds)
        with database.reading(ledger.path) as connection:
            connection.execute("BEGIN")
            before = connection.execute("SELECT COUNT(*) FROM outcomes").fetchone()
            grown = [next(rounds) for _ in range(40)][-1]
            assert connection.execute("SELECT COUNT(*) FROM outcomes").fetchone() == before
        assert grown > 1.5 * _KEPT_BYTES
        next(rounds)  # copies what it held back
        next(rounds)  # begins anew
        assert next(rounds) < _KEPT_BYTES


def steps_of_a_look(folder: Path, items: int) -> int:
    """How many steps SQLite takes for a look at a run that is nearly done; no clock is as exact."""
    steps = 0

    def count() -> None:
        nonlocal steps
        steps += 1

    with ledger_of(folder, items) as ledger:
        done = range(1, items - 15)
        outcomes = [failed(item(seq)) if seq % 7 == 0 else succeeded(item(seq)) for seq in done]
        settle(ledger.connection, *(retried(item(seq), 1) for seq in done if seq % 5 == 0))
        settle(ledger.connection, *outcomes)
        with database.reading(ledger.path) as connection:
            connection.set_progress_handler(count, 1)
            assert look.read(folder, connection).shot.finished == len(done)
    return steps


def test_a_look_takes_as_many_steps_however_many_items_there_are(tmp_path: Path) -> None:
    small = steps_of_a_look(tmp_path / "small", 1_000)
    assert steps_of_a_look(tmp_path / "large", 8_000) <= 1.05 * small
