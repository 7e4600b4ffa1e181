"""Rows that changed or went away since they were imported."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from ledger_parts import Table, failed, rules, settle, shard, succeeded

from processor import jsontext
from processor.items import Item
from processor.ledger import shards
from processor.ledger.intake import Intake
from processor.ledger.ledger import Ledger, open_ledger
from processor.watch import snapshot

ROWS = [{"id": n, "text": f"text {n}", "seen": "monday"} for n in range(1, 7)]


def take(ledger: Ledger, rows: list[dict[str, Any]], **given: Any) -> Intake:
    return ledger.take_in(Table(rows), rules(chunk_size=3, **given))


def with_row(number: int, **changed: Any) -> list[dict[str, Any]]:
    return [{**row, **changed} if row["id"] == number else row for row in ROWS]


def answered(ledger: Ledger) -> None:
    """All but the last two: three successes, a failure."""
    settle(
        ledger.connection,
        *(succeeded(Item(seq=n, chunk=1, id=n, fields={})) for n in (1, 2, 3)),
        failed(Item(seq=4, chunk=2, id=4, fields={}), code="refused", retryable=False),
    )


def fields(ledger: Ledger, seq: int) -> str:
    (text,) = ledger.connection.execute("SELECT fields FROM items WHERE seq = ?", (seq,)).fetchone()
    return str(text)


def pending(ledger: Ledger) -> list[int]:
    return [one.item.seq for one in ledger.pending()]


def same_text(before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    return bool(before["text"] != now["text"])


@pytest.mark.parametrize("number", [2, 4])
def test_a_changed_row_keeps_its_outcome_until_it_is_updated(tmp_path: Path, number: int) -> None:
    with open_ledger(tmp_path) as ledger:
        take(ledger, ROWS)
        answered(ledger)
        told = take(ledger, with_row(number, text="new")).changes
        assert (told.changed, told.redone, told.changed_ids) == (1, 0, (str(number),))
        assert "new" not in fields(ledger, number)
        assert pending(ledger) == [5, 6]
        told = take(ledger, with_row(number, text="new"), update=True).changes
        assert (told.changed, told.redone) == (1, 1)
        assert "new" in fields(ledger, number)
        assert pending(ledger) == [number, 5, 6]
        shot = snapshot.take(tmp_path)
        assert (shot.succeeded, shot.failed, shot.pending) == (
            (2, 1, 3) if number == 2 else (3, 0, 3)
        )
        assert sum(shot.checks.values()) == shot.succeeded
        assert shot.errors == ({"refused": 1} if number == 2 else {})
        assert shot.chunks_complete == (0 if number == 2 else 1)
        assert shot.overall.requests_sent == 4  # what was paid stays counted


def test_a_row_without_an_outcome_takes_what_is_new_at_once(tmp_path: Path) -> None:
    with open_ledger(tmp_path) as ledger:
        take(ledger, ROWS)
        answered(ledger)
        assert take(ledger, with_row(5, text="new")).changes.changed == 0
        assert "new" in fields(ledger, 5)


@pytest.mark.parametrize("update", [False, True])
def test_a_row_that_is_in_a_shard_keeps_what_was_asked(tmp_path: Path, update: bool) -> None:
    with open_ledger(tmp_path) as ledger:
        take(ledger, ROWS)
        answered(ledger)
        shards.add(ledger.connection, shard(number=1, items=1), [5])
        told = take(ledger, with_row(5, text="new"), update=update).changes
        assert (told.changed, told.redone, told.changed_ids) == (1, 0, ("5",))
        assert "new" not in fields(ledger, 5)
        assert pending(ledger) == [6]
        settle(ledger.connection, succeeded(Item(seq=5, chunk=2, id=5, fields={})))
        shards.answered(ledger.connection, [5])
        assert take(ledger, with_row(5, text="new"), update=True).changes.redone == 1
        assert "new" in fields(ledger, 5)


def test_a_change_that_asks_for_nothing_else_is_taken_without_asking(tmp_path: Path) -> None:
    with open_ledger(tmp_path) as ledger:
        take(ledger, ROWS)
        answered(ledger)
        told = take(ledger, with_row(1, seen="tuesday"), differs=same_text).changes
        assert told.changed == 0
        assert "tuesday" in fields(ledger, 1)
        assert pending(ledger) == [5, 6]


def test_columns_in_another_order_are_no_change(tmp_path: Path) -> None:
    with open_ledger(tmp_path) as ledger:
        take(ledger, ROWS)
        answered(ledger)
        turned = [dict(reversed(row.items())) for row in ROWS]
        assert take(ledger, turned, update=True).changes.changed == 0
        assert pending(ledger) == [5, 6]


def test_rows_that_are_gone_are_told_and_keep_their_results(tmp_path: Path) -> None:
    with open_ledger(tmp_path) as ledger:
        take(ledger, ROWS)
        answered(ledger)
        intake = take(ledger, [*ROWS[:1], *ROWS[5:], {"id": 9, "text": "x", "seen": "y"}])
        assert (intake.added, intake.changes.gone) == (1, 4)
        assert intake.changes.gone_ids == ("2", "3", "4")
        assert ledger.counts().total == 7


def test_another_source_tells_nothing_of_the_first(tmp_path: Path) -> None:
    with open_ledger(tmp_path) as ledger:
        take(ledger, ROWS)
        answered(ledger)
        other = Table([{"id": 1, "text": "else", "seen": "z"}], uri="other")
        changes = ledger.take_in(other, rules(update=True)).changes
        assert (changes.changed, changes.gone) == (0, 0)
        assert "else" not in fields(ledger, 1)


def test_a_row_whose_id_another_source_s_row_has_is_told(tmp_path: Path) -> None:
    """February's file may begin with 1 again, and none of its rows would be asked."""
    february = [{"id": n, "text": f"february {n}", "seen": "today"} for n in (1, 2, 3, 5)]
    rows: list[dict[str, Any]] = [
        *february,
        ROWS[3],
        {**ROWS[5], "seen": "today"},
        {"id": 7, "text": "new", "seen": ""},
    ]
    with open_ledger(tmp_path) as ledger:
        take(ledger, ROWS)
        intake = ledger.take_in(Table(rows, uri="february"), rules(differs=same_text))
        assert (intake.added, intake.changes.taken) == (1, 4)
        assert intake.changes.taken_ids == ["1", "2", "3"]
        assert fields(ledger, 1) == jsontext.dumps(ROWS[0])


def test_chunks_are_told_before_their_files_are_outdated(tmp_path: Path) -> None:
    told: list[list[int]] = []
    with open_ledger(tmp_path) as ledger:
        take(ledger, ROWS)
        answered(ledger)
        take(
            ledger,
            with_row(4, text="new"),
            update=True,
            outdated=lambda numbers: told.append(list(numbers)),
        )
    assert told == [[2]]
