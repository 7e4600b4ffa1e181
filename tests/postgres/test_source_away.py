"""A database that goes away while it is read, and a reader who does not want to wait."""

import signal
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import pytest
from command_line import Shell
from run_bench import Folder

from postgres.cluster import Cluster, Database
from postgres.gate import Gate, gate_before

WIDE = """CREATE TABLE questions AS
    SELECT n AS question_id, '<math><mn>1</mn></math>' AS mathml, repeat('x', 10000) AS subject,
           n AS grade
    FROM generate_series(1, 200) n"""
WHOLE = 1 << 60
PART = 300_000
BUSY = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'FETCH%' AND state = 'active'"


@pytest.fixture
def gate(cluster: Cluster, database: Database) -> Iterator[Gate]:
    database.execute(WIDE)
    with gate_before(cluster.socket) as gate:
        yield gate


@pytest.fixture
def folder(tmp_path: Path, sandbox_url: str) -> Iterator[Folder]:
    folder = Folder(tmp_path, sandbox_url)
    yield folder
    folder.end()


def name_of(database: Database) -> str:
    ((name,),) = database.rows("SELECT current_database()::text")
    return str(name)


def test_a_reading_that_broke_off_is_begun_again(
    shell: Shell, gate: Gate, database: Database
) -> None:
    gate.cuts = deque([WHOLE, PART])
    result = shell(
        *("run", "--base-url", shell.url, "--no-write-back"),
        *("--input", gate.uri(name_of(database))),
    )
    assert result.code == 0, result.err
    assert "(again in 1.0s)" in result.err
    assert gate.connections == 4
    figures = shell.figures()
    assert figures["total"] == figures["succeeded"] == shell.stats()["paid"] == 200


def test_a_database_that_does_not_come_back_stops_the_run_resumably(
    shell: Shell, gate: Gate, database: Database
) -> None:
    gate.cuts = deque([WHOLE, PART, 0, 0, 0])
    given = ("--no-write-back", "--input", gate.uri(name_of(database)))
    stopped = shell.run(*given, "--give-up", "1.5")
    assert stopped.code == 3
    (line,) = stopped.err.splitlines()
    assert "closed the connection" in line
    assert shell.stats()["received"] == 0
    gate.cuts.clear()
    assert shell.run(*given).code == 0
    assert shell.figures()["total"] == 200


def test_a_database_that_never_answered_is_not_waited_for(
    shell: Shell, gate: Gate, database: Database
) -> None:
    uri = gate.uri(name_of(database))
    gate.shut()
    refused = shell.run("--no-write-back", "--input", uri)
    assert refused.code == 1
    assert "refused" in refused.err
    assert gate.connections == 0


def test_a_server_that_breaks_off_and_starts_again_is_read_again(
    folder: Folder, cluster: Cluster, database: Database
) -> None:
    database.execute("CREATE TABLE slow AS SELECT 1 AS is_slow")
    query = """SELECT n AS id, 'w' || n AS word,
                      CASE WHEN EXISTS (SELECT FROM slow) THEN pg_sleep(100) END IS NULL AS slow
               FROM generate_series(1, 20) n"""
    process = folder.start("--no-write-back", "--input", database.uri, "--query", query)
    folder.wait_for(lambda: database.rows(BUSY) == [(1,)])
    database.execute("DELETE FROM slow")
    cluster.break_off()
    cluster.start()
    _, told = process.communicate(timeout=60)
    assert process.returncode == 0, told
    folder.assert_whole(20)


def test_an_interrupted_query_is_ended_on_the_server(folder: Folder, database: Database) -> None:
    query = "SELECT 1 AS id, 'w' || pg_sleep(100)::text AS word"
    process = folder.start("--no-write-back", "--input", database.uri, "--query", query)
    folder.wait_for(lambda: database.rows(BUSY) == [(1,)])
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=20)
    assert process.returncode == 130, told
    assert "nothing was imported" in told
    assert database.rows(BUSY) == [(0,)]


def test_a_reader_that_is_killed_leaves_no_query_running(
    folder: Folder, database: Database
) -> None:
    query = "SELECT 1 AS id, 'w' || pg_sleep(100)::text AS word"
    process = folder.start("--no-write-back", "--input", database.uri, "--query", query)
    folder.wait_for(lambda: database.rows(BUSY) == [(1,)])
    process.kill()
    folder.wait_for(lambda: database.rows(BUSY) == [(0,)])
