"""Results written back: into a table made on demand, into columns of one, what is refused."""

import json
from collections.abc import Sequence

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from command_line import Shell

from postgres.cluster import PASSWORD, Cluster, Database
from postgres.write_back import TASK, assert_same, go, guarded, results, stored


def refused(shell: Shell, *options: str, rows: str = "rows.jsonl") -> str:
    """The one line that refuses a run which sent nothing and left nothing."""
    done = shell.run("--task", "greet.toml", "--input", rows, "--out", "out", *options)
    assert (done.code, done.out) == (1, "")
    assert shell.stats()["received"] == 0
    assert not (shell.folder / "out").exists()
    assert done.err.count("\n") == 1, done.err
    return done.err


def test_a_table_is_made_with_the_types_of_the_results(run: Shell, database: Database) -> None:
    said = go(run, "--output", database.uri, "--write", "all")
    assert "table greet_results: 12 new" in said
    assert_same(database, "greet_results", run.folder / "out")
    types = dict(
        database.rows(
            "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute "
            "WHERE attrelid = 'greet_results'::regclass AND attnum > 0"
        )
    )
    assert {name: types[name] for name in ("id", "word", "result", "latency_ms", "attempts")} == {
        "id": "bigint",
        "word": "text",
        "result": "text",
        "latency_ms": "double precision",
        "attempts": "bigint",
    }
    assert types["cost_usd"].startswith("numeric")


def test_the_same_command_again_writes_what_is_new(run: Shell, database: Database) -> None:
    go(run, "--output", database.uri)
    assert "table greet_results: 0 new" in go(run, "--output", database.uri)
    with (run.folder / "rows.jsonl").open("a") as file:
        file.write('{"id": 13, "word": "word13."}\n')
    assert "table greet_results: 1 new" in go(run, "--output", database.uri)
    assert run.stats()["received"] == 13
    assert_same(database, "greet_results", run.folder / "out")


def test_a_rehearsal_tries_the_database_and_leaves_it_as_it_is(
    run: Shell, database: Database
) -> None:
    options = ("--task", "greet.toml", "--input", "rows.jsonl", "--output", database.uri)
    first = run.run(*options, "--dry-run")
    assert (first.code, run.stats()["received"]) == (0, 0)
    assert "table greet_results: 0 new" in first.out
    assert PASSWORD not in first.out + first.err
    assert run.run(*options, "--limit", "5", "--no-write-back").code == 0
    database.execute("DELETE FROM greet_results WHERE id > 3")
    again = run.run(*options, "--dry-run")
    assert "7 to send · 5 finished before" in again.out
    assert database.rows("SELECT count(*) FROM greet_results") == [(3,)]
    refused = run.run(*options, "--dry-run", "--write-columns", "result=nowhere")
    assert refused.code == 1
    assert refused.err == run.run(*options, "--write-columns", "result=nowhere").err


def test_rows_go_back_where_they_came_from(run: Shell, database: Database) -> None:
    """Into a table of their own, unless they are told to be left alone."""
    database.execute(
        "CREATE TABLE words (id smallint PRIMARY KEY, word text)",
        "INSERT INTO words SELECT n, 'word' || n || '.' FROM generate_series(1, 12) AS n",
    )
    go(run, "--table", "words", "--no-write-back", rows=database.uri)
    assert database.rows("SELECT to_regclass('greet_results')") == [(None,)]
    assert "table greet_results: 12 new" in go(run, "--table", "words", rows=database.uri)
    assert_same(database, "greet_results", run.folder / "out")
    assert database.rows("SELECT pg_typeof(id)::text FROM greet_results LIMIT 1") == [("smallint",)]
    assert run.stats()["received"] == 12


def test_columns_of_the_table_that_is_read(run: Shell, database: Database) -> None:
    database.execute(
        "CREATE TABLE words (id int PRIMARY KEY, word text, answer varchar(80), sure text)",
        "INSERT INTO words SELECT n, 'word' || n || '.' FROM generate_series(1, 12) AS n",
        "UPDATE words SET answer = 'old' WHERE id = 3",
    )
    options = ("--table", "words", "--write-columns", "result=answer,check=sure", "--keep-old")
    assert "table words: 0 new · 12 changed" in go(run, *options, rows=database.uri)
    told = {row["id"]: row["result"] for row in results(run.folder / "out")}
    assert {row["id"]: row["answer"] for row in stored(database, "words")} == told
    history = database.rows("SELECT id, answer, sure, replaced_at <= now() FROM words_history")
    assert history == [(3, "old", None, True)]
    assert database.rows("SELECT to_regclass('greet_results')") == [(None,)]


def test_what_the_prompt_is_made_of_is_not_written_over(run: Shell, database: Database) -> None:
    database.execute(
        "CREATE TABLE words (id int PRIMARY KEY, word text)", "INSERT INTO words VALUES (1, 'one')"
    )
    options = ("--table", "words", "--write-columns", "result=word")
    assert "made of the column 'word'" in refused(run, *options, rows=database.uri)
    assert database.rows("SELECT word FROM words") == [("one",)]


def test_rows_that_are_gone_are_told_and_not_made(run: Shell, database: Database) -> None:
    database.execute("CREATE TABLE words (id int PRIMARY KEY, answer text)")
    database.execute("INSERT INTO words VALUES (1), (2), (99)")
    said = go(
        run,
        *("--output", database.uri, "--output-table", "words", "--write-columns", "result=answer"),
    )
    assert "table words: 0 new · 2 changed · 0 as they were · 10 not there" in said
    assert database.rows("SELECT id FROM words WHERE answer IS NULL") == [(99,)]


def test_only_what_is_wanted_is_written(run: Shell, database: Database) -> None:
    """And a failure that was mended later, by the same command."""
    run.fault("bad_request:match=word3.,count=1")
    go(run, "--output", database.uri, code=2)
    assert database.rows("SELECT id FROM greet_results WHERE id IN (2, 3)") == [(2,)]
    go(run, "--output", database.uri, "--output-table", "every", "--write", "all", code=2)
    assert database.rows("SELECT status, error_code FROM every WHERE id = 3") == [
        ("failed", "bad_request")
    ]
    assert "0 new" in go(run, "--output", database.uri, "--write", "verified", code=2)
    assert run("retry", "out", "--all").code == 0
    both = ("--output", database.uri)
    assert "table greet_results: 1 new" in go(run, *both)
    assert "table every: 0 new · 1 changed" in go(
        run, *both, "--output-table", "every", "--write", "all"
    )
    assert_same(database, "every", run.folder / "out")
    assert run.stats()["received"] == 13


def test_several_outputs(run: Shell, database: Database) -> None:
    named = f"{database.uri}&table=answers"
    said = go(run, "--output", named, "--output", database.uri, "--output", "all.jsonl")
    assert "table answers: 12 new" in said
    assert "table greet_results: 12 new" in said
    assert len((run.folder / "all.jsonl").read_text().splitlines()) == 12


def test_a_rehearsal_changes_nothing(run: Shell, database: Database) -> None:
    go(run)
    to = ("export", "out", "--output", database.uri)
    assert "12 new" in run(*to, "--dry-run").out
    assert database.rows("SELECT to_regclass('greet_results')") == [(None,)]
    assert run(*to).code == 0
    database.execute(
        "DELETE FROM greet_results WHERE id = 2",
        "UPDATE greet_results SET result = 'x' WHERE id = 5",
    )
    before = stored(database, "greet_results")
    rehearsed = run(*to, "--keep-old", "--dry-run")
    assert "1 new · 1 changed · 10 as they were" in rehearsed.out
    assert "new: 2\n" in rehearsed.out
    assert "changed: 5\n" in rehearsed.out
    assert stored(database, "greet_results") == before
    assert database.rows("SELECT to_regclass('greet_results_history')") == [(None,)]
    assert "1 new · 1 changed · 10 as they were" in run(*to, "--keep-old").out
    assert database.rows("SELECT id, result FROM greet_results_history") == [(5, "x")]


@pytest.mark.parametrize("lost", ["TRUNCATE greet_results", "DROP TABLE greet_results"])
def test_a_table_that_lost_everything_is_filled_again(
    run: Shell, database: Database, lost: str
) -> None:
    go(run, "--output", database.uri)
    database.execute(lost)
    assert "table greet_results: 12 new" in go(run, "--output", database.uri)
    assert_same(database, "greet_results", run.folder / "out")


def test_export_brings_back_what_a_table_lost(run: Shell, database: Database) -> None:
    go(run, "--output", database.uri)
    database.execute("DELETE FROM greet_results WHERE id > 10")
    assert "0 new" in go(run, "--output", database.uri)  # as far as the ledger knows
    assert (
        "2 new · 0 changed · 10 as they were" in run("export", "--output", database.uri, "out").out
    )
    assert_same(database, "greet_results", run.folder / "out")


def test_a_row_that_the_table_does_not_take_keeps_no_other_out(
    run: Shell, database: Database
) -> None:
    go(run, "--output", database.uri)
    database.execute("TRUNCATE greet_results", "ALTER TABLE greet_results ADD CHECK (id <> 7)")
    said = go(run, "--output", database.uri, code=5)
    assert "11 new · 1 refused" in said
    assert "the row of id 7" in said
    assert "the same command catches up" in said.lower()
    database.execute("ALTER TABLE greet_results DROP CONSTRAINT greet_results_id_check")
    assert "1 new" in go(run, "--output", database.uri)
    assert_same(database, "greet_results", run.folder / "out")
    assert run.stats()["received"] == 12


_POLICY = """
ALTER TABLE words ENABLE ROW LEVEL SECURITY;
CREATE POLICY seen ON words FOR SELECT USING (true);
CREATE POLICY few ON words FOR UPDATE USING (id > 2)
"""
_TRIGGER = """
CREATE FUNCTION pass() RETURNS trigger AS 'BEGIN RETURN NULL; END' LANGUAGE plpgsql;
CREATE TRIGGER it BEFORE UPDATE ON words
    FOR EACH ROW WHEN (new.id < 3) EXECUTE FUNCTION pass()
"""


@pytest.mark.parametrize("kept_by", [_POLICY, _TRIGGER], ids=["policy", "trigger"])
def test_rows_that_the_database_passes_over_are_refused_and_not_called_equal(
    run: Shell, cluster: Cluster, database: Database, kept_by: str
) -> None:
    database.execute(
        "CREATE TABLE words (id int PRIMARY KEY, word text, answer text)",
        "INSERT INTO words SELECT n, 'word' || n || '.' FROM generate_series(1, 12) AS n",
        kept_by,
        "GRANT SELECT, UPDATE ON words TO ann",
    )
    uri = guarded(cluster, database)
    said = go(run, "--table", "words", "--write-columns", "result=answer", rows=uri, code=5)
    assert "table words: 0 new · 10 changed · 0 as they were · 2 refused" in said
    assert "the row of id 1: the database passed it over" in said
    assert database.rows("SELECT id FROM words WHERE answer IS NULL ORDER BY id") == [(1,), (2,)]


def test_rows_that_a_trigger_has_written_otherwise_are_as_they_were(
    run: Shell, database: Database
) -> None:
    go(run, "--output", database.uri)
    database.execute(
        "CREATE FUNCTION loud() RETURNS trigger LANGUAGE plpgsql "
        "AS 'BEGIN new.result = upper(new.result); RETURN new; END'",
        "CREATE TRIGGER loud BEFORE INSERT OR UPDATE ON greet_results "
        "FOR EACH ROW EXECUTE FUNCTION loud()",
    )
    export = ("export", "out", "--output", database.uri)
    assert "0 new · 12 changed" in run(*export).out
    again = run(*export)
    assert (again.code, "0 changed · 12 as they were" in again.out) == (0, True)
    assert database.rows("SELECT count(*) FROM greet_results WHERE result = upper(result)") == [
        (12,)
    ]


def test_a_table_that_takes_nothing_is_left_alone(run: Shell, database: Database) -> None:
    rows = [{"id": n, "word": f"word{n}."} for n in range(1, 150)]
    run.write("rows.jsonl", "".join(f"{json.dumps(row)}\n" for row in rows))
    go(run, "--output", database.uri)
    database.execute("TRUNCATE greet_results", "ALTER TABLE greet_results ADD CHECK (id < 0)")
    said = go(run, "--output", database.uri, code=5)
    assert "refuses row after row" in said
    assert run("export", "out", "--output", database.uri).code == 5


@pytest.mark.parametrize(
    ("statements", "options", "words"),
    [
        (["CREATE TABLE greet_results (id int PRIMARY KEY, word text)"], [], "no column 'status'"),
        (
            ["CREATE TABLE t (id int PRIMARY KEY, word text, result int)"],
            ["--output-table", "t", "--write-columns", "result=result"],
            "its column 'result' is of the type integer, and text goes into it",
        ),
        (
            ["CREATE VIEW greet_results AS SELECT 1 AS id"],
            [],
            "public.greet_results is a view",
        ),
        (
            ["CREATE TABLE t (id int PRIMARY KEY)"],
            ["--output-table", "t", "--write-columns", "result=answer"],
            "it has no column 'answer'",
        ),
        (
            ["CREATE TABLE t (id int, answer text)", "INSERT INTO t VALUES (1), (1)"],
            ["--output-table", "t", "--write-columns", "result=answer"],
            "id '1' stands in more than one of its rows",
        ),
        (
            ["CREATE TABLE t (number int, answer text)"],
            ["--output-table", "t", "--write-columns", "result=answer"],
            "it has no column 'id'",
        ),
        (
            ["CREATE TABLE t (id int PRIMARY KEY, a text GENERATED ALWAYS AS ('x') STORED)"],
            ["--output-table", "t", "--write-columns", "result=a"],
            "the values of its column 'a' are made by the database",
        ),
        ([], ["--output-table", "t", "--write-columns", "result=a"], "there is no table t"),
        ([], ["--output-table", "nowhere.t"], 'schema "nowhere" does not exist'),
        ([], ["--write-columns", "result"], "cannot be read"),
        ([], ["--write-columns", "result=a"], "of which table?"),
        ([], ["--output-table", "a.b.c"], "is no name of a table"),
        ([], ["--output-table", ""], "is no name of a table"),
        ([], ["--output-table", "가" * 22], "PostgreSQL. Name another with --output-table."),
    ],
)
def test_what_cannot_be_written_is_refused_before_anything_is_sent(
    run: Shell, database: Database, statements: Sequence[str], options: Sequence[str], words: str
) -> None:
    database.execute(*statements)
    before = database.rows("SELECT relname FROM pg_class ORDER BY 1")
    assert words in refused(run, "--output", database.uri, *options)
    assert database.rows("SELECT relname FROM pg_class ORDER BY 1") == before


def test_nothing_that_keeps_ids_unique(run: Shell, database: Database) -> None:
    go(run, "--output", database.uri)
    database.execute("ALTER TABLE greet_results DROP CONSTRAINT greet_results_pkey")
    assert "nothing keeps its column 'id' unique" in go(run, "--output", database.uri, code=1)


def test_a_wrong_password_and_a_missing_database(
    run: Shell, cluster: Cluster, database: Database
) -> None:
    said = refused(run, "--output", guarded(cluster, database, "guess"))
    assert "password authentication failed" in said
    assert "guess" not in said
    elsewhere = Database(database.uri.replace("/test_", "/nowhere_"))
    assert "does not exist" in refused(run, "--output", elsewhere.uri)


def test_a_role_needs_no_more_than_to_select_insert_and_update(
    run: Shell, cluster: Cluster, database: Database
) -> None:
    uri = guarded(cluster, database)
    (name,) = database.rows("SELECT current_database()")[0]
    database.execute(f"REVOKE ALL ON DATABASE {name} FROM PUBLIC")
    database.execute(f"GRANT CONNECT ON DATABASE {name} TO {cluster.guarded}")
    assert "may not make one in the schema public" in refused(run, "--output", uri)
    go(run, "--output", database.uri)
    database.execute("DELETE FROM greet_results WHERE id > 3")
    database.execute("UPDATE greet_results SET result = 'x' WHERE id = 2")
    database.execute(f"GRANT SELECT, INSERT ON greet_results TO {cluster.guarded}")
    assert "may not UPDATE its column" in go(run, "--output", uri, code=1)
    database.execute(f"GRANT UPDATE ON greet_results TO {cluster.guarded}")
    assert "9 new · 1 changed" in run("export", "out", "--output", uri).out
    assert_same(database, "greet_results", run.folder / "out")


def test_a_password_is_nowhere(run: Shell, cluster: Cluster, database: Database) -> None:
    database.execute(f"GRANT CREATE ON SCHEMA public TO {cluster.guarded}")
    said = go(run, "--output", guarded(cluster, database))
    assert "12 new" in said
    database.execute("ALTER TABLE greet_results ADD CHECK (id < 0) NOT VALID")
    database.execute("DELETE FROM greet_results WHERE id = 1")
    exported = run("export", "out", "--output", guarded(cluster, database))
    assert exported.code == 5
    told = [said.encode(), exported.err.encode(), exported.out.encode()]
    told += [path.read_bytes() for path in run.folder.rglob("*") if path.is_file()]
    for secret in (PASSWORD, "p%40ss%2Fw"):
        assert not any(secret.encode() in one for one in told)


@pytest.mark.parametrize("name", ["wo rd", 'wo"rd', "질문", "w%s{0}'\\", "가" * 21, "select", "$1"])
def test_any_name_is_only_a_name(run: Shell, database: Database, name: str) -> None:
    rows = [{"id": n, "word": f"word{n}.", name: f"{n}"} for n in (1, 2)]
    run.write("rows.jsonl", "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows))
    quoted = '"' + name.replace('"', '""') + '"'
    go(run, "--output", database.uri, "--output-table", quoted)

    assert database.rows(f"SELECT {quoted}::text FROM {quoted} ORDER BY id") == [
        ("1",),
        ("2",),
    ]
    to = ("--output", database.uri, "--output-table", quoted, "--write-columns")
    assert "2 changed" in go(run, *to, f'"status={name}"'.replace('=wo"', '=wo""'), "--keep-old")
    assert database.rows(f"SELECT {quoted}::text FROM {quoted} ORDER BY id") == [("success",)] * 2


def test_a_character_that_postgresql_has_no_place_for(run: Shell, database: Database) -> None:
    run.write("rows.jsonl", '{"id": 1, "word": "a\\u0000b \\\\u0000"}\n')
    go(run, "--output", database.uri)
    assert database.rows("SELECT word FROM greet_results") == [("a�b \\u0000",)]


def test_a_csv_file_into_a_table_with_types(run: Shell, database: Database) -> None:
    """Text that stands for a value is that value; what does not is refused row by row."""
    run.write("rows.csv", "id,word,grade\n1,a.,7\n2,b.,seven\n")
    database.execute(
        "CREATE TABLE t (id int PRIMARY KEY, word text, grade int, result varchar(100))"
    )
    to = ("--output", database.uri, "--output-table", "t")
    said = go(run, *to, "--write-columns", "result=result", rows="rows.csv")
    assert "2 not there" in said
    exported = run("export", "out", *to, "--columns", "id,word,grade,result")
    assert exported.code == 5
    assert "the row of id '2': invalid input syntax for type integer" in exported.err
    assert database.rows("SELECT id, grade FROM t") == [(1, 7)]


def test_numbers_beyond_a_bigint_have_a_column_that_holds_them(
    run: Shell, database: Database
) -> None:
    greatest = 2**64 - 1
    ids, lists = pa.uint64(), pa.list_(pa.uint64())
    table = {"id": pa.array([greatest, 1], ids), "word": ["a", "b"]}
    table |= {"many": pa.array([[greatest], None], lists)}
    pq.write_table(pa.table(table), run.folder / "rows.parquet")
    assert "2 new" in go(run, "--output", database.uri, rows="rows.parquet")
    found = database.rows("SELECT id, many FROM greet_results ORDER BY id DESC")
    assert found == [(greatest, [greatest]), (1, None)]


def test_options_of_a_database_need_one(run: Shell) -> None:
    assert "are for a database" in refused(run, "--write-columns", "result=a")
    assert "are for a database" in refused(run, "--keep-old")
    assert "is of no known kind" in refused(run, "--output", "mysql://me:secret@host/db")


def test_what_people_mended_in_the_table_stays(run: Shell, database: Database) -> None:
    """Only what changed in the run is written; a table that is packed anew is no other table."""
    go(run, "--output", database.uri)
    database.execute("UPDATE greet_results SET result = 'by hand' WHERE id = 4")
    database.execute("VACUUM FULL greet_results")
    go(run, "--output", database.uri)
    assert database.rows("SELECT id FROM greet_results WHERE result = 'by hand'") == [(4,)]


def test_json_goes_into_a_column_of_json(run: Shell, database: Database) -> None:
    schema = 'schema = { type = "object", properties = { a = { type = "integer" } } }'
    run.write("greet.toml", TASK.replace('kind = "text"', f'kind = "json"\n{schema}'))
    database.execute(
        "CREATE DOMAIN small AS int CHECK (VALUE < 100)",
        "CREATE TABLE t (id small PRIMARY KEY, answer jsonb, tries small, model varchar(5))",
    )
    database.execute("INSERT INTO t SELECT generate_series(1, 12)")
    to = ("--output", database.uri, "--output-table", "t", "--write-columns")
    go(run, *to, "result=answer,attempts=tries")
    assert database.rows("SELECT COUNT(*) FROM t WHERE jsonb_typeof(answer) = 'object'") == [(12,)]
    said = go(run, *to, "model=model", code=5)
    assert "value too long for type character varying(5)" in said  # and not cut off


def test_a_history_of_another_shape_is_refused(run: Shell, database: Database) -> None:
    database.execute("CREATE TABLE greet_results_history (id int)")
    said = refused(run, "--output", database.uri, "--keep-old")
    assert "greet_results_history: it has no column 'word'" in said


def test_an_id_by_the_name_of_a_result(run: Shell, database: Database) -> None:
    run.write("greet.toml", 'id = "model"\n' + TASK)
    run.write("rows.jsonl", '{"model": "m1", "word": "a."}\n')
    database.execute("CREATE TABLE t (model text PRIMARY KEY, answer text)")
    database.execute("INSERT INTO t VALUES ('m1')")
    to = ("--output", database.uri, "--output-table", "t", "--write-columns", "result=answer")
    assert "1 changed" in go(run, *to)


def test_a_server_that_takes_no_writes(run: Shell, database: Database) -> None:
    (name,) = database.rows("SELECT current_database()")[0]
    database.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    assert "takes no writes" in refused(run, "--output", database.uri)


def test_an_id_that_is_the_rows_content(run: Shell, database: Database) -> None:
    run.write("greet.toml", 'id = "row"\n' + TASK)
    go(run, "--output", database.uri)
    assert database.rows("SELECT COUNT(DISTINCT id) FROM greet_results") == [(12,)]
    assert "0 new" in go(run, "--output", database.uri)


def test_a_table_that_somebody_holds_is_not_waited_for_for_ever(
    run: Shell, database: Database
) -> None:
    options = ("--output", database.uri, "--output-patience", "0.1")
    assert "12 new" in go(run, *options)
    with (run.folder / "rows.jsonl").open("a") as file:
        file.write('{"id": 13, "word": "word13."}\n')
    with psycopg.connect(database.uri) as holder:
        holder.execute("LOCK TABLE greet_results")
        said = go(run, *options, code=5)
        assert "Somebody holds a lock on the table" in said
        assert "13 succeeded, 0 failed, 0 pending" in said
    assert "table greet_results: 1 new" in go(run, *options)
