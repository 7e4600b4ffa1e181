"""A PostgreSQL server for all tests of a worker, and a database for each."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from cluster import Cluster, Database


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One server for all tests of a worker; who ends it starts it again."""
    cluster = Cluster(tmp_path_factory.mktemp("pg"))
    yield cluster
    cluster.remove()


@pytest.fixture
def database(cluster: Cluster) -> Database:
    """An empty database."""
    return cluster.new_database()
