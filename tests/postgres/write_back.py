"""What the tests of the write-back share: a task, tables as text, results as files have them."""

import csv
from pathlib import Path
from urllib.parse import quote

from command_line import Shell

from postgres.cluster import PASSWORD, Cluster, Database

TASK = """\
name = "greet"
model = "gpt-6-luna"
prompt = "Say {{ word }}."
[output]
kind = "text"
"""


def stored(database: Database, table: str, *, order: str = "id") -> list[dict[str, str | None]]:
    """The rows of a table, each value as PostgreSQL's text."""
    names = [
        name
        for (name,) in database.rows(
            "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 "
            "AND NOT attisdropped ORDER BY attnum",
            (table,),
        )
    ]
    quoted = [name.replace('"', '""') for name in names]
    cells = ", ".join(f'"{name}"::text' for name in quoted)
    found = database.rows(f"SELECT {cells} FROM {table} AS it ORDER BY it.{order}")
    return [dict(zip(names, row, strict=True)) for row in found]


def results(folder: Path) -> list[dict[str, str | None]]:
    """The rows of a run's results.csv, in the order of their ids; nothing stands for NULL there."""
    with (folder / "results.csv").open(encoding="utf-8-sig", newline="") as file:
        rows: list[dict[str, str | None]] = [dict(row) for row in csv.DictReader(file)]
    for row in rows:
        row.update({name: value or None for name, value in row.items()})
    return sorted(rows, key=lambda row: int(row["id"] or 0))


def assert_same(database: Database, table: str, folder: Path) -> None:
    """The table holds what results.csv holds, row for row."""
    there = stored(database, table)
    for row in there:
        row["notes"] = row["notes"] or None
        if row["latency_ms"] is not None:
            row["latency_ms"] = repr(float(row["latency_ms"]))
    for ours, theirs in zip(there, results(folder), strict=True):
        assert ours == theirs, {
            name: (ours.get(name), theirs.get(name))
            for name in {*ours, *theirs}
            if ours.get(name) != theirs.get(name)
        }


def go(shell: Shell, *options: str, rows: str = "rows.jsonl", code: int = 0) -> str:
    """A run of the task; what it said."""
    done = shell.run("--task", "greet.toml", "--input", rows, "--out", "out", *options)
    assert done.code == code, done.err + done.out
    return done.out + done.err


def guarded(cluster: Cluster, database: Database, password: str = PASSWORD) -> str:
    """The address of a database for the role that needs a password."""
    base, _, options = database.uri.partition("?")
    name = base.rpartition("/")[2]
    return f"postgresql://{cluster.guarded}:{quote(password, safe='')}@/{name}?{options}"
