import os
import shutil
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest
from ledger_parts import Table, item, ledger_of, numbered, rules, settle, succeeded

from processor.errors import LedgerError, UsageError
from processor.ledger import database
from processor.ledger.ledger import discard_if_empty, open_ledger
from processor.ledger.schema import SCHEMA_VERSION
from processor.watch import snapshot


def refusal(folder: Path) -> LedgerError:
    """Why a ledger is refused; whoever asks, and that its bytes stay as they are."""
    path = folder / "ledger.sqlite"
    before = path.read_bytes()
    for look in (lambda: open_ledger(folder).__enter__(), lambda: snapshot.take(folder)):
        with pytest.raises(LedgerError) as caught:
            look()
        assert str(path) in str(caught.value)
        assert caught.value.exit_code == 5
    assert path.read_bytes() == before
    return caught.value


def test_its_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        with ledger_of(tmp_path, 3) as ledger:
            settle(ledger.connection, succeeded(item(1)))
            modes = {
                path.name: stat.S_IMODE(path.stat().st_mode)
                for path in tmp_path.glob("ledger.sqlite*")
            }
    finally:
        os.umask(before)
    assert modes == dict.fromkeys(
        ["ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-shm"], 0o600
    )


def test_what_was_written_is_there_when_it_is_opened_again(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 3) as ledger:
        ledger.set_meta(task="mathml", run_id="r7")
        settle(ledger.connection, succeeded(item(2)))
    with open_ledger(tmp_path) as ledger:
        assert ledger.meta()["run_id"] == "r7"
        assert [one.item.seq for one in ledger.pending()] == [1, 3]
        assert [one.item.seq for one in ledger.pending(1)] == [1]


def test_every_commit_waits_for_the_disk(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 1) as ledger:
        execute = ledger.connection.execute
        assert execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert execute("PRAGMA synchronous").fetchone() == (2,)


def test_what_is_left_in_the_log_goes_into_the_ledger_before_anything_follows_it(
    tmp_path: Path,
) -> None:
    with ledger_of(tmp_path / "killed", 3) as ledger:
        settle(ledger.connection, succeeded(item(2)))
        shutil.copytree(ledger.folder, tmp_path / "left")
    with open_ledger(tmp_path / "left"):
        alone = tmp_path / "alone.sqlite"
        shutil.copy(tmp_path / "left" / "ledger.sqlite", alone)
    with closing(sqlite3.connect(alone)) as connection:
        assert connection.execute("SELECT seq FROM outcomes").fetchall() == [(2,)]


def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 1) as ledger:
        ledger.connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    error = refusal(tmp_path)
    assert "was written by a newer processor" in str(error)
    assert "pip install --upgrade" in error.way_out


def test_rubbish_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ledger.sqlite").write_bytes(b"not a database at all" * 500)
    assert "--new" in refusal(tmp_path).way_out


@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.9])
def test_a_torn_ledger_is_refused(tmp_path: Path, share: float) -> None:
    with ledger_of(tmp_path, 500):
        pass
    path = tmp_path / "ledger.sqlite"
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    assert "--new" in refusal(tmp_path).way_out


@pytest.mark.parametrize("version", [0, 1])
def test_the_database_of_another_program_is_refused(tmp_path: Path, version: int) -> None:
    with closing(sqlite3.connect(tmp_path / "ledger.sqlite")) as connection:
        connection.execute("CREATE TABLE bookmarks (url TEXT)")
        connection.execute(f"PRAGMA user_version = {version}")
    assert "is not a ledger" in str(refusal(tmp_path))


def test_a_ledger_half_made_is_made_again(tmp_path: Path) -> None:
    (tmp_path / ".ledger.sqlite.new").write_bytes(b"killed here")
    with ledger_of(tmp_path, 1) as ledger:
        assert ledger.counts().total == 1
    assert not (tmp_path / ".ledger.sqlite.new").exists()


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("")
    with pytest.raises(UsageError, match=r"is no folder.*--out"), open_ledger(tmp_path / "run"):
        pass


def test_a_lock_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".lock").mkdir()
    with pytest.raises(LedgerError, match="--out"), open_ledger(tmp_path):
        pass


def test_without_a_ledger_there_is_nothing_to_read(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="there is no ledger"):
        snapshot.take(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_says_so_and_takes_nothing(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 1) as ledger:
        (pages,) = ledger.connection.execute("PRAGMA page_count").fetchone()
        ledger.connection.execute(f"PRAGMA max_page_count = {pages + 5}")
        with pytest.raises(LedgerError, match="Free some space"):
            ledger.take_in(numbered(10_000), rules())
        assert ledger.counts().total == 1
        ledger.connection.execute("PRAGMA max_page_count = 1000000")
        assert ledger.take_in(numbered(10_000), rules()).added == 9_999


def test_a_ledger_that_another_program_keeps_is_no_fault_of_the_disk(tmp_path: Path) -> None:
    with (
        ledger_of(tmp_path, 1) as ledger,
        closing(sqlite3.connect(ledger.path, isolation_level=None)) as other,
    ):
        other.execute("BEGIN IMMEDIATE")
        ledger.connection.execute("PRAGMA busy_timeout = 1")
        with pytest.raises(LedgerError, match="Close the program"):
            ledger.set_meta(task="t")


def test_a_failed_transaction_leaves_none_open(tmp_path: Path) -> None:
    def spoil(connection: sqlite3.Connection) -> None:
        with database.transaction(connection):
            connection.execute("DELETE FROM chunks")
            connection.execute("INSERT INTO items SELECT * FROM items")

    with ledger_of(tmp_path, 1) as ledger:
        with pytest.raises(sqlite3.IntegrityError):
            spoil(ledger.connection)
        assert not ledger.connection.in_transaction
        assert ledger.connection.execute("SELECT COUNT(*) FROM chunks").fetchone() == (1,)


def test_the_write_ahead_log_shrinks_after_an_import(tmp_path: Path) -> None:
    log = tmp_path / "ledger.sqlite-wal"
    with ledger_of(tmp_path, 0) as ledger:
        wide = [{"id": n, "text": str(n) * 2_000} for n in range(2_000)]
        ledger.take_in(Table(wide), rules())
        assert log.stat().st_size > 12e6
        ledger.set_meta(run_id="r2")  # begins the log anew
        assert log.stat().st_size < 9e6


class TestDiscard:
    def test_an_empty_run_is_removed_whole(self, tmp_path: Path) -> None:
        with ledger_of(tmp_path / "run", 0):
            pass
        discard_if_empty(tmp_path / "run")
        assert list(tmp_path.iterdir()) == []

    def test_files_of_others_stay(self, tmp_path: Path) -> None:
        with ledger_of(tmp_path, 0):
            pass
        (tmp_path / "notes.txt").write_text("mine")
        discard_if_empty(tmp_path)
        assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]

    def test_a_run_with_items_stays(self, tmp_path: Path) -> None:
        with ledger_of(tmp_path, 1):
            pass
        discard_if_empty(tmp_path)
        assert (tmp_path / "ledger.sqlite").exists()

    def test_what_is_not_ours_stays(self, tmp_path: Path) -> None:
        (tmp_path / "ledger.sqlite").write_text("not ours")
        discard_if_empty(tmp_path)
        discard_if_empty(tmp_path / "nowhere")
        assert (tmp_path / "ledger.sqlite").read_text() == "not ours"

    def test_a_run_in_use_stays(self, tmp_path: Path) -> None:
        with ledger_of(tmp_path, 0):
            discard_if_empty(tmp_path)
            assert (tmp_path / "ledger.sqlite").exists()
