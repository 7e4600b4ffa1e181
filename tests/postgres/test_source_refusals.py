"""Whatever a user gets wrong with a database: one clear line, exit 1, nothing sent or written."""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

import pytest
from command_line import Result, Shell

from postgres.cluster import PASSWORD, Cluster, Database
from postgres.gate import Gate, gate_before

MATHML = "<math><mn>1</mn></math>"
SCHOOL = (
    "CREATE TABLE questions (question_id int, mathml text, subject text, grade int)",
    f"INSERT INTO questions SELECT n, '{MATHML}', 'algebra', n FROM generate_series(1, 3) AS n",
    "CREATE TABLE private (question_id int, mathml text)",
    "CREATE SEQUENCE numbers",
    """CREATE FUNCTION add() RETURNS int LANGUAGE sql AS
       'INSERT INTO questions VALUES (9, NULL, NULL, NULL) RETURNING question_id'""",
    f"GRANT SELECT ON questions TO {Cluster.guarded}",
)


@dataclass(frozen=True, slots=True)
class School:
    """A database, and a port before it."""

    database: Database
    gate: Gate

    @property
    def name(self) -> str:
        ((name,),) = self.database.rows("SELECT current_database()::text")
        return str(name)


@pytest.fixture(scope="module")
def school(cluster: Cluster) -> Iterator[School]:
    database = cluster.new_database()
    database.execute(*SCHOOL)
    with gate_before(cluster.socket) as gate:
        yield School(database, gate)
    assert database.rows("SELECT count(*) FROM questions") == [(3,)]
    assert database.rows("SELECT is_called FROM numbers") == [(False,)]
    assert database.rows("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(2,)]


def assert_refused(shell: Shell, result: Result, *expected: str) -> None:
    (line,) = result.err.splitlines()
    assert line.startswith("Error: ")
    assert [part for part in expected if part not in line] == []
    assert result.code == 1
    assert shell.stats()["received"] == 0
    assert not list(shell.folder.glob("runs/*")), "a refused input leaves no run behind"


QUERIES = [
    ("DELETE FROM questions", ["no SELECT", "DELETE"]),
    ("insert into questions values (4) returning question_id", ["no SELECT", "insert"]),
    ("COPY questions TO STDOUT", ["no SELECT", "COPY"]),
    ("\\copy questions to x", ["no SELECT", "\\copy"]),
    ("EXPLAIN ANALYZE SELECT 1", ["no SELECT", "EXPLAIN"]),
    ("/* SELECT */ DROP TABLE questions", ["no SELECT", "DROP"]),
    ("", ["no SELECT", "empty"]),
    (" -- nothing", ["no SELECT", "empty"]),
    ("SELECT 1 AS question_id; DELETE FROM questions", ["more than one statement"]),
    ("SELECT 1) TO '/tmp/x'; --", ["syntax error"]),
    ("WITH gone AS (DELETE FROM questions RETURNING *) SELECT * FROM gone", ["writes"]),
    ("SELECT * INTO copied FROM questions", ["writes", "INTO"]),
    ("SELECT * FROM questions FOR UPDATE", ["FOR UPDATE", "read-only"]),
    ("SELECT nextval('numbers') AS question_id, '<math/>' AS mathml", ["nextval", "read-only"]),
    ("SELECT add() AS question_id, mathml FROM questions", ["INSERT", "read-only"]),
    (
        "SELECT set_config('transaction_read_only', 'off', false) AS question_id, '' AS mathml",
        ["read-write"],
    ),
    ("SELECT question_id, mathl FROM questions", ["mathl", "questions.mathml"]),
    ("SELECT question_id, mathml AS mathl FROM questions", ["'mathml'", "did you mean 'mathl'"]),
    ("SELECT mathml FROM questions", ["'question_id'", "It has: mathml"]),
    ("SELECT question_id, mathml FROM question", ["question", "does not exist"]),
    ("SELECT q.*, q.grade FROM questions q", ["more than one column named grade"]),
    ("SELECT * FROM questions WHERE grade = $1", ["a parameter ($1)", "Write the value itself"]),
    ("SELECT FROM questions", ["no columns"]),
    ("SELECT * FORM questions", ["syntax error", "FORM"]),
    ("SELECT NULL AS question_id, mathml FROM questions", ["row 1", "question_id is empty"]),
    ("SELECT 1 AS question_id, mathml FROM questions", ["row 2", "stands in row 1 already"]),
    ("SELECT grade / 0.0 AS question_id, mathml FROM questions", ["division by zero"]),
    ("SELECT 1.5::float8 AS question_id, mathml FROM questions", ["1.5", "whole number"]),
]


@pytest.mark.parametrize(("query", "expected"), QUERIES)
def test_a_query_that_cannot_be_is_refused(
    shell: Shell, school: School, query: str, expected: list[str]
) -> None:
    result = shell.run("--no-write-back", "--input", school.database.uri, "--query", query)
    assert_refused(shell, result, *expected)


ADDRESSES = [
    ("{guarded}:wrong@{gate}/{name}", [], ["password authentication failed", "PGPASSWORD"]),
    ("{guarded}@{gate}/{name}", [], ["no password supplied", ".pgpass"]),
    ("nobody@{gate}/{name}", [], ["nobody", "does not exist"]),
    ("postgres@{gate}/nowhere", [], ["nowhere", "does not exist"]),
    ("postgres@127.0.0.1:1/{name}", [], ["refused", "running"]),
    ("postgres@db.invalid/{name}", [], ["db.invalid", "running"]),
    ("postgres@{gate}/{name}?sslmode=require", [], ["SSL", "sslmode"]),
    ("postgres@{gate}/{name}?sslmode=verify-full&sslrootcert=no.pem", [], ["SSL", "sslrootcert"]),
    ("postgres@{gate}/{name}?nope=1", [], ["cannot be read"]),
    ("postgres@{gate}/{name}?table=nope", [], ["there is no table nope"]),
    ("postgres@{gate}/{name}", ["--table", "question"], ["Did you mean questions?"]),
    ("postgres@{gate}/{name}", ["--table", "nope.questions"], ["nope.questions"]),
    ("postgres@{gate}/{name}", ["--table", "a.b.c"], ["no name of a table"]),
    ("postgres@{gate}/{name}", ["--table", "q", "--query", "SELECT 1"], ["Name one of them"]),
    ("{guarded}:{password}@{gate}/{name}", ["--table", "private"], ["permission denied", "grant"]),
    (
        "postgres@{gate}/{name}?options=-c%20statement_timeout%3D50",
        ["--query", "SELECT 1 AS question_id, pg_sleep(30)::text AS mathml"],
        ["statement timeout", "raise the limit"],
    ),
]


@pytest.mark.parametrize(("address", "options", "expected"), ADDRESSES)
def test_a_database_that_cannot_be_read_is_named(
    shell: Shell, school: School, address: str, options: list[str], expected: list[str]
) -> None:
    uri = "postgresql://" + address.format(
        guarded=Cluster.guarded,
        password=quote(PASSWORD, safe=""),
        gate=f"127.0.0.1:{school.gate.port}",
        name=school.name,
    )
    result = shell.run("--no-write-back", "--input", uri, *options)
    assert_refused(shell, result, *expected)
    assert PASSWORD not in result.err
    assert "wrong" not in result.err


OPTIONS = [
    (["--input", "q.csv", "--query", "SELECT 1"], ["go with a database"]),
    (["--table", "questions"], ["need a database", "DATABASE_URL"]),
    (["--input", "mysql://ann:s3cr3t@db/x"], ["mysql://…", "postgresql://"]),
    (["--task", "words.toml", "--input", "postgresql://db/x"], ["--table", "--query"]),
    (["--input", "postgresql://db/x", "--query-file", "no.sql"], ["no.sql"]),
    (["--input", "postgresql://db/x", "--query-file", "q.csv", "--query", "x"], ["exclude"]),
    (["--input", "postgresql://db/x", "--query-file", "latin.sql"], ["latin.sql", "UTF-8"]),
]
TASK = 'name = "t"\nmodel = "m"\nprompt = "{{ word }}"\n[output]\nkind = "text"\n'


@pytest.mark.parametrize(("arguments", "expected"), OPTIONS)
def test_options_that_make_no_sense_are_told(
    shell: Shell, arguments: list[str], expected: list[str]
) -> None:
    shell.write("words.toml", TASK)
    shell.write("q.csv", "question_id,mathml\n")
    shell.write("latin.sql", b"SELECT '\xe4'")
    result = shell.run(*arguments)
    assert_refused(shell, result, *expected)
    assert "s3cr3t" not in result.err
