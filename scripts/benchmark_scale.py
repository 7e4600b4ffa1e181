"""Measures what a run costs at a million items, beside what it costs at ten thousand.

    python scripts/benchmark_scale.py               a million items: about ten minutes, 2 GB
    python scripts/benchmark_scale.py --quick       fifty thousand: about two minutes

Runs are processes of `processor run` against a sandbox process that answers at once: a text task
through Jinja2, with ledger, chunk files, logs, statistics and tables, in the folder for temporary
files. What is measured:

- start: `processor --help`; and from the start of `processor run` to its first request.
- time: from the session's start to its end, import and tables included, by the ledger's account.
- CPU: of the process and its threads, less what a run of a thousand items takes.
- memory: the peak of the process, by the kernel's account.
- write-ahead log: its size while items are sent, first with nobody beside the run, then with a
  process that takes a snapshot every 0.2 s and one that reads a chunk every 0.2 s, then with one
  more that keeps a read transaction open until the log has grown by half.
- resume: that run is killed when half of it is done; from the start of the same command to its
  first request.

The exit code is 1 when a target is missed. Other work on the machine spoils the figures.
"""

import argparse
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from _bench import Child, Figure, median_of, report, serving, shown, write_task
from _runs import Bench, Done, until
from _wal import beside

_FEW, _SMALL, _LARGE, _QUICK = 1_000, 10_000, 1_000_000, 50_000
_READ_LEAST = 150_000  # fewer are done before the readers have been seen
_HELPS, _STARTS, _SMALL_RUNS, _RESUMES = 10, 7, 4, 3
_LARGE_MB = 200.0


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

    start_time_s = statistics.median(float(done.figures["elapsed_s"]) for done in few)

    def time_us(done: Done) -> float:
        return (float(done.figures["elapsed_s"]) - start_time_s) / (done.items - _FEW) * 1e6

    import_s = large.figures["stages_s"]["import"]
    yield Figure(
        name="import",
        value=large.items / import_s,
        target=100_000,
        at_most=False,
        unit="rows/s",
        detail=f"{large.items:,} rows in {shown(import_s, 's')}",
    )
    yield compare("time an item", time_us, "µs", 1.1)
    yield compare("CPU an item", cpu_us, "µs", 1.1)
    yield compare("peak memory", lambda done: done.peak_mb, "MB", 1.2)
    yield Figure(
        name=f"peak memory at {large.items:,}", value=large.peak_mb, target=_LARGE_MB, unit="MB"
    )


def measure_readers(bench: Bench, items: int, out: str) -> list[Figure]:
    """The first half of a run with readers beside it."""
    with beside(bench, items, out) as it:
        it.phase("right after the import", it.done(0.02))
        alone_mb = it.phase("nobody", it.done(0.17))
        kind = [bench.read("snapshots", out), bench.read("chunks", out)]
        kind_mb = it.phase("a monitor, a reader of chunks", it.done(0.32), *kind)
        unkind = bench.read("holds", out)
        held_mb = it.phase("and a transaction held open", it.grown(kind_mb), *kind, unkind)
        unkind.kill()
        begun_s = time.monotonic()
        until(lambda: it.wal.now_mb() <= kind_mb, it.run, *kind)
        back_s = time.monotonic() - begun_s
        it.phase("a monitor, a reader of chunks", it.done(0.5), *kind)
        for reader in kind:
            reader.kill()
    it.print()
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
            detail=f"from {shown(held_mb, 'MB')}",
        ),
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
    figures += measure_readers(bench, items, "read")
    return [*figures, measure_resume(bench, items, "read")]


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
