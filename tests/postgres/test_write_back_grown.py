"""Results that gained columns since their table was made."""

import json

import psycopg
import pytest
from command_line import Shell

from postgres.cluster import Cluster, Database
from postgres.write_back import TASK, go, guarded, stored


def grown(shell: Shell, *columns: str) -> None:
    """The same rows with more columns, and one row more."""
    rows = [{"id": n, "word": f"word{n}.", **dict.fromkeys(columns, n)} for n in range(1, 14)]
    shell.write("rows.jsonl", "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows))


@pytest.mark.parametrize("name", ["age", 'a"b', "나이"])
def test_a_column_that_the_source_gained_is_added_to_a_table_of_ours(
    run: Shell, database: Database, name: str
) -> None:
    to = ("--output", database.uri, "--keep-old")
    go(run, *to)
    grown(run, name)
    before = stored(database, "greet_results")
    assert f"greet_results gets a column {name!r} (bigint)" in go(run, *to, "--dry-run")
    assert stored(database, "greet_results") == before
    go(run)  # without the output, so that there is something to rehearse
    rehearsed = run("export", "out", *to, "--dry-run")
    assert f"greet_results gets a column {name!r} (bigint)" in rehearsed.out, rehearsed.err
    assert "1 new · 12 changed" in rehearsed.out
    assert stored(database, "greet_results") == before
    said = go(run, *to)
    assert "1 new · 12 changed" in said
    assert f"greet_results gets a column {name!r} (bigint)" in said
    there = {row["id"]: row[name] for row in stored(database, "greet_results")}
    assert there == {str(n): str(n) for n in range(1, 14)}
    assert name in stored(database, "greet_results_history")[0]
    log = max(run.folder.glob("logs/batch_conversion_*.log")).read_text()
    assert "gets a column" in log
    assert "0 new · 0 changed" in run("export", "out", *to).out


@pytest.mark.parametrize("comment", ["NULL", "'Made by processor for the results of greets.'"])
def test_a_table_that_was_not_made_for_the_task_is_left_as_it_is(
    run: Shell, database: Database, comment: str
) -> None:
    go(run, "--output", database.uri)
    database.execute(f"COMMENT ON TABLE greet_results IS {comment}")
    before = stored(database, "greet_results")
    grown(run, "ages", "words")
    said = go(run, "--output", database.uri, code=1)
    assert "table public.greet_results: it has no column 'ages'" in said
    addition = 'ALTER TABLE "public"."greet_results" ADD COLUMN IF NOT EXISTS "ages" bigint, '
    assert f'{addition}ADD COLUMN IF NOT EXISTS "words" bigint' in said
    assert stored(database, "greet_results") == before
    assert run.stats()["received"] == 12
    database.execute(said[said.index("ALTER") : said.index("; or choose")])
    go(run, "--output", database.uri)
    assert len(stored(database, "greet_results")) == 13


def test_who_does_not_own_the_table_is_told_whom_to_ask(
    run: Shell, cluster: Cluster, database: Database
) -> None:
    go(run, "--output", database.uri)
    database.execute(f"GRANT SELECT, INSERT, UPDATE ON greet_results TO {cluster.guarded}")
    grown(run, "age")
    said = go(run, "--output", guarded(cluster, database), code=1)
    assert "Ask its owner: ALTER TABLE" in said


def test_a_table_in_use_for_long_is_not_waited_for(run: Shell, database: Database) -> None:
    go(run, "--output", database.uri)
    grown(run, "age")
    (name,) = database.rows("SELECT current_database()")[0]
    database.execute(f"ALTER DATABASE {name} SET lock_timeout = '50ms'")
    with psycopg.connect(database.uri) as reader:
        reader.execute("SELECT FROM greet_results")
        said = go(run, "--output", database.uri, code=1)
        assert "lock timeout. Somebody holds a lock on the table" in said
    assert "1 new" in go(run, "--output", database.uri)


def test_keys_that_a_json_answer_gained_are_columns_too(run: Shell, database: Database) -> None:
    def keyed(*names: str) -> str:
        keys = ", ".join(f'{name} = {{ type = "integer" }}' for name in names)
        schema = f'schema = {{ type = "object", properties = {{ {keys} }} }}'
        return TASK.replace('kind = "text"', f'kind = "json"\ncolumns = true\n{schema}')

    run.write("greet.toml", keyed("a"))
    go(run, "--output", database.uri)
    run.write("greet.toml", keyed("a", "b"))
    said = go(run, "--output", database.uri, "--accept-change")
    assert "gets a column 'b' (bigint)" in said
