"""Every type comes back equal in the table that a run makes, and as the same type."""

import pytest
from command_line import Shell

from postgres.cluster import Database
from postgres.test_source_types import fill
from postgres.write_back import TASK

DECLARED = """
SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute
WHERE attrelid = %s::regclass AND attnum > 0 AND attname ~ '^c[0-9]'
"""
# A query does not tell that a column is of a domain: what comes back is what the domain is of.
DOMAINS = {"grade": "integer", "tags": "text[]"}


@pytest.mark.parametrize("in_arrays", [False, True])
def test_every_type_comes_back_equal(shell: Shell, database: Database, *, in_arrays: bool) -> None:
    names = fill(database, in_arrays=in_arrays)
    shell.write("greet.toml", TASK.replace("word", "id"))
    command = ("--task", "greet.toml", "--input", database.uri, "--table", "before")
    done = shell.run(*command)
    assert done.code == 0, done.err
    before = [f"c{place}::text" for place in range(len(names))]
    query = f"SELECT id, {', '.join(before)} FROM {{}} ORDER BY id"
    assert database.rows(query.format("greet_results")) == database.rows(query.format("before"))
    types = dict(database.rows(DECLARED, ("before",)))
    domains = {f"c{place}": DOMAINS.get(name) for place, name in enumerate(names)}
    expected = {
        name: domains[name] if not in_arrays and domains[name] else kind
        for name, kind in types.items()
    }
    assert dict(database.rows(DECLARED, ("greet_results",))) == expected
    again = shell("export", "--output", database.uri)
    assert "0 new · 0 changed" in again.out, again.out + again.err
