"""Measures how much of a rate limit a client uses, and how many of its calls are refused.

    python scripts/benchmark_limits.py                     # about six minutes
    python scripts/benchmark_limits.py --quick             # about one
    python scripts/benchmark_limits.py --rivals openai     # others in front of the same limiter

Every cell of the table is `processor run` with nothing configured, a process in front of
`processor sandbox`, another process that enforces a limit; both live in real time. The limiter is
a bucket that refills all the time, a fixed minute, or a bucket of which one second may take no
more than a sixtieth; `other` is the share of the limit that another client takes all the while.

All figures are the server's own (`/sandbox/limits`), never the client's. The first burst ends 15 s
after the first call: who outruns a limit has emptied its bucket by then. From there to two seconds
before the last call,

    used = what was let through / (what flows in, less the other's share, + what had been saved up)

where a fixed minute is measured over whole minutes (with --quick over seconds). `of what fits` is
the same against what the limiter can let through at all: under a limit of one second only whole
calls fit, such as 6 of 6.67. `429` is the share refused of all calls, the first burst included.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from _bench import Child, machine_line, serving, table
from _limit_cells import BURST_S, Cell, Reached, measure

KINDS = ("bucket", "minute", "second")
THIRD = 1 / 3
ALONE_LEAST = 0.98
SHARED_LEAST = 0.95
REFUSED_MOST = 0.005
_MINUTE_S = 60
_START_SPREAD_S = 1.5  # processes that start together make each other late
_LEAD_S = 4  # from the start of a cell to its first call, about
_SPARE_S = 10
_BIG_RPM = 10_000  # such cells keep a core busy: two at a time
_BIG_AT_ONCE = 2

TASK = """\
name = "sentence"
model = "gpt-6-luna"
prompt = "Say something about {{ topic }}, please, number {{ id }}."
[output]
kind = "text"
"""
_TOKENS_A_CALL = 64  # of the rows below, about


@dataclass(frozen=True, slots=True)
class Shown:
    """One line of the table."""

    cell: Cell
    reached: Reached
    lost: int

    @property
    def target(self) -> float:
        """What must be used."""
        return SHARED_LEAST if self.cell.other else ALONE_LEAST

    @property
    def holds(self) -> bool:
        """Whether all targets are reached; what cannot fit is not asked for."""
        return (
            self.reached.of_fits >= self.target
            and self.reached.refused < REFUSED_MOST
            and self.lost == 0
        )

    def columns(self) -> tuple[str, ...]:
        """Of the table."""
        cell, reached = self.cell, self.reached
        fits = f"{reached.of_fits:.1%}" if cell.fits_per_s < cell.left_per_s else ""
        return (
            cell.name,
            f"{cell.other:.0%}",
            f"{cell.latency_ms:,}",
            f"{reached.of_left:.1%}",
            fits,
            f"{reached.refused:.2%}",
            f"{reached.refused_later:.2%}",
            str(self.lost),
            "yes" if self.holds else "**no**",
        )


HEAD = ("limit", "other", "latency ms", "used", "of what fits", "429", "later", "lost", "holds")


def full_cells() -> Iterator[Cell]:
    """Every limit before every limiter, alone and beside another client."""
    for kind, other in product(KINDS, (0.0, THIRD)):
        yield Cell(kind=kind, rpm=30_000, other=other, seconds=60 if kind == "minute" else 40)
    yield Cell(kind="bucket", rpm=30_000, latency_ms=1_500, seconds=40)
    for kind, other in product(KINDS, (0.0, THIRD)):
        yield Cell(kind=kind, rpm=600, other=other, latency_ms=1_500, seconds=120)
        yield Cell(kind=kind, rpm=3_000, other=other, seconds=120)
        yield Cell(kind=kind, rpm=6_000, tpm=200_000, other=other, seconds=120)


def quick_cells() -> Iterator[Cell]:
    """A few of them."""
    for kind in KINDS:
        yield Cell(kind=kind, rpm=600, seconds=30)
        yield Cell(kind=kind, rpm=3_000, other=THIRD, seconds=30)
    yield Cell(kind="bucket", rpm=6_000, tpm=200_000, seconds=30)
    yield Cell(kind="second", rpm=30_000, seconds=20)


def write_rows(cell: Cell, path: Path, before_s: float) -> int:
    """As many rows as the limit lets through before the measuring and in it; returns how many."""
    amount = cell.limit / _MINUTE_S * before_s + cell.left_per_s * (cell.seconds + _SPARE_S)
    count = int(amount / (_TOKENS_A_CALL if cell.tpm else 1))
    with path.open("w", encoding="utf-8") as file:
        for number in range(1, count + 1):
            topic = "tides " * (5 + number * 7919 % 61) if cell.tpm else "tides"
            file.write(json.dumps({"id": number, "topic": topic.strip()}) + "\n")
    return count


def run_cell(cell: Cell, delay_s: float, *, whole_minutes: bool) -> Shown:
    """Run one cell from its start to its end.

    Raises:
        SystemExit: The run failed.
    """
    time.sleep(delay_s)
    before_s = BURST_S
    if cell.kind == "minute" and whole_minutes:
        before_s = wait_for_phase()
    with tempfile.TemporaryDirectory() as folder, serving(*cell.options()) as server:
        place = Path(folder)
        (place / "task.toml").write_text(TASK)
        rows = write_rows(cell, place / "rows.jsonl", before_s)
        arguments = ["-m", "processor", "run", "--task", "task.toml", "--input", "rows.jsonl"]
        arguments += ["--base-url", server.url, "--out", "out", "--quiet"]
        output = place / "output"
        spent = Child(
            arguments, cwd=place, env={"OPENAI_API_KEY": "sk-benchmark"}, output=output
        ).wait()
        if spent.exit_code:
            raise SystemExit(f"{cell.name}: exit {spent.exit_code}\n{output.read_text()}")
        (timeline,) = server.limits().values()
        lost = rows - server.stats()["items"]["answered"]
        return Shown(cell, measure(cell, timeline, whole_minutes=whole_minutes), lost)


def wait_for_phase() -> int:
    """Until a minute ends in a little more than the first burst takes; returns by how much."""
    before_s = BURST_S + 4
    phase_s = time.monotonic() % _MINUTE_S
    time.sleep((_MINUTE_S - before_s - _LEAD_S - phase_s) % _MINUTE_S)
    return before_s


def run_cells(cells: Sequence[Cell], *, whole_minutes: bool) -> Iterator[Shown]:
    """All cells, side by side as far as the machine allows; in their order."""
    big = [cell for cell in cells if cell.rpm > _BIG_RPM]
    small = [cell for cell in cells if cell.rpm <= _BIG_RPM]
    with ThreadPoolExecutor(len(small) or 1) as many, ThreadPoolExecutor(_BIG_AT_ONCE) as few:
        running: dict[Cell, Future[Shown]] = {}
        for pool, some in ((few, big), (many, small)):
            for number, cell in enumerate(some):
                delay_s = _START_SPREAD_S * (number % max(len(small), _BIG_AT_ONCE))
                running[cell] = pool.submit(run_cell, cell, delay_s, whole_minutes=whole_minutes)
        for cell in cells:
            yield running[cell].result()


def main() -> None:
    """Runs the benchmark that the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="a few cells, about a minute")
    parser.add_argument("--only", default="", metavar="TEXT", help="cells whose name holds this")
    options = parser.parse_args()
    chosen = quick_cells() if options.quick else full_cells()
    cells = [cell for cell in chosen if options.only in cell.name]
    shown = []
    for one in run_cells(cells, whole_minutes=not options.quick):
        shown.append(one)
        print(" | ".join(one.columns()), file=sys.stderr, flush=True)
    print(f"\n{machine_line()}\n\n{table(HEAD, [one.columns() for one in shown])}")
    raise SystemExit(0 if all(one.holds for one in shown) else 1)


if __name__ == "__main__":
    main()
