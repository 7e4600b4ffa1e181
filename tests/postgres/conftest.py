"""A PostgreSQL server for all tests of a worker, and a database for each."""

import json
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from command_line import Shell

from postgres.cluster import Cluster, Database
from postgres.write_back import TASK


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """One server for all tests of a worker; who ends it starts it again.

    Not in pytest's folder: that shuts out other users, and root's server is run by another.
    """
    with TemporaryDirectory(prefix="processor-pg-", ignore_cleanup_errors=True) as folder:
        cluster = Cluster(Path(folder) / "data")
        yield cluster
        cluster.remove()


@pytest.fixture(scope="module")
def database_of_module(cluster: Cluster) -> Database:
    """A database for all examples of a test, which clears it."""
    return cluster.new_database()


@pytest.fixture
def database(cluster: Cluster) -> Database:
    """An empty database."""
    return cluster.new_database()


@pytest.fixture
def run(shell: Shell) -> Shell:
    """A shell in front of twelve rows to greet."""
    shell.write("greet.toml", TASK)
    rows = [{"id": n, "word": f"word{n}."} for n in range(1, 13)]
    shell.write("rows.jsonl", "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows))
    return shell
