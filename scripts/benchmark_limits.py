"""Measures how much of a rate limit a client uses, and how many of its calls are refused.

    python scripts/benchmark_limits.py                     # about seven minutes
    python scripts/benchmark_limits.py --quick             # about one
    python scripts/benchmark_limits.py --rivals openai     # others before a limiter beside us

Every cell of the table is `processor run` with nothing configured, a process in front of
`processor sandbox`, another process that enforces a limit; both live in real time. The limiter is
a bucket that refills all the time, a fixed minute, or a bucket of which one second may take no
more than a sixtieth; `other` is the share of the limit that another client takes all the while.

All figures are the server's own (`/sandbox/limits`), never the client's. The first burst ends 15 s
after the first call: who outruns a limit has emptied its bucket by then. From there to two seconds
before the last call,

    used = what was let through / (what flows in, less the other's share, + what had been saved up)

where a fixed minute is measured over whole minutes (with --quick over seconds). `429` is the share
refused of all calls, the first burst included; `later` is that of the calls after it. `lost` counts
rows without an answer in the end.

A machine that is busy with other things sends late, and what is not sent in time is not used: how
late its timers were is printed beside the figures.
"""

import argparse
import json
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import _rivals
from _bench import Child, Server, machine_line, serving, table, write_task
from _limit_cells import BURST_S, MINUTE_S, Cell, Reached, measure

KINDS = ("bucket", "minute", "second")
THIRD = 1 / 3
ALONE_LEAST = 0.98
SHARED_LEAST = 0.95
REFUSED_MOST = 0.005

_LEAD_S = 8  # from the start of a cell to its first call, about
_START_EVERY_S = 1.5  # processes that start together make each other late
_SPARE_S = 10
_LIGHT_PER_S = 20  # calls a second of a cell that sleeps nearly all of the time
_HEAVY_PER_S = 100  # of one that keeps a core busy for half of it
_AT_ONCE = 2  # heavy ones

_KEY = "sk-benchmark"
_RIVALS_CELL = Cell(kind="bucket", rpm=6_000, seconds=30)
_RIVALS_AT_ONCE = 100  # calls in flight
_RIVALS_TIMEOUT_S = 300.0

Client = Callable[[Server, Path, int], int]
"""Asks about so many rows of a file; returns for how many it has an answer."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What a client reached; `reached` is None when it ended before it could be measured."""

    cell: Cell
    reached: Reached | None
    lost: int

    @property
    def holds(self) -> bool:
        """Whether all targets are reached."""
        target = SHARED_LEAST if self.cell.other else ALONE_LEAST
        return (
            self.reached is not None
            and self.reached.of_left >= target
            and self.reached.refused < REFUSED_MOST
            and self.lost == 0
        )

    def figures(self) -> tuple[str, ...]:
        """What was reached, as columns."""
        if self.reached is None:
            return ("too short", "", "", f"{self.lost:,}")
        return (
            f"{self.reached.of_left:.1%}",
            f"{self.reached.refused:.2%}",
            f"{self.reached.refused_later:.2%}",
            f"{self.lost:,}",
        )

    def columns(self) -> tuple[str, ...]:
        """Of the table of cells."""
        cell = self.cell
        place = (cell.name, f"{cell.other:.0%}", f"{cell.latency_ms:,}")
        return (*place, *self.figures(), "yes" if self.holds else "**no**")


FIGURES = ("used", "429", "later", "lost")
HEAD = ("limit", "other", "latency ms", *FIGURES, "holds")


# --- cells -------------------------------------------------------------------------------------


def full_cells() -> Iterator[Cell]:
    """Every limit before every limiter, alone and beside another client."""
    for kind, other in product(KINDS, (0.0, THIRD)):
        yield Cell(kind=kind, rpm=600, other=other, latency_ms=1_500, seconds=180)
        yield Cell(kind=kind, rpm=3_000, other=other)
        yield Cell(kind=kind, rpm=30_000, other=other, seconds=60 if kind == "minute" else 25)
        yield Cell(kind=kind, rpm=6_000, tpm=200_000, other=other, seconds=120)
    yield Cell(kind="bucket", rpm=30_000, latency_ms=1_500, seconds=25)


def quick_cells() -> Iterator[Cell]:
    """A few of them."""
    for kind in KINDS:
        yield Cell(kind=kind, rpm=600, seconds=30)
        yield Cell(kind=kind, rpm=3_000, other=THIRD, seconds=30)
    yield Cell(kind="bucket", rpm=6_000, tpm=200_000, seconds=30)
    yield Cell(kind="second", rpm=30_000, seconds=20)


def run_cell(cell: Cell, client: Client, *, whole_minutes: bool, bursts: bool = False) -> Shown:
    """One cell, from its start to its end; with rows for a first burst that empties the bucket."""
    before_s = BURST_S
    if cell.kind == "minute" and whole_minutes:
        before_s = wait_for_phase()
    with tempfile.TemporaryDirectory() as folder, serving(*cell.options()) as server:
        rows = Path(folder) / "rows.jsonl"
        count = cell.rows_for(before_s, cell.seconds + _SPARE_S) + bursts * cell.limit
        write_rows(cell, rows, count)
        lost = count - client(server, rows, count)
        (timeline,) = server.limits().values()
    try:
        reached = measure(cell, timeline, whole_minutes=whole_minutes)
    except ValueError:
        reached = None
    return Shown(cell, reached, lost)


def wait_for_phase() -> int:
    """Until a minute ends in a little more than the first burst takes; returns by how much."""
    before_s = BURST_S + _LEAD_S
    phase_s = time.monotonic() % MINUTE_S
    time.sleep((MINUTE_S - before_s - _LEAD_S - phase_s) % MINUTE_S)
    return before_s


def write_rows(cell: Cell, path: Path, count: int) -> None:
    """Rows of one length, or of many where tokens are what binds."""
    with path.open("w", encoding="utf-8") as file:
        for number in range(1, count + 1):
            topic = " ".join(["tides"] * cell.words_of(number))
            file.write(json.dumps({"id": number, "topic": topic, "number": number}) + "\n")


def processor(server: Server, rows: Path, count: int) -> int:
    """`processor run` with nothing configured.

    Raises:
        SystemExit: The run failed.
    """
    place = rows.parent
    write_task(place / "task.toml")
    arguments = ["-m", "processor", "run", "--task", "task.toml", "--input", rows.name]
    arguments += ["--base-url", server.url, "--route", "direct", "--out", "out", "--quiet"]
    output = place / "output"
    spent = Child(arguments, cwd=place, env={"OPENAI_API_KEY": _KEY}, output=output).wait()
    if spent.exit_code:
        raise SystemExit(f"{count} rows ended with {spent.exit_code}\n{output.read_text()}")
    told = json.loads((place / "out" / "conversion_stats.json").read_text())
    return min(int(told["succeeded"]), int(server.stats()["items"]["answered"]))


def run_cells(cells: Sequence[Cell], *, whole_minutes: bool) -> list[Shown]:
    """All cells, side by side as far as a small machine allows; in their order."""
    light = [cell for cell in cells if cell.calls_per_s <= _LIGHT_PER_S]
    heavy = [cell for cell in cells if cell.calls_per_s > _HEAVY_PER_S]
    others = [cell for cell in cells if _LIGHT_PER_S < cell.calls_per_s <= _HEAVY_PER_S]
    heavy.sort(key=lambda cell: cell.kind != "minute")  # they wait together for a minute to end
    running: dict[Cell, Future[Shown]] = {}

    def run_late(cell: Cell, number: int) -> Shown:
        time.sleep(number * _START_EVERY_S)
        return run_cell(cell, processor, whole_minutes=whole_minutes)

    with ThreadPoolExecutor(len(cells)) as many, ThreadPoolExecutor(_AT_ONCE) as few:
        for number, cell in enumerate((*light, *others)):
            running[cell] = many.submit(run_late, cell, number)
        wait([running[cell] for cell in others])
        for number, cell in enumerate(heavy):
            running[cell] = few.submit(run_late, cell, number % _AT_ONCE)
    return [running[cell].result() for cell in cells]


# --- rivals ------------------------------------------------------------------------------------


def rival(name: str) -> Client:
    """A rival as it comes, with 100 calls in flight."""

    def ask(server: Server, rows: Path, _count: int) -> int:
        return _rivals.run(
            name,
            url=server.url,
            key=_KEY,
            rows_path=rows,
            concurrency=_RIVALS_AT_ONCE,
            timeout_s=_RIVALS_TIMEOUT_S,
        ).answered

    return ask


def compare(names: Sequence[str]) -> str:
    """A table of us and of the rivals, one after the other, before the same limiter."""
    cell = _RIVALS_CELL
    clients = {"processor": processor, **{name: rival(name) for name in names}}
    lines = []
    for name, client in clients.items():
        try:
            figures = run_cell(cell, client, whole_minutes=False, bursts=True).figures()
        except _rivals.RivalError as error:
            figures = (str(error), "", "", "")
        print(name, *figures, sep=" | ", file=sys.stderr, flush=True)
        lines.append((name, *figures))
    return f"{cell.name}, nothing configured:\n\n{table(('client', *FIGURES), lines)}"


# --- what is printed ---------------------------------------------------------------------------


@contextmanager
def lateness() -> Iterator[list[float]]:
    """By how much a timer of 10 ms was late, again and again, in seconds."""
    ended = threading.Event()
    late_s: list[float] = []

    def watch() -> None:
        while not ended.is_set():
            begun_s = time.monotonic()
            time.sleep(0.01)
            late_s.append(time.monotonic() - begun_s - 0.01)

    watcher = threading.Thread(target=watch, name="lateness")
    watcher.start()
    try:
        yield late_s
    finally:
        ended.set()
        watcher.join()


def lateness_line(late_s: Sequence[float]) -> str:
    """How busy the machine was."""
    ranked = sorted(late_s)
    usual_ms, most_ms = ranked[int(len(ranked) * 0.99)] * 1000, ranked[-1] * 1000
    return f"timers late: {usual_ms:.0f} ms or less in 99 of 100, {most_ms:.0f} ms at most"


def main() -> None:
    """Runs the benchmark that the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="a few cells, about a minute")
    parser.add_argument("--only", default="", metavar="TEXT", help="cells whose name holds this")
    parser.add_argument("--rivals", nargs="+", choices=_rivals.available(), default=())
    options = parser.parse_args()
    chosen = quick_cells() if options.quick else full_cells()
    cells = [cell for cell in chosen if options.only in cell.name]
    if not cells:
        parser.error("no cell has such a name")
    with lateness() as late_s:
        shown = run_cells(cells, whole_minutes=not options.quick)
    print(f"\n{machine_line()}\n{lateness_line(late_s)}\n")
    print(table(HEAD, [one.columns() for one in shown]), flush=True)
    if options.rivals:
        print(f"\n{compare(options.rivals)}")
    raise SystemExit(0 if all(one.holds for one in shown) else 1)


if __name__ == "__main__":
    main()
