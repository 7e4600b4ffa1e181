"""The writing half of the data benchmark: a finished run into a table of a database.

    python scripts/_write_back.py FOLDER        gives every pending item of a run an outcome

That is a process of its own, because the kernel tells the memory of a child only where it is more
than its parent ever held.
"""

import sys
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import psycopg
from _bench import Child, Figure, Spent, shown

from processor import machine
from processor.items import Accepted, Item, Outcome, Usage
from processor.ledger import database
from processor.ledger.commit import write
from processor.ledger.ledger import open_ledger

__all__ = ["answer_all", "figures"]

_SLICE_ITEMS = 2_000
_BLOCK_BYTES = 1 << 16
_LEAST_PER_S = 20_000.0
_MOST_MB = 200.0
_TABLE = "benchmark_results"


def answer_all(folder: Path) -> None:
    """Give every pending item of a run an outcome, without asking anybody."""
    spent = Child([str(Path(__file__)), str(folder)], cwd=folder).wait()
    assert spent.exit_code == 0, "a ledger that was just made can be written"


def _answer_all(folder: Path) -> None:
    with open_ledger(folder) as ledger:
        session = ledger.start_session({"provider": "sandbox"})
        pending = ledger.pending()
        while part := [_answered(one.item) for one in islice(pending, _SLICE_ITEMS)]:
            with database.transaction(ledger.connection):
                write(ledger.connection, part, lambda *_: 0.000125, session)
        ledger.end_session(session, 0)


def figures(uri: str, folder: Path) -> Iterator[Figure]:
    """What writing a finished run costs: into a new table, and again into the same.

    Args:
        uri: A database, in which a table is made.
        folder: The run's.
    """
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute(f"DROP TABLE IF EXISTS {_TABLE}")
    made = _export(uri, folder)
    rows, copy_s = _copied(uri, folder / "rows.copy")
    again = _export(uri, folder)
    yield _speed(
        "rows written to a new table", rows, made.wall_s, f"bare COPY {rows / copy_s:,.0f}"
    )
    yield _speed("rows told again, none of them changed", rows, again.wall_s, "")
    yield Figure(
        name="peak memory of writing",
        value=made.peak_mb or machine.peak_rss_mb(),  # it held less than we do
        target=_MOST_MB,
        unit="MB",
        detail=shown(made.cpu_s / rows * 1e6, "µs of CPU a row"),
    )


def _speed(name: str, rows: int, seconds: float, detail: str) -> Figure:
    return Figure(
        name=name,
        value=rows / seconds,
        target=_LEAST_PER_S,
        at_most=False,
        unit="rows/s",
        detail=f"{rows:,} rows in {shown(seconds, 's')}; {detail}".rstrip("; "),
    )


def _export(uri: str, folder: Path) -> Spent:
    said = folder / "export.txt"
    arguments = ["-m", "processor", "export", str(folder), "--output", uri]
    spent = Child([*arguments, "--output-table", _TABLE], cwd=folder, output=said).wait()
    if spent.exit_code:
        raise SystemExit(said.read_text(encoding="utf-8"))
    return spent


def _copied(uri: str, path: Path) -> tuple[int, float]:
    """The same rows by a bare COPY into a second table: how many, and in how many seconds."""
    with psycopg.connect(uri, autocommit=True) as connection, connection.cursor() as cursor:
        with path.open("wb") as file, cursor.copy(f"COPY {_TABLE} TO STDOUT") as copy:
            file.writelines(copy)
        connection.execute(f"CREATE TEMP TABLE again (LIKE {_TABLE} INCLUDING ALL)")
        begun_s = time.perf_counter()
        with path.open("rb") as file, cursor.copy("COPY again FROM STDIN") as copy:
            while block := file.read(_BLOCK_BYTES):
                copy.write(block)
        taken_s = time.perf_counter() - begun_s
        (count,) = connection.execute("SELECT COUNT(*) FROM again").fetchone() or (0,)
    path.unlink()
    return int(count), taken_s


def _answered(item: Item) -> Outcome:
    return Outcome(
        item=item,
        lane="direct",
        attempts=1,
        latency_ms=812.3,
        answered=True,
        accepted=Accepted(result=rf"x^2 + \frac{{1}}{{{item.seq}}}", check="verified"),
        model="gpt-6-luna",
        usage=Usage(prompt_tokens=350, completion_tokens=22),
        request_id="req",
    )


if __name__ == "__main__":
    _answer_all(Path(sys.argv[1]))
