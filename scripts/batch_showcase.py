"""A large run by batch, killed twice on the way, and what came of every row.

    python scripts/batch_showcase.py                      120,000 rows: half a minute
    python scripts/batch_showcase.py --rows 3000 --shard-size 1250

`processor run --route batch --sandbox` on made-up rows, of which one in a hundred fails when it is
asked for the first time. The process is killed with SIGKILL when its first batch has been created,
and again when a third of the results are recorded; the same command then comes to its end. The
sandbox dies with each start, and the next one finds its files and batches in the run folder.

What is printed is counted at the end: rows in the input, in the ledger and in the files of results;
batches and charges by the sandbox. The exit code is 1 when a row is lost or doubled.
"""

import argparse
import csv
import json
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from _bench import machine_line, table, write_rows, write_task

from processor.ledger.database import LEDGER_NAME
from processor.sandbox_process import sandbox

_FAILS_FIRST = 0.01
_STATE = "sandbox"  # of the run folder
_TICK_S = 0.01
_PATIENCE_S = 600.0
_NO_BATCH = frozenset({"failed", "cancelled"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Show:
    """A working directory with a table.

    Attributes:
        rows: Of the table.
        shard_size: Rows of a shard at most.
    """

    path: Path
    rows: int
    shard_size: int

    @property
    def out(self) -> Path:
        """The run folder."""
        return self.path / "out"

    def start(self) -> "subprocess.Popen[bytes]":
        """The command; the same one every time."""
        fault = f"server_error:on=line,rate={_FAILS_FIRST},times=1"
        command = [sys.executable, "-m", "processor", "run", "--task", "task.toml", "--quiet"]
        command += ["--input", "rows.jsonl", "--out", "out", "--route", "batch", "--grace", "5"]
        command += ["--shard-size", str(self.shard_size)]
        command += ["--sandbox", "--sandbox-args", f"--latency-ms 0 --fault {fault}"]
        return subprocess.Popen(command, cwd=self.path)  # noqa: S603 - our own command

    def query(self, sql: str) -> int:
        """Ask the ledger for a number; 0 while there is none to ask."""
        try:
            with closing(sqlite3.connect(f"file:{self.out}/{LEDGER_NAME}?mode=ro", uri=True)) as it:
                return int(it.execute(sql).fetchone()[0])
        except sqlite3.OperationalError:
            return 0


Moment = tuple[str, Callable[[Show], bool]]

MOMENTS: Sequence[Moment] = (
    ("first batch", lambda show: show.query("SELECT COUNT(*) FROM batches") >= 1),
    ("a third", lambda show: show.query("SELECT COUNT(*) FROM outcomes") >= show.rows / 3),
)


def kill(show: Show, moment: Moment) -> bool:
    """Start, and kill when the moment has come; whether it was still alive then."""
    _, has_come = moment
    process = show.start()
    patience_s = time.monotonic() + _PATIENCE_S
    while process.poll() is None and not has_come(show):
        if time.monotonic() > patience_s:
            process.kill()
            raise TimeoutError
        time.sleep(_TICK_S)
    process.kill()
    return process.wait() < 0


def charges(show: Show) -> tuple[Mapping[str, Any], Sequence[Mapping[str, Any]]]:
    """What the sandbox has charged, and its batches, in the order of their creation."""
    with sandbox(["--state", str(show.out / _STATE)]) as url:
        return _told(url, "charges"), _told(url, "batches")["batches"]


def _told(url: str, route: str) -> Any:
    address = f"{url.removesuffix('/v1')}/sandbox/{route}"
    with urllib.request.urlopen(address) as answer:  # noqa: S310 - our own server
        return json.load(answer)


def results(show: Show) -> Counter[int]:
    """How often each row has a good result, in the files of results."""
    return Counter(
        entry["id"]
        for path in sorted(show.out.glob("conversion_results_batch_*.json"))
        for entry in json.loads(path.read_bytes())["results"]
        if entry["status"] == "success"
    )


def lines_of_table(show: Show) -> int:
    """Rows of `results.csv` with a result."""
    with (show.out / "results.csv").open(encoding="utf-8-sig", newline="") as file:
        return sum(row["status"] == "success" for row in csv.DictReader(file))


def main(arguments: Sequence[str] | None = None) -> int:
    """Print tables; 1 when anything is lost or doubled."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=120_000)
    parser.add_argument("--shard-size", type=int, default=50_000)
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        show = Show(path=Path(folder), rows=given.rows, shard_size=given.shard_size)
        write_task(show.path / "task.toml")
        write_rows(show.path / "rows.jsonl", show.rows)
        print(f"{machine_line()}\n", flush=True)
        return _show(show)


def _show(show: Show) -> int:
    steps = list[tuple[object, ...]]()
    for moment in MOMENTS:
        began_s = time.perf_counter()
        was_killed = kill(show, moment)
        state = "SIGKILL" if was_killed else "too late"
        steps.append((f"killed at {moment[0]}", state, *_stand(show), _since(began_s)))
    began_s = time.perf_counter()
    code = show.start().wait()
    steps.append(("left alone", f"exit code {code}", *_stand(show), _since(began_s)))
    print(table(("start", "ended by", "results", "batches", "seconds"), steps), flush=True)
    charged, batches = charges(show)
    _print_batches(charged, batches)
    is_good = _print_count(show, charged, batches)
    return 0 if is_good and code == 0 and all(step[1] != "too late" for step in steps) else 1


def _stand(show: Show) -> tuple[int, int]:
    """Results and batches that the ledger knows of."""
    return tuple(show.query(f"SELECT COUNT(*) FROM {name}") for name in ("outcomes", "batches"))  # type: ignore[return-value]


def _since(began_s: float) -> str:
    return f"{time.perf_counter() - began_s:.1f}"


def _print_batches(charged: Mapping[str, Any], batches: Sequence[Mapping[str, Any]]) -> None:
    rows = [
        (batch["metadata"]["shard"], batch["status"], sums["lines"], sums["charged"])
        for batch in batches
        for sums in [charged["batches"][batch["id"]]]
    ]
    print(f"\n{table(('batch of shard', 'status', 'lines', 'paid'), rows)}\n")


def _print_count(
    show: Show, charged: Mapping[str, Any], batches: Sequence[Mapping[str, Any]]
) -> bool:
    found = results(show)
    live = [batch for batch in batches if batch["status"] not in _NO_BATCH]
    of_shard = Counter(batch["metadata"]["sha256"] for batch in live)
    figures = {
        "rows": (show.rows, show.rows),
        "results, in the files of results": (found.total(), show.rows),
        "results, in results.csv": (lines_of_table(show), show.rows),
        "results, in the ledger": (show.query("SELECT SUM(succeeded) FROM outcomes"), show.rows),
        "shards": (show.query("SELECT COUNT(*) FROM shards WHERE state = 'settled'"), len(live)),
        "batches live, of one shard at most": (max(of_shard.values(), default=0), 1),
        "batches made too many": (len(batches) - len(of_shard), 0),
        "paid": (charged["charged"], show.rows),
        "paid twice": (charged["items_charged_twice"]["count"], 0),
        "lost": (show.rows - len(found), 0),
        "doubled": (sum(count > 1 for count in found.values()), 0),
    }
    rows = [
        (name, f"{counted:,}", f"{wanted:,}", "yes" if counted == wanted else "**no**")
        for name, (counted, wanted) in figures.items()
    ]
    print(table(("figure", "counted", "must be", "holds"), rows))
    return all(counted == wanted for counted, wanted in figures.values())


if __name__ == "__main__":
    sys.exit(main())
