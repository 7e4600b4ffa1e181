"""A ledger into a table, a batch a call: what is refused, broken off, told."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest
from ledger_parts import item, ledger_of, settle, succeeded

from postgres.cluster import Database
from processor.errors import DeliveryError
from processor.exports.output import Terms, deliver_all
from processor.exports.postgres.destination import PostgresOutput
from processor.ledger.ledger import Ledger

TABLE = "CREATE TABLE t (id int PRIMARY KEY, answer text)"
COLUMNS = {"result": "answer"}


@contextmanager
def answered(folder: Path, count: int) -> Iterator[Ledger]:
    """A ledger whose items all have the result `x^2`."""
    with ledger_of(folder, count) as ledger:
        for first in range(1, count + 1, 1_000):
            settle(
                ledger.connection,
                *(succeeded(item(n)) for n in range(first, min(first + 1_000, count + 1))),
            )
        yield ledger


def output_of(database: Database, terms: Terms) -> "closing[PostgresOutput]":
    return closing(PostgresOutput.open(f"{database.uri}&table=t", terms, task="greet"))


def test_what_is_done_is_told_and_a_refusal_once_whatever_breaks_off(
    tmp_path: Path, database: Database
) -> None:
    database.execute(TABLE.replace("answer text", "answer text CHECK (id NOT IN (7, 5500))"))
    terms = Terms(columns=["id", "result"])
    database.execute("ALTER TABLE t RENAME COLUMN answer TO result")
    with answered(tmp_path, 6_000) as ledger, output_of(database, terms) as output:
        first = output.deliver(ledger.path)
        assert (first.inserted, first.refused_rows, first.is_all) == (4_999, 1, False)
        database.rows(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        with pytest.raises(DeliveryError) as caught:
            output.deliver(ledger.path)
        assert caught.value.passing
        rest = deliver_all(output, ledger.path)
    assert (rest.inserted, rest.refused_rows) == (999, 1)
    assert database.rows("SELECT COUNT(*) FROM t") == [(5_998,)]


def test_a_row_is_to_blame_for_what_only_its_commit_would_refuse(
    tmp_path: Path, database: Database
) -> None:
    database.execute(
        TABLE,
        "CREATE TABLE known (id int PRIMARY KEY)",
        "INSERT INTO known SELECT n FROM generate_series(1, 20) AS n WHERE n <> 13",
        "ALTER TABLE t ADD FOREIGN KEY (id) REFERENCES known DEFERRABLE INITIALLY DEFERRED",
        "ALTER TABLE t RENAME COLUMN answer TO result",
    )
    terms = Terms(columns=["id", "result"])
    with answered(tmp_path, 20) as ledger, output_of(database, terms) as output:
        done = deliver_all(output, ledger.path)
    assert (done.inserted, done.refused_rows) == (19, 1)
    assert "the row of id 13" in done.refused[0]
    assert database.rows("SELECT COUNT(*) FROM t") == [(19,)]


def test_a_few_rows_in_a_hundred_keep_no_others_out(tmp_path: Path, database: Database) -> None:
    database.execute(
        TABLE,
        "INSERT INTO t SELECT generate_series(1, 1200)",
        "ALTER TABLE t ADD CHECK (answer IS NULL OR id NOT BETWEEN 300 AND 408)",
    )
    terms = Terms(into=COLUMNS)
    with answered(tmp_path, 1_200) as ledger, output_of(database, terms) as output:
        done = deliver_all(output, ledger.path)
    assert (done.updated, done.refused_rows) == (1_091, 109)
    assert database.rows("SELECT COUNT(answer) FROM t") == [(1_091,)]


def test_a_table_that_another_makes_at_the_same_moment(tmp_path: Path, database: Database) -> None:
    terms = Terms(columns=["id", "result"])
    with (
        answered(tmp_path, 20) as ledger,
        output_of(database, terms) as output,
        ThreadPoolExecutor() as pool,
        psycopg.connect(database.uri) as other,
    ):
        other.execute("CREATE TABLE t (id bigint PRIMARY KEY, result text)")
        done = pool.submit(deliver_all, output, ledger.path)
        while not database.rows("SELECT FROM pg_locks WHERE NOT granted"):
            assert not done.done()
        other.commit()
        assert done.result().inserted == 20
    assert database.rows("SELECT COUNT(*) FROM t") == [(20,)]
