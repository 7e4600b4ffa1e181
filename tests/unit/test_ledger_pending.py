import gc
import sqlite3
from pathlib import Path

import pytest
from ledger_parts import asked_again, failed, item, ledger_of, retried, settle, succeeded

from processor.errors import LedgerError
from processor.ledger import pending


def seqs(path: Path, most: int | None = None) -> list[int]:
    return [one.item.seq for one in pending.read(path, most)]


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
