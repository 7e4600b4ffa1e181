"""A PostgreSQL server for all tests of a worker, and a database for each."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from postgres.cluster import Cluster, Database


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
