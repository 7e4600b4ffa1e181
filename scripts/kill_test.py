"""Kills runs at random moments and looks after every kill whether anything is lost or doubled.

    python scripts/kill_test.py                         100 kills: about ten minutes
    python scripts/kill_test.py --kills 400 --seed 7    more of them, and the same ones again

Six phases: while rows are imported, while items are sent (some calls fail and are tried again),
while half of the answers are invalid and asked again, while some rows go directly and the others by
batch, while a deadline that is another one for every start sends rows by batch and takes them back,
and while files and tables are written. The process is killed with SIGKILL; the same command
goes on, is killed again, and at the end comes to its end.

After each kill: the ledger is sound; what was logged or stands in a file of results is in it; files
are whole and hold no item twice; the run has begun as many calls as the sandbox has seen, or as
many more as can have been on their way. After the last one of a run: every item is there once, in
order, in ledger, chunk files and table; the calls of ledger and sandbox add up, and no more answers
were paid for nothing than calls were lost.

The exit code is 1 when anything was found. `tests/crash` is the small form.
"""

import argparse
import random
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from _bench import machine_line, serving, table
from _kills import Moment, Victim, after, harm, remains, until

from processor.ledger.database import LEDGER_NAME

_LATENCY_MS = 60
_IMPORT_ROW_BYTES = 20_000
_EXPORT_ROW_BYTES = 2_000
_EXPORT_S = 1.0
_BATCH_S = 1.0
_BACK_S = 2.5
# By the first nothing is in a hurry; by the second batches are stopped at once.
_DEADLINES = ("3h", "13m", "2h", "12m30s", "12m")


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """What is killed, and when.

    Attributes:
        share: Of all kills.
        kills_a_run: After so many kills a run may come to its end, and another begins.
        row_bytes: Size of a row.
        options: Of the sandbox.
        route: Of the run: which lane its rows take.
        deadlines: Of its starts, in turn.
        moment: When to kill.
    """

    name: str
    share: float
    kills_a_run: int
    moment: Moment
    row_bytes: int = 0
    options: Sequence[str] = ()
    route: Sequence[str] = ("--route", "direct")
    deadlines: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tale:
    """What became of a phase.

    Attributes:
        runs: That it took.
        unsent: As a `Victim`'s, of all runs; so is `lost`.
        found: What was wrong, a line each.
    """

    phase: Phase
    runs: int
    unsent: Sequence[int]
    lost: Sequence[int]
    found: Sequence[str]


def importing(victim: Victim, process: "subprocess.Popen[str]", rng: random.Random) -> None:
    """When so much of the rows has reached the write-ahead log."""
    wal = victim.out / f"{LEDGER_NAME}-wal"
    wanted = rng.random() * victim.items * victim.row_bytes
    until(process, lambda: victim.has_logged("run_started"))
    until(process, lambda: wal.exists() and wal.stat().st_size >= wanted)


def sending(victim: Victim, process: "subprocess.Popen[str]", rng: random.Random) -> None:
    """Some time after the first call; mostly before a third of the items has an answer."""
    takes_s = victim.items * _LATENCY_MS / 1000 / victim.concurrency
    before = victim.received()
    until(process, lambda: victim.has_logged("sending"))
    until(process, lambda: victim.received() > before)
    after(process, rng.random() * takes_s / 3)


def in_both_lanes(victim: Victim, process: "subprocess.Popen[str]", rng: random.Random) -> None:
    """Some time after the first request of any kind; batches take about as long."""
    before = victim.asked()
    until(process, lambda: victim.asked() > before)
    after(process, rng.random() * _BATCH_S)


def under_a_deadline(victim: Victim, process: "subprocess.Popen[str]", rng: random.Random) -> None:
    """Some time after the first request; what is taken back comes in about that time."""
    before = victim.asked()
    until(process, lambda: victim.asked() > before)
    after(process, rng.random() * _BACK_S)


def exporting(victim: Victim, process: "subprocess.Popen[str]", rng: random.Random) -> None:
    """Some time after the files and tables were begun."""
    until(process, lambda: victim.has_logged("exporting"))
    after(process, rng.random() * _EXPORT_S)


_UNEVEN = ("--latency-ms", str(_LATENCY_MS), "--fault", "server_error:rate=0.1,times=1")
PHASES = (
    Phase(name="import", share=0.15, kills_a_run=6, moment=importing, row_bytes=_IMPORT_ROW_BYTES),
    Phase(name="sending", share=0.2, kills_a_run=5, moment=sending, options=_UNEVEN),
    Phase(
        name="re-ask",
        share=0.15,
        kills_a_run=5,
        moment=sending,
        options=(*_UNEVEN, "--bad-answers", "0.5"),
    ),
    Phase(
        name="both lanes",
        share=0.2,
        kills_a_run=5,
        moment=in_both_lanes,
        options=(*_UNEVEN, "--in-progress-s", str(_BATCH_S)),
        route=("--route", "batch", "--direct-first", "90", "--shard-size", "25", "--grace", "2"),
    ),
    Phase(
        name="deadline",
        share=0.2,
        kills_a_run=5,
        moment=under_a_deadline,
        options=(*_UNEVEN, "--in-progress-s", str(2 * _BACK_S), "--cancelling-s", "0.5"),
        route=("--route", "hybrid", "--shard-size", "40", "--grace", "2"),
        deadlines=_DEADLINES,
    ),
    Phase(name="export", share=0.1, kills_a_run=8, moment=exporting, row_bytes=_EXPORT_ROW_BYTES),
)


def suffer(
    phase: Phase,
    folder: Path,
    rng: random.Random,
    *,
    kills: int,
    items: int,
    concurrency: int,
) -> Tale:
    """Kill the runs of a phase so often."""
    runs, unsent, lost, found = 0, list[int](), list[int](), list[str]()
    with serving(*phase.options) as server:
        while len(lost) < kills:
            runs += 1
            victim = Victim(
                path=folder / f"{phase.name}-{runs}",
                server=server,
                items=items,
                concurrency=concurrency,
                row_bytes=phase.row_bytes,
                route=phase.route,
                deadlines=phase.deadlines,
            )
            most = min(phase.kills_a_run, kills - len(lost))
            found += [f"{victim.path.name}: {line}" for line in _run(victim, phase, rng, most)]
            unsent += victim.unsent
            lost += victim.lost
    return Tale(phase=phase, runs=runs, unsent=unsent, lost=lost, found=found)


def _run(victim: Victim, phase: Phase, rng: random.Random, kills: int) -> Iterator[str]:
    """One run: killed, looked at, killed again, and at last left alone."""
    for number in range(1, kills + 1):
        if not victim.strike(phase.moment, rng):
            break
        for line in harm(victim):
            yield f"kill {number}: {line}"
    failure = victim.finish()
    yield from [failure] if failure else remains(victim)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the seed, what is found, and a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--items", type=int, default=1_000, help="rows of a run")
    parser.add_argument("--concurrency", type=int, default=20)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    given = parser.parse_args(arguments)
    print(f"{machine_line()}\nseed: {given.seed}\n", flush=True)
    rng = random.Random(given.seed)  # noqa: S311 - kills need no secrecy
    tales = []
    with tempfile.TemporaryDirectory() as folder:
        strike = partial(suffer, items=given.items, concurrency=given.concurrency)
        for phase in PHASES:
            kills = round(phase.share * given.kills)
            tales.append(strike(phase, Path(folder), rng, kills=kills))
            print("\n".join([*tales[-1].found, f"{phase.name}: done"]), file=sys.stderr)
    print(_told(tales, given.concurrency))
    return 1 if any(tale.found for tale in tales) else 0


def _told(tales: Sequence[Tale], concurrency: int) -> str:
    head = (
        "phase",
        "kills",
        "runs",
        "in flight at most",
        "apart, max",
        "sent again, mean",
        "median",
        "max",
        "harm",
    )
    rows = [
        (
            tale.phase.name,
            len(tale.lost),
            tale.runs,
            concurrency,
            max(tale.unsent),
            f"{statistics.fmean(tale.lost):.1f}",
            f"{statistics.median(tale.lost):g}",
            max(tale.lost),
            len(tale.found),
        )
        for tale in tales
        if tale.lost
    ]
    return table(head, rows)


if __name__ == "__main__":
    sys.exit(main())
