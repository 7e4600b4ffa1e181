"""Rows of a database as the users' nightly job takes them."""

import json
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

import pytest
from command_line import Shell

from postgres.cluster import PASSWORD, Cluster, Database
from processor.data import open_source
from processor.data.postgres import next_page_rows
from processor.data.wanted import Wanted
from processor.items import Row

TABLE = "CREATE TABLE questions (question_id int PRIMARY KEY, mathml text, subject text, grade int)"
ROWS = (
    "INSERT INTO questions SELECT n, '<math><mn>1</mn></math>', 'a', n FROM generate_series({}) n"
)


@pytest.fixture
def questions(database: Database) -> Database:
    database.execute(TABLE, ROWS.format("1, 25"), "INSERT INTO questions VALUES (0, NULL, 'a', 1)")
    return database


def test_the_nightly_job_moves_on_through_the_users_table(
    shell: Shell, questions: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", questions.uri)
    for done in (10, 20, 25):
        assert shell.run("--no-write-back", "--limit", "10").code == 0
        assert shell.figures()["total"] == shell.stats()["paid"] == done
    questions.execute(ROWS.format("101, 110"))
    assert shell.run("--no-write-back", "--limit", "100").code == 0
    assert shell.figures()["total"] == shell.stats()["paid"] == 35
    first = json.loads((shell.the_run() / "conversion_results_batch_001.json").read_text())
    assert first["results"][0]["id"] == 1
    assert first["results"][0]["fields"] == {
        "question_id": 1, "mathml": "<math><mn>1</mn></math>", "subject": "a", "grade": 1,
    }  # fmt: skip


def test_a_password_is_nowhere_and_another_makes_no_other_run(
    shell: Shell, cluster: Cluster, questions: Database
) -> None:
    ((name,),) = questions.rows("SELECT current_database()")
    questions.execute(f"GRANT SELECT ON questions TO {Cluster.guarded}")
    folder = quote(str(Path(cluster.socket).parent), safe="")
    uri = f"postgresql://{Cluster.guarded}:{quote(PASSWORD, safe='')}@{folder}/{name}"
    first = shell("run", "--base-url", shell.url, "--no-write-back", "--input", uri)
    assert first.code == 0
    assert f"reading postgresql://{Cluster.guarded}@" in first.err
    other = shell.run("--no-write-back", f"--input={questions.uri}")
    assert other.code == 0
    assert shell.stats()["paid"] == 25
    shell.the_run()
    written = [path.read_bytes() for path in shell.folder.rglob("*") if path.is_file()]
    told = [text.encode() for text in (first.out, first.err, other.out, other.err)]
    for secret in (PASSWORD.encode(), quote(PASSWORD, safe="").encode()):
        assert not [text for text in (*written, *told) if secret in text]


def test_the_address_may_stand_in_a_dotenv_file(shell: Shell, questions: Database) -> None:
    shell.write(".env", f"DATABASE_URL={questions.uri}\n")
    assert shell.run("--no-write-back").code == 0
    assert shell.figures()["total"] == 25


def test_a_query_may_stand_in_a_file(shell: Shell, questions: Database) -> None:
    query = shell.write(
        "q.sql",
        "\ufeff-- 학년\nSELECT * FROM questions /* all */\n"
        "WHERE grade < 4 AND subject LIKE 'a%' AND '{0}' <> '%s';\n",
    )
    result = shell.run(
        "--no-write-back", "--input", questions.uri, "--query-file", query, "--skip-invalid"
    )
    assert result.code == 0
    assert shell.figures()["total"] == 3


def test_a_table_may_have_any_name_and_is_read_in_the_order_of_its_key(
    shell: Shell, database: Database
) -> None:
    database.execute(
        'CREATE SCHEMA "학교.1"',
        'CREATE TABLE "학교.1"."say ""문제""; --" ("a b" text, question_id uuid, mathml text,'
        " n int, PRIMARY KEY (n, question_id))",
        """INSERT INTO "학교.1"."say ""문제""; --"
           SELECT 'x', gen_random_uuid(), '<math><mn>1</mn></math>', 9 - n
           FROM generate_series(1, 3) n""",
    )
    name = '"학교.1"."say ""문제""; --"'
    result = shell.run("--no-write-back", "--input", database.uri, "--table", name)
    assert result.code == 0, result.err
    rows = list(open_source(database.uri, wanted=Wanted(table=name)).rows())
    assert [(row.number, row.fields["n"]) for row in rows if isinstance(row, Row)] == [
        (1, 6),
        (2, 7),
        (3, 8),
    ]


def test_no_rows_are_no_error_for_a_table_may_be_empty(shell: Shell, database: Database) -> None:
    database.execute(TABLE)
    result = shell.run("--no-write-back", "--input", database.uri)
    assert (result.code, shell.stats()["received"]) == (0, 0)
    database.execute(ROWS.format("1, 2"))
    assert shell.run("--no-write-back", "--input", database.uri).code == 0
    assert shell.figures()["total"] == 2


def test_bytes_that_a_database_never_checked_are_refused_with_a_way_that_works(
    shell: Shell, cluster: Cluster
) -> None:
    cluster.database("postgres").execute(
        "CREATE DATABASE unchecked TEMPLATE template0 ENCODING SQL_ASCII LOCALE 'C'"
    )
    database = cluster.database("unchecked")
    database.execute("CREATE TABLE q (question_id int, mathml text)")
    database.execute("INSERT INTO q VALUES (1, E'\\xb0\\xa1')")
    refused = shell.run("--no-write-back", "--input", database.uri, "--table", "q")
    assert refused.code == 1
    assert "0xb0" in refused.err
    way_out = refused.err.partition("in the query: ")[2].rstrip(".\n").replace("column", "mathml")
    query = f"SELECT question_id, {way_out} AS word FROM q"
    (row,) = open_source(database.uri, wanted=Wanted(query=query)).rows()
    assert isinstance(row, Row)
    assert row.fields["word"] == "가"


def test_one_moment_is_seen_and_by_whom_can_be_told(database: Database) -> None:
    query = """SELECT current_setting('application_name') AS a, clock_timestamp() > now() AS b,
                      current_setting('transaction_isolation') AS c,
                      current_setting('client_connection_check_interval') AS d"""
    (row,) = open_source(database.uri, wanted=Wanted(query=query)).rows()
    assert isinstance(row, Row)
    assert row.fields == {"a": "processor", "b": True, "c": "repeatable read", "d": "2s"}


def test_a_row_may_be_left_alone(database: Database) -> None:
    """Whoever stops reading early leaves no query behind."""
    query = "SELECT n AS id FROM generate_series(1, 1000000) n"
    rows = open_source(database.uri, wanted=Wanted(query=query)).rows()
    assert isinstance(next(rows), Row)
    del rows
    others = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'FETCH%'"
    assert database.rows(others) == [(0,)]


@pytest.mark.parametrize(
    ("before", "page", "expected"),
    [
        (100, [("abc", None)] * 100, 200),
        (2_000, [("abc", None)] * 2_000, 2_000),
        (2_000, [("x" * (1 << 20),)] * 2_000, 1),
        (1, [("x" * (1 << 30),)], 1),
        (1_000, [("x" * 10_486,)] * 1_000, 99),
        (64, [(None,)], 128),
    ],
)
def test_wide_rows_come_fewer_at_a_time(
    before: int, page: Sequence[Sequence[str | None]], expected: int
) -> None:
    assert next_page_rows(before, page) == expected
