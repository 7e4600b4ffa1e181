"""From the ledger of an older version to today's."""

import os
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest
from ledger_parts import failed, item, ledger_of, settle, succeeded
from ledger_v1 import FAILED, ITEMS, SKIPPED, SUCCEEDED, V1, make

from processor.cli import main
from processor.errors import LedgerError
from processor.exports import reconciliation
from processor.ledger.ledger import open_ledger
from processor.ledger.migrate import STEPS, copy_of
from processor.ledger.schema import APPLICATION_ID, SCHEMA_VERSION, TABLES
from processor.watch import snapshot


def columns(connection: sqlite3.Connection) -> dict[str, list[tuple[object, ...]]]:
    tables = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
    return {
        name: [row[1:] for row in connection.execute(f"PRAGMA table_info({name})")]
        for (name,) in tables
    }


def test_there_is_a_step_from_every_older_version() -> None:
    assert list(STEPS) == list(range(1, SCHEMA_VERSION))


def test_it_has_the_tables_of_a_new_one(tmp_path: Path) -> None:
    make(tmp_path)
    with (
        open_ledger(tmp_path) as ledger,
        closing(sqlite3.connect(":memory:")) as fresh,
    ):
        fresh.executescript(TABLES)
        assert columns(ledger.connection) == columns(fresh)
        assert ledger.connection.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)


def test_it_keeps_what_it_knew_and_goes_on(tmp_path: Path) -> None:
    make(tmp_path)
    with open_ledger(tmp_path) as ledger:
        counts = ledger.counts()
        assert (counts.total, counts.succeeded, counts.failed) == (ITEMS, SUCCEEDED, FAILED)
        shot = snapshot.take(tmp_path)
        assert (shot.total, shot.succeeded, shot.failed) == (ITEMS, SUCCEEDED, FAILED)
        assert (shot.skipped, shot.chunks, shot.chunks_complete) == (SKIPPED, 3, 2)
        assert (shot.overall.requests_sent, shot.errors) == (21, {"timeout": 1})
        assert shot.session is not None
        assert (shot.session.exit_code, shot.elapsed_s) == (130, 60)
        assert [one.item.id for one in ledger.pending()] == [22, 23, 24, 25]
        assert ledger.requeue() == 1
        rest = [item(seq) for seq in (12, 22, 23, 24, 25)]
        settle(ledger.connection, *(succeeded(one, attempts=2) for one in rest))
        shot = snapshot.take(tmp_path)
        assert (shot.succeeded, shot.chunks_complete) == (ITEMS, 3)


def test_a_copy_of_the_old_one_is_kept_with_all_that_was_committed(tmp_path: Path) -> None:
    """Also what stood in the write-ahead log only; for its owner alone."""
    before = os.umask(0)
    try:
        path = make(tmp_path)
        with open_ledger(tmp_path):
            pass
    finally:
        os.umask(before)
    copy = copy_of(path, 1)
    assert copy.name == "ledger.sqlite.v1"
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)
        assert connection.execute("SELECT COUNT(*) FROM outcomes").fetchone() == (21,)
        assert connection.execute("SELECT exit_code, ended_at FROM sessions").fetchall() == [
            (130, 1.8e9 + 60)
        ]


def test_the_copy_can_be_put_back(tmp_path: Path) -> None:
    path = make(tmp_path)
    with open_ledger(tmp_path):
        pass
    copy_of(path, 1).replace(path)
    with open_ledger(tmp_path) as ledger:
        assert ledger.counts().succeeded == SUCCEEDED


def test_the_copy_of_an_earlier_start_that_was_killed_is_replaced(tmp_path: Path) -> None:
    path = make(tmp_path)
    copy_of(path, 1).write_bytes(b"older")
    path.with_name(f".{copy_of(path, 1).name}.tmp").write_bytes(b"half a copy")
    with open_ledger(tmp_path):
        pass
    with closing(sqlite3.connect(copy_of(path, 1))) as connection:
        assert connection.execute("SELECT COUNT(*) FROM outcomes").fetchone() == (21,)
    assert sorted(one.name for one in tmp_path.iterdir()) == [
        ".lock",
        "ledger.sqlite",
        "ledger.sqlite.v1",
    ]


def test_once_is_enough(tmp_path: Path) -> None:
    path = make(tmp_path)
    for _ in range(2):
        with open_ledger(tmp_path):
            pass
        copy_of(path, 1).unlink(missing_ok=True)
    with open_ledger(tmp_path):
        assert not copy_of(path, 1).exists()


def test_a_copy_that_cannot_be_made_leaves_the_ledger_as_it_was(tmp_path: Path) -> None:
    path = make(tmp_path)
    copy_of(path, 1).mkdir()
    with pytest.raises(LedgerError, match=r"ledger\.sqlite") as caught:
        open_ledger(tmp_path).__enter__()
    assert caught.value.exit_code == 5
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)
        assert connection.execute("SELECT COUNT(*) FROM outcomes").fetchone() == (21,)
    copy_of(path, 1).rmdir()
    with open_ledger(tmp_path) as ledger:
        assert ledger.counts().total == ITEMS


def test_a_step_that_fails_leaves_the_ledger_as_it_was(tmp_path: Path) -> None:
    """Here a table in which one of the columns to drop is not there."""
    path = make(tmp_path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("ALTER TABLE sessions DROP COLUMN ended_at")
    with pytest.raises(LedgerError, match="ended_at"):
        open_ledger(tmp_path).__enter__()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)
        assert "rows_read" in str(columns(connection)["sources"])
        counted = connection.execute("SELECT COUNT(*) FROM counters WHERE name = 'chunks'")
        assert counted.fetchone() == (0,)


def test_who_only_looks_is_told_how_it_is_migrated(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = make(tmp_path)
    before = path.read_bytes()
    with pytest.raises(SystemExit) as ended:
        main(["status", str(tmp_path)])
    assert ended.value.code == 5
    told = capsys.readouterr().err
    assert "older processor (schema 1" in told
    assert "the command once that began the run" in told
    assert path.read_bytes() == before
    assert not copy_of(path, 1).exists()


def test_retry_migrates(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(["retry", str(tmp_path)])
    assert ended.value.code == 0
    assert "1 item is pending again" in capsys.readouterr().out


@pytest.mark.parametrize("version", [-1, 0])
def test_a_version_that_never_was_is_no_ledger(tmp_path: Path, version: int) -> None:
    with closing(sqlite3.connect(tmp_path / "ledger.sqlite")) as connection:
        connection.executescript(
            f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {version}; {V1}"
        )
    with pytest.raises(LedgerError, match="is not a ledger"):
        open_ledger(tmp_path).__enter__()


def test_the_counters_are_those_of_a_full_count(tmp_path: Path) -> None:
    with ledger_of(tmp_path, ITEMS) as ledger:
        assert (snapshot.take(tmp_path).chunks, snapshot.take(tmp_path).chunks_complete) == (3, 0)
        settle(ledger.connection, *(succeeded(item(seq)) for seq in range(1, 15)))
        settle(ledger.connection, *(failed(item(seq)) for seq in range(15, 21)))
        assert snapshot.take(tmp_path).chunks_complete == 2
        ledger.requeue()
        assert snapshot.take(tmp_path).chunks_complete == 1
        found = reconciliation.differences(ledger.connection, tmp_path, snapshot.take(tmp_path))
        assert found == ["conversion_results_batch_001.json does not hold what the ledger says"]
        ledger.connection.execute("UPDATE counters SET value = 7 WHERE name LIKE 'chunks%'")
        found = reconciliation.differences(ledger.connection, tmp_path, snapshot.take(tmp_path))
        assert found[:2] == [
            "the ledger holds 3 chunks, its figures say 7",
            "the ledger holds 1 complete chunks, its figures say 7",
        ]
