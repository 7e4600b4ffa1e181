import gc
import sqlite3
from pathlib import Path

import pytest
from ledger_parts import (
    Table,
    asked_again,
    failed,
    item,
    ledger_of,
    retried,
    rules,
    settle,
    shard,
    succeeded,
)

from processor.errors import LedgerError
from processor.ledger import database, pending, shards
from processor.ledger.ledger import Ledger, open_ledger


def seqs(path: Path, most: int | None = None) -> list[int]:
    return [one.item.seq for one in pending.read(path, most)]


def hold(ledger: Ledger, *held: int) -> None:
    """Put items into a shard."""
    with database.transaction(ledger.connection):
        shards.add(ledger.connection, shard(number=1, items=len(held)), held)


def test_they_come_in_order_from_every_chunk_that_has_any(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 45) as ledger:
        done = [*range(1, 11), 14, *range(21, 31), 45]
        settle(ledger.connection, *(succeeded(item(seq)) for seq in done))
        left = [seq for seq in range(1, 46) if seq not in done]
        assert seqs(ledger.path) == left
        assert seqs(ledger.path, 3) == left[:3]
        assert seqs(ledger.path, 0) == []
        assert seqs(ledger.path, 999) == left


def test_a_large_chunk_is_read_in_slices_without_a_gap(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 2_500, chunk_size=2_400) as ledger:
        one = [found.item for found in ledger.pending()]
    assert [found.seq for found in one] == list(range(1, 2_501))
    assert [found.chunk for found in one] == [1] * 2_400 + [2] * 100


def test_what_was_tried_comes_with_them(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 3) as ledger:
        settle(
            ledger.connection,
            retried(item(1), 1),
            asked_again(item(2), 1, answer="a", problem="p"),
            retried(item(2), 2),
            asked_again(item(2), 3, answer="b", problem="q"),
        )
        found = {one.item.seq: (one.attempts, one.invalid) for one in ledger.pending()}
    assert found == {1: (1, ()), 2: (3, (("a", "p"), ("b", "q"))), 3: (0, ())}


def test_the_writer_may_go_on_meanwhile(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 30) as ledger:
        reader = ledger.pending()
        assert next(reader).item.seq == 1
        settle(ledger.connection, *(succeeded(item(seq)) for seq in range(11, 21)))
        assert [one.item.seq for one in reader] == [*range(2, 11), *range(21, 31)]


def test_a_reader_left_alone_closes_its_file(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 3) as ledger:
        reader = ledger.pending()
        next(reader)
        del reader
        gc.collect()
        settle(ledger.connection, failed(item(1)))
        assert ledger.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0


def test_a_ledger_that_breaks_is_told(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 3) as ledger:
        ledger.connection.execute("DROP TABLE attempts")
        with pytest.raises(LedgerError, match="no such table") as caught:
            seqs(ledger.path)
        assert isinstance(caught.value.__cause__, sqlite3.Error)


def test_chosen_ones_come_as_the_others_do(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 45) as ledger:
        settle(ledger.connection, succeeded(item(3)), retried(item(31), 1))
        hold(ledger, 4, 5)
        everything = {one.item.seq: one for one in ledger.pending()}
        found = list(pending.read_chosen(ledger.path, [2, 3, 4, 11, 31, 45, 46]))
    assert found == [everything[seq] for seq in (2, 11, 31, 45)]
    assert [one.attempts for one in found] == [0, 0, 1, 0]


def test_many_chosen_ones_are_read_in_slices(tmp_path: Path) -> None:
    chosen = list(range(1, 4_001, 2))
    with ledger_of(tmp_path, 4_000, chunk_size=300) as ledger:
        assert [one.item.seq for one in pending.read_chosen(ledger.path, chosen)] == chosen
        reader = pending.read_chosen(ledger.path, chosen)
        next(reader)
        settle(ledger.connection, succeeded(item(3)), succeeded(item(3_001)))
        later = {one.item.seq for one in reader}
    assert 3 in later  # it was read with the first
    assert 3_001 not in later


def test_the_first_ones_are_those_that_may_be_sent(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 20) as ledger:
        settle(ledger.connection, succeeded(item(1)))
        hold(ledger, 2, 7)
        last = pending.last_of(ledger.path, 5)
        assert last == 8
        assert pending.seqs_through(ledger.path, last) == [3, 4, 5, 6, 8]
        assert pending.last_of(ledger.path, 99) == 20
        assert pending.last_of(ledger.path, 0) == 0
        assert shards.pending_of(ledger.path, [1, 2, 3]) == (19, 2, 1)


def test_those_with_a_wanted_value_are_found(tmp_path: Path) -> None:
    values = [True, "yes", 1, None, "", {"a": 1}, [1], 1.0, "yes", "yes"]
    rows = [{"id": n, "now": value} for n, value in enumerate(values, start=1)]
    seen = []

    def wanted(value: object) -> bool:
        seen.append(value)
        return value in (1, "yes")

    with open_ledger(tmp_path) as ledger:
        ledger.take_in(Table([*rows, {"id": 11}]), rules())
        settle(ledger.connection, succeeded(item(2)))
        hold(ledger, 9)
        found = sorted(pending.seqs_where(ledger.path, "now", wanted, 9))
        assert list(pending.seqs_where(ledger.path, "no such", wanted, 99)) == []
    assert found == [1, 3, 8]
    assert set(seen) == {1, None, "", '{"a":1}', "[1]"}


def test_who_gets_an_outcome_after_a_slice_was_read_is_not_given(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 10) as ledger:
        called = {4, 7}
        found = pending.read(ledger.path, elsewhere=lambda: called)
        first = next(found).item.seq
        settle(ledger.connection, succeeded(item(4)))
        called.discard(4)
        assert [first, *(one.item.seq for one in found)] == [1, 2, 3, 5, 6, 8, 9, 10]


def test_of_some_items_those_are_free_that_may_be_sent(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 10) as ledger:
        settle(ledger.connection, succeeded(item(2)))
        hold(ledger, 5)
        assert pending.free(ledger.path, iter([9, 5, 2, 1])) == [1, 9]
