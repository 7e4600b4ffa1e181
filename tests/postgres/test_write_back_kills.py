"""Write-back under kills and outages: of ours and of the server's, at every place that counts."""

import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import psycopg
import pytest
from run_bench import Folder, folder_before

from postgres.cluster import Cluster, Database
from postgres.write_back import assert_same
from processor.sandbox_process import sandbox

TABLE = "greet_results"


@pytest.fixture(scope="module")
def sandbox_url() -> Iterator[str]:
    with sandbox(["--latency-ms", "30"]) as url:
        yield url


@pytest.fixture
def folder(tmp_path: Path, sandbox_url: str) -> Iterator[Folder]:
    with folder_before(sandbox_url, tmp_path, rows=400) as folder:
        yield folder


def count(database: Database) -> int:
    """Rows that are there; none while there is no table."""
    (exists,) = database.rows(f"SELECT to_regclass('{TABLE}') IS NOT NULL")[0]
    return int(database.rows(f"SELECT COUNT(*) FROM {TABLE}")[0][0]) if exists else 0


def holds(database: Database, least: int) -> bool:
    return count(database) >= least


def export(folder: Folder, database: Database) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "processor", "export", "out"),
            *("--output", database.uri, "--only", "all"),
        ],
        cwd=folder.path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    folder.started.append(process)
    return process


def options(database: Database, *more: str) -> tuple[str, ...]:
    return ("--output", database.uri, "--write", "all", "--concurrency", "10", *more)


def settled(folder: Folder) -> int:
    ((number,),) = folder.ledger("SELECT number FROM deliveries")
    return int(number)


def test_killed_while_results_arrive(folder: Folder, database: Database) -> None:
    """Whatever was on its way arrives, once."""
    for least in (30, 200):
        process = folder.start(*options(database))
        folder.wait_for(partial(holds, database, least))
        process.kill()
        process.communicate()
    code, _, told = folder.run(*options(database))
    assert code == 0, told
    folder.assert_whole(400)
    assert_same(database, TABLE, folder.path / "out")


def test_killed_between_the_commit_of_the_database_and_that_of_the_ledger(
    folder: Folder, database: Database
) -> None:
    folder.rows(30)
    assert folder.run(*options(database))[0] == 0
    database.execute(f"DELETE FROM {TABLE} WHERE id > 10")
    (oid,) = database.rows(f"SELECT '{TABLE}'::regclass::oid::int")[0]
    with (
        psycopg.connect(database.uri, autocommit=True) as gate,
        closing(sqlite3.connect(folder.path / "out/ledger.sqlite", timeout=30)) as ledger,
    ):
        gate.execute("SELECT pg_advisory_lock(%s, %s)", (0x70726F63, oid))
        process = export(folder, database)
        folder.wait_for(lambda: waits_for_advisory_lock(database))
        before = settled(folder)
        ledger.execute("BEGIN IMMEDIATE")  # it can commit there, and not here
        gate.execute("SELECT pg_advisory_unlock_all()")
        folder.wait_for(lambda: count(database) == 30)
        process.kill()
        process.communicate()
        ledger.rollback()
    assert settled(folder) == before
    code, _, told = folder.run(*options(database))
    assert code == 0, told
    assert settled(folder) > before
    assert_same(database, TABLE, folder.path / "out")


def waits_for_advisory_lock(database: Database) -> bool:
    return bool(database.rows("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"))


@pytest.mark.parametrize("whose", ["ours", "the server's"])
def test_killed_before_the_commit_of_the_database(
    folder: Folder, cluster: Cluster, database: Database, whose: str
) -> None:
    folder.rows(30)
    assert folder.run(*options(database))[0] == 0
    database.execute(f"DELETE FROM {TABLE} WHERE id > 10")
    with closing(psycopg.connect(database.uri)) as gate:
        gate.execute(f"LOCK TABLE {TABLE} IN EXCLUSIVE MODE")
        process = export(folder, database)
        folder.wait_for(lambda: waits_for_the_table(database))
        if whose == "ours":
            process.kill()
            process.communicate()
        else:
            cluster.break_off()
            _, told = process.communicate(timeout=60)
            assert process.returncode == 5, told
            cluster.start()
    assert count(database) == 10
    again = export(folder, database)
    again.communicate(timeout=60)
    assert again.returncode == 0
    assert_same(database, TABLE, folder.path / "out")


def waits_for_the_table(database: Database) -> bool:
    return bool(database.rows("SELECT 1 FROM pg_locks WHERE locktype = 'relation' AND NOT granted"))


def test_the_run_goes_on_while_the_server_is_restarted(
    folder: Folder, cluster: Cluster, database: Database
) -> None:
    process = folder.start(*options(database))
    folder.wait_for(partial(holds, database, 1))
    cluster.break_off()
    answered = folder.admin("stats")["answered"]
    folder.wait_for_answers(min(400, answered + 100))
    cluster.start()
    _, told = process.communicate(timeout=60)
    assert process.returncode == 0, told
    assert count(database) == 400
    assert_same(database, TABLE, folder.path / "out")
    events = [line["event"] for line in folder.run_log()]
    assert ("output_away" in events, events.count("delivered")) == (True, 1)


def test_a_server_that_does_not_come_back_costs_the_run_nothing(
    folder: Folder, cluster: Cluster, database: Database
) -> None:
    process = folder.start(*options(database, "--output-patience", "0.1"))
    folder.wait_for(partial(holds, database, 1))
    cluster.stop()
    try:
        _, told = process.communicate(timeout=60)
        assert process.returncode == 5, told
        folder.assert_whole(400)
        line = next(line for line in told.splitlines() if line.startswith("Not all results"))
        assert f"table {TABLE}" in line
        assert "The same command catches up" in line
        assert "processor export out --output" in line
    finally:
        cluster.start()
    sent = folder.admin("stats")["received"]
    code, _, told = folder.run(*options(database))
    assert code == 0, told
    assert folder.admin("stats")["received"] == sent
    assert_same(database, TABLE, folder.path / "out")


def test_a_server_that_hangs_holds_nobody_up(folder: Folder, database: Database) -> None:
    """Ctrl-C once saves what is in flight and ends, though the database does not answer."""
    folder.rows(600)
    process = folder.start(*options(database))
    folder.wait_for(partial(holds, database, 1))
    with psycopg.connect(database.uri) as gate:
        gate.execute(f"LOCK TABLE {TABLE} IN EXCLUSIVE MODE")
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=30)
        assert process.returncode == 130, told
        assert "does not answer" in told
    assert folder.run(*options(database))[0] == 0
    assert_same(database, TABLE, folder.path / "out")
