"""Embeddings as a column: of Parquet files, of tables, of a column that is made for vectors."""

import json
import re
import struct
from collections.abc import Sequence
from pathlib import Path

import pytest
from command_line import Shell
from npy import read_npy
from pyarrow import parquet as pq

from postgres.cluster import Database

TASK = """\
name = "embed"
model = "text-embedding-3-small"
prompt = "{{ word }}"
[parameters]
dimensions = 3
[output]
kind = "embedding"
"""


@pytest.fixture
def embedded(shell: Shell, database: Database) -> Shell:
    """A run that has embedded six rows into the table `embed_results`."""
    shell.write("embed.toml", TASK)
    rows = [{"id": n, "word": f"word{n}."} for n in range(1, 7)]
    shell.write("rows.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    command = ("--task", "embed.toml", "--input", "rows.jsonl", "--out", "out")
    done = shell.run(*command, "--output", database.uri)
    assert done.code == 0, done.err
    return shell


def vectors(folder: Path) -> dict[int, tuple[float, ...]]:
    """By id, as the run folder has them."""
    lines = (folder / "embeddings_ids.jsonl").read_text().splitlines()
    matrix = read_npy(folder / "embeddings.npy")
    return {json.loads(line)["id"]: row for line, row in zip(lines, matrix, strict=True)}


def rounded(numbers: Sequence[float]) -> tuple[float, ...]:
    """The nearest float32 of each."""
    return struct.unpack(f"<{len(numbers)}f", struct.pack(f"<{len(numbers)}f", *numbers))


def test_a_table_gets_arrays_and_a_file_gets_lists(embedded: Shell, database: Database) -> None:
    expected = vectors(embedded.folder / "out")
    assert len(expected) == 6
    found = dict(database.rows("SELECT id, embedding FROM embed_results"))
    assert {key: rounded(vector) for key, vector in found.items()} == expected
    ((kind,),) = database.rows("SELECT DISTINCT pg_typeof(embedding)::text FROM embed_results")
    assert kind == "real[]"
    assert "0 new · 0 changed" in embedded("export", "out", "--output", database.uri).out
    assert embedded("export", "out", "--output", "a.parquet").code == 0
    table = pq.read_table(embedded.folder / "a.parquet")
    assert str(table.schema.field("embedding").type) == "list<element: float>"
    found = dict(zip(table["id"].to_pylist(), table["embedding"].to_pylist(), strict=True))
    assert {key: tuple(vector) for key, vector in found.items()} == expected


@pytest.mark.parametrize("kind", ["vector(3)", "vector", "halfvec(3)", "double precision[]"])
def test_a_column_for_vectors_takes_them(embedded: Shell, database: Database, kind: str) -> None:
    database.execute(
        "CREATE EXTENSION IF NOT EXISTS vector", f"CREATE TABLE t (id int PRIMARY KEY, v {kind})"
    )
    database.execute("INSERT INTO t SELECT generate_series(1, 6)")
    to = ("--output", database.uri, "--output-table", "t", "--write-columns", "embedding=v")
    done = embedded("export", "out", *to)
    assert done.code == 0, done.err
    expected = vectors(embedded.folder / "out")
    found = database.rows("SELECT id, v::real[] FROM t")
    slack = 1e-3 if kind.startswith("halfvec") else 0
    assert len(found) == len(expected)
    for key, vector in found:
        assert rounded(vector) == pytest.approx(expected[key], abs=slack, rel=0)


def test_a_table_of_ours_may_be_given_a_column_for_vectors(
    embedded: Shell, database: Database
) -> None:
    database.execute(
        "CREATE EXTENSION IF NOT EXISTS vector",
        "ALTER TABLE embed_results ALTER embedding TYPE vector(3)",
        "DELETE FROM embed_results WHERE id = 2",
    )
    done = embedded("export", "out", "--output", database.uri)
    assert "1 new · 0 changed · 5 as they were" in done.out, done.err
    query = "SELECT id FROM embed_results ORDER BY embedding <-> (SELECT embedding {}) LIMIT 1"
    nearest = query.format("FROM embed_results WHERE id = 2")
    assert database.rows(nearest) == [(2,)]


def test_vectors_of_another_length_are_refused_row_by_row(
    embedded: Shell, database: Database
) -> None:
    database.execute(
        "CREATE EXTENSION IF NOT EXISTS vector", "CREATE TABLE t (id int PRIMARY KEY, v vector(4))"
    )
    database.execute("INSERT INTO t VALUES (1)")
    to = ("--output", database.uri, "--output-table", "t", "--write-columns", "embedding=v")
    done = embedded("export", "out", *to)
    assert done.code == 5
    assert "expected 4 dimensions, not 3" in done.err


def test_the_other_forms_are_as_they_were(embedded: Shell) -> None:
    for name in ("a.csv", "a.jsonl"):
        assert embedded("export", "out", "--output", name).code == 0
        head = (embedded.folder / name).read_text().splitlines()[0]
        assert "embedding" not in re.split(r'[",]', head)
    done = embedded("export", "out", "--output", "b.csv", "--columns", "id,embedding")
    assert done.code == 1
    assert "no column 'embedding'. Vectors go into .parquet files and databases" in done.err


def test_a_column_of_the_input_by_that_name_gives_it_up(shell: Shell) -> None:
    shell.write("embed.toml", TASK.replace("word", "embedding"))
    shell.write("rows.csv", "id,embedding\n1,a\n")
    options = ("--output", "a.parquet", "--output", "a.csv")
    assert shell.run("--task", "embed.toml", "--input", "rows.csv", *options).code == 0
    names = pq.read_schema(shell.folder / "a.parquet").names
    assert {"input_embedding", "embedding"} <= set(names)
    head = (shell.folder / "a.csv").read_text(encoding="utf-8-sig").splitlines()[0].split(",")
    assert "input_embedding" in head
