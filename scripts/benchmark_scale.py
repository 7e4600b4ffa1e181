"""Measures what a run costs at a million items, beside what it costs at ten thousand.

    python scripts/benchmark_scale.py               a million items: about ten minutes
    python scripts/benchmark_scale.py --quick       fifty thousand: about a minute

Runs are processes of `processor run` against a sandbox process that answers at once: a text task
through Jinja2, with ledger, chunk files, logs, statistics and tables. What is measured:

- start: `processor --help`; and from the start of `processor run` to its first request.
- time: from the session's start to its end, import and tables included, by the ledger's account.
- CPU: of the process and its threads, less what a run of a thousand items takes.
- memory: the peak of the process, by the kernel's account.
- write-ahead log: its size while items are sent, first with nobody beside the run, then with a
  process that takes a snapshot every 0.2 s and one that reads a chunk every 0.2 s, then with one
  more that keeps a read transaction open for some seconds.
- resume: that run is killed when half of it is done; from the start of the same command to its
  first request.

The exit code is 1 when a target is missed. Other work on the machine spoils the figures.
"""

import argparse
import json
import signal
import statistics
import struct
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from _bench import (
    Child,
    Figure,
    Server,
    Spent,
    median_of,
    report,
    serving,
    shown,
    table,
    write_rows,
    write_task,
)

from processor.ledger.database import LEDGER_NAME
from processor.watch import snapshot

_READERS = Path(__file__).with_name("_readers.py")
_FEW, _SMALL, _LARGE, _QUICK = 1_000, 10_000, 1_000_000, 50_000
_READ_LEAST = 100_000  # fewer are done before the readers have been seen
_HELPS, _STARTS, _SMALL_RUNS, _RESUMES = 10, 7, 4, 3
_LOOK_S = 0.05
_PROGRESS_S = 0.25
_SETTLE_S = 1.0
_HELD_S = 3.0
_LARGE_MB = 200.0
# Of the wal-index, as SQLite's "WAL-mode File Format" has it: szPage and mxFrame.
_INDEX_HEAD = struct.Struct("=14xHI")
_FRAME_HEAD_BYTES = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A run that came to its end.

    Attributes:
        figures: What `conversion_stats.json` says.
        first_s: From the start of the process to its first request.
    """

    items: int
    spent: Spent
    figures: dict[str, Any]
    first_s: float

    @property
    def item_us(self) -> float:
        """Microseconds of time for each item."""
        return float(self.figures["elapsed_s"]) / self.items * 1e6

    @property
    def peak_mb(self) -> float:
        """Peak memory of the process."""
        assert self.spent.peak_mb is not None, "the benchmark itself is larger than the run"
        return self.spent.peak_mb


@dataclass(slots=True)
class Bench:
    """A folder with a task and tables, a server, and the processes that were started."""

    folder: Path
    server: Server
    children: list[Child] = field(default_factory=list)

    def start(self, items: int, out: str) -> Child:
        """`processor run` over a table of so many rows; resumes when `out` is there."""
        rows = self.folder / f"{items}.jsonl"
        if not rows.exists():
            write_rows(rows, items)
        self.server.reset()
        command = ["-m", "processor", "run", "--task", "task.toml", "--input", rows.name]
        child = Child(
            [*command, "--base-url", self.server.url, "--out", out, "--quiet"],
            cwd=self.folder,
            env={"OPENAI_API_KEY": "sk-benchmark"},
            output=self.folder / f"{out}.txt",
        )
        self.children.append(child)
        return child

    def read(self, kind: str, out: str) -> Child:
        """A process that reads a run's ledger; see `_readers.py`."""
        arguments = [str(_READERS), kind, out]
        child = Child(arguments, cwd=self.folder, output=self.folder / f"{kind}.txt")
        self.children.append(child)
        return child

    def run(self, items: int, out: str) -> Done:
        """A run from its start to its end; everything must have succeeded."""
        return self.finish(self.start(items, out), items, out)

    def finish(self, child: Child, items: int, out: str) -> Done:
        """Wait for a run's end."""
        spent = child.wait()
        if spent.exit_code:
            raise SystemExit((self.folder / f"{out}.txt").read_text())
        figures = json.loads((self.folder / out / "conversion_stats.json").read_text())
        if figures["succeeded"] != items or not figures["reconciled"]:
            raise SystemExit(f"{out}: {figures}")
        arrived = self.server.stats()["first_arrival"]
        return Done(items=items, spent=spent, figures=figures, first_s=arrived - child.started_at)

    def first_request_s(self, child: Child) -> float:
        """Wait for a process's first request; returns the seconds since its start."""
        until(lambda: self.server.stats()["received"] > 0, child)
        arrived: float = self.server.stats()["first_arrival"]
        return arrived - child.started_at

    def finished(self, out: str) -> int:
        """How many items of a run have an outcome."""
        return snapshot.take(self.folder / out).finished


class Wal:
    """Watches from a thread how much of a run's write-ahead log is in use.

    The file's size would not tell: what an import made it grow to stays, up to a limit.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / f"{LEDGER_NAME}-shm"
        self._most_mb = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="wal", daemon=True)
        self._thread.start()

    def now_mb(self) -> float:
        """From its beginning to the last frame that was committed."""
        try:
            with self._path.open("rb") as file:
                head = file.read(_INDEX_HEAD.size)
        except FileNotFoundError:
            return 0.0
        if len(head) < _INDEX_HEAD.size:
            return 0.0
        page_bytes, frames = _INDEX_HEAD.unpack(head)
        return float(frames * (page_bytes + _FRAME_HEAD_BYTES)) / 1e6

    def most_mb(self) -> float:
        """Its greatest size since this was asked last."""
        most, self._most_mb = self._most_mb, 0.0
        return max(most, self.now_mb())

    def close(self) -> None:
        """Stop watching."""
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(_LOOK_S):
            self._most_mb = max(self._most_mb, self.now_mb())


def until(holds: Callable[[], bool], *alive: Child, every_s: float = _LOOK_S) -> None:
    """Until it holds; all of these processes must live so long."""
    while not holds():
        for child in alive:
            if child.ended() is not None:
                raise SystemExit("a process of the benchmark ended before its time")
        time.sleep(every_s)


# --- what is measured --------------------------------------------------------------------------


def measure_help(folder: Path) -> Figure:
    """`processor --help`."""
    taken_s = [
        Child(["-m", "processor", "--help"], cwd=folder).wait().wall_s for _ in range(_HELPS)
    ]
    return Figure(
        name="`processor --help`",
        value=statistics.median(taken_s),
        target=0.2,
        unit="s",
        detail=median_of(taken_s),
    )


def first_requests(starts: list[Done]) -> Figure:
    """From the start of the process to its first request, a thousand rows to import."""
    firsts_s = [done.first_s for done in starts]
    return Figure(
        name="`run` to its first request",
        value=statistics.median(firsts_s),
        target=0.6,
        unit="s",
        detail=median_of(firsts_s),
    )


def growth(few: list[Done], small: list[Done], large: Done) -> Iterator[Figure]:
    """What the large run costs beside the small ones."""

    def compare(what: str, of: Callable[[Done], float], unit: str, target: float) -> Figure:
        one = statistics.median(map(of, small))
        return Figure(
            name=f"{what} at {large.items:,} / at {_SMALL:,}",
            value=of(large) / one,
            target=target,
            detail=f"{shown(of(large), unit)} / {shown(one, unit)}",
        )

    start_s = statistics.median(done.spent.cpu_s for done in few)

    def cpu_us(done: Done) -> float:
        return (done.spent.cpu_s - start_s) / (done.items - _FEW) * 1e6

    import_s = large.figures["stages_s"]["import"]
    yield Figure(
        name="import",
        value=large.items / import_s,
        target=100_000,
        at_most=False,
        unit="rows/s",
        detail=f"{large.items:,} rows in {shown(import_s, 's')}",
    )
    yield compare("time an item", lambda done: done.item_us, "µs", 1.1)
    yield compare("CPU an item", cpu_us, "µs", 1.1)
    yield compare("peak memory", lambda done: done.peak_mb, "MB", 1.2)
    yield Figure(
        name=f"peak memory at {large.items:,}", value=large.peak_mb, target=_LARGE_MB, unit="MB"
    )


@contextmanager
def watched(bench: Bench, out: str) -> Iterator[Wal]:
    """Watch a run's write-ahead log."""
    wal = Wal(bench.folder / out)
    try:
        yield wal
    finally:
        wal.close()


def measure_readers(bench: Bench, items: int, out: str) -> list[Figure]:
    """Half of a run with readers beside it; then it is killed and resumed."""
    run = bench.start(items, out)
    bench.first_request_s(run)
    phases: list[tuple[str, ...]] = []

    def phase(name: str, share: float, *alive: Child, least_s: float = _SETTLE_S) -> float:
        """Go on to a share of the items; returns the greatest size of the log meanwhile."""
        wal.most_mb()
        begun_s, from_items = time.monotonic(), bench.finished(out)
        time.sleep(least_s)
        until(lambda: bench.finished(out) >= share * items, run, *alive, every_s=_PROGRESS_S)
        most_mb = wal.most_mb()
        sent = bench.finished(out) - from_items
        rate = sent / (time.monotonic() - begun_s)
        phases.append((name, f"{rate:,.0f}", shown(most_mb), shown(wal.now_mb())))
        return most_mb

    with watched(bench, out) as wal:
        phase("right after the import", 0.02)
        alone_mb = phase("nobody", 0.16)
        kind = [bench.read("snapshots", out), bench.read("chunks", out)]
        kind_mb = phase("a monitor, a reader of chunks", 0.32, *kind)
        held = bench.read("holds", out)
        held_mb = phase("and a transaction held open", 0.0, *kind, held, least_s=_HELD_S)
        held.kill()
        begun_s = time.monotonic()
        until(lambda: wal.now_mb() <= max(alone_mb, kind_mb), run, *kind)
        back_s = time.monotonic() - begun_s
        phase("a monitor, a reader of chunks", 0.5, *kind)
    for child in (run, *kind):
        child.kill()
    print(f"\nThe write-ahead log of {items:,} items:\n")
    print(table(("beside the run", "items/s", "most MB", "MB at the end"), phases), flush=True)
    return [
        Figure(
            name="write-ahead log with kind readers / with none",
            value=kind_mb / alone_mb,
            target=1.2,
            detail=f"{shown(kind_mb, 'MB')} / {shown(alone_mb, 'MB')}",
        ),
        Figure(
            name="write-ahead log back to that after an unkind one",
            value=back_s,
            target=5.0,
            unit="s",
            detail=f"{shown(held_mb, 'MB')} after {_HELD_S:g} s",
        ),
        measure_resume(bench, items, out),
    ]


def measure_resume(bench: Bench, items: int, out: str) -> Figure:
    """A killed run resumed and killed again, from its start to its first request."""
    firsts_s = []
    for _ in range(_RESUMES):
        run = bench.start(items, out)
        firsts_s.append(bench.first_request_s(run))
        run.kill()
    return Figure(
        name=f"resume of {items:,}, half done, to its first request",
        value=statistics.median(firsts_s),
        target=3.0,
        unit="s",
        detail=median_of(firsts_s),
    )


def measure(bench: Bench, items: int) -> list[Figure]:
    """Everything, the small runs before and after the large one."""
    note("start")
    figures = [measure_help(bench.folder)]
    bench.run(_FEW, "warm")
    few = [bench.run(_FEW, f"few{n}") for n in range(_STARTS)]
    figures.append(first_requests(few))
    note(f"runs of {_SMALL:,}")
    small = [bench.run(_SMALL, f"small{n}") for n in range(_SMALL_RUNS // 2)]
    note(f"a run of {items:,}")
    large = bench.run(items, "large")
    note(f"runs of {_SMALL:,}")
    small += [bench.run(_SMALL, f"small{n}") for n in range(_SMALL_RUNS // 2, _SMALL_RUNS)]
    figures += growth(few, small, large)
    items = max(items, _READ_LEAST)
    note(f"half a run of {items:,}, with readers beside it")
    return [*figures, *measure_readers(bench, items, "read")]


def note(doing: str) -> None:
    """Say what is done now."""
    print(f"{time.strftime('%H:%M:%S')} {doing}", file=sys.stderr, flush=True)


def main() -> int:
    """Measure as the command line says; returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--items", type=int, default=_LARGE, help="of the large run")
    parser.add_argument("--quick", action="store_true", help=f"a large run of {_QUICK:,} items")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # ends the processes, too
    with tempfile.TemporaryDirectory(prefix="benchmark-") as name, serving() as server:
        bench = Bench(folder=Path(name), server=server)
        write_task(bench.folder / "task.toml")
        try:
            return report(measure(bench, _QUICK if options.quick else options.items))
        finally:
            for child in bench.children:
                child.kill()


if __name__ == "__main__":
    sys.exit(main())
