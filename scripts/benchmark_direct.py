"""Measures what a call costs in CPU, what chunks cost in time, and what a dead job costs in calls.

    python scripts/benchmark_direct.py                        # about four minutes
    python scripts/benchmark_direct.py --quick                # about one
    python scripts/benchmark_direct.py --rivals openai lm-deluge
    python scripts/benchmark_direct.py --only dead

Every figure is a ratio to a bare loop (aiohttp, orjson, fifty workers, nothing kept) over the same
rows, in front of the same `processor sandbox`. Ours is a whole run: import, Jinja2, ledger, chunk
files, logs, tables, and limits that the server states and that do not bind. The ways take turns;
a ratio is the median of those of the rounds, because other work on the machine slows both.

CPU is that of all threads of the client, user and system. Slots: answers take lognormal times
(sigma 1), the same for the same row; all ways run at once, each before a sandbox of its own.
Dead jobs: a key, quota, model or parameter that no call can succeed with, from the start or after
thirty answers.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import _dead_jobs
import _rivals
import orjson
from _bench import Figure, median_of, report, serving, shown, table, write_rows

from processor.data.generator import generate

CONCURRENCY = 50
CHUNK_SIZES = (10, 25, 50, 100)
# Stated in every answer, so that the pace learns from them, and too high to bind.
_LIMITS = ("--rpm", "3000000", "--tpm", "1000000000")
_SLOT_LATENCY_MS = 250
_RIVAL_TIMEOUT_S = 120.0
PARTS = ("cpu", "slots", "dead")
_LOOPS = Path(__file__).with_name("_loops.py")


def measured(way: str, url: str, rows: Path, *options: str) -> dict[str, float]:
    """Send the rows in a process of its own; seconds of CPU and of wall time."""
    done = subprocess.run(  # noqa: S603 - our own script
        [
            *(sys.executable, str(_LOOPS), way, url, str(rows)),
            *("--concurrency", str(CONCURRENCY)),
            *options,
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    told: dict[str, float] = json.loads(done.stdout)
    return told


def cpu(folder: Path, *, count: int, rounds: int) -> Iterator[Figure]:
    """CPU a request, against the bare loop on asyncio."""
    rows = write_rows(folder / "rows.jsonl", count)
    ways = ("bare", "bare-uvloop", "ours", "ours-asyncio")
    spent: dict[str, list[float]] = {way: [] for way in ways}
    with serving(*_LIMITS) as server:
        for _ in range(rounds):
            for way in ways:
                spent[way].append(measured(way, server.url, rows)["cpu_s"] / count * 1e6)
    lines = [
        (
            way,
            shown(statistics.median(spent[way])),
            shown(statistics.median(_ratios(spent[way], spent["bare"]))),
        )
        for way in ways
    ]
    print(table(("CPU a request", "µs", "of bare"), lines), flush=True)
    for way, name, target in (
        ("ours", "CPU a request, uvloop, to a bare loop on asyncio", 1.0),
        ("ours-asyncio", "CPU a request, asyncio, to a bare loop on asyncio", 1.5),
    ):
        ratios = _ratios(spent[way], spent["bare"])
        yield Figure(
            name=name, value=statistics.median(ratios), target=target, detail=median_of(ratios)
        )


def mathml(folder: Path, *, count: int) -> None:
    """CPU of an item of the users' first job, whose answers are checked in layers."""
    rows = folder / "questions.jsonl"
    with rows.open("wb") as file:
        file.writelines(orjson.dumps(dict(row.fields)) + b"\n" for row in generate(count))
    with serving(*_LIMITS) as server:
        took = [
            measured("ours", server.url, rows, "--task", "mathml")["cpu_s"] for _ in range(2)
        ]  # the second time the server knows the answers
    print(f"\nmathml, its checks included: {took[-1] / count * 1e6:.0f} µs an item\n", flush=True)


def rivals(folder: Path, names: Sequence[str], *, count: int) -> None:
    """CPU and time an answer of other tools, against a bare loop over the same rows.

    All start cold, we and the bare loop too.
    """
    rows = write_rows(folder / "rivals.jsonl", count)
    lines: list[Sequence[object]] = []
    with serving() as server:
        base = measured("bare", server.url, rows, "--cold")
        ours = measured("ours", server.url, rows, "--cold")
        lines.append(("processor", f"{count} of {count}", *_of(ours, base)))
        for name in names:
            try:
                result = _rivals.run(
                    name,
                    url=server.url,
                    key="sk-benchmark",
                    rows_path=rows,
                    concurrency=CONCURRENCY,
                    timeout_s=_RIVAL_TIMEOUT_S,
                )
            except _rivals.RivalError as error:
                lines.append((name, str(error), "", ""))
                continue
            share = max(1, result.answered) / count
            spent = {"cpu_s": result.cpu_s / share, "wall_s": result.wall_s / share}
            late = "" if result.finished else ", then time was up"
            answered = f"{result.answered} of {count}{late}"
            lines.append((f"{name} {result.version}", answered, *_of(spent, base)))
    print(
        table(("client", "answered", "CPU an answer, of bare", "time, of bare"), lines), flush=True
    )


def _of(spent: Mapping[str, float], base: Mapping[str, float]) -> tuple[str, str]:
    return shown(spent["cpu_s"] / base["cpu_s"]), shown(spent["wall_s"] / base["wall_s"])


def slots(folder: Path, *, count: int) -> Iterator[Figure]:
    """Wall time under heavy-tailed latencies, against the bare loop."""
    rows = write_rows(folder / "slots.jsonl", count)
    ways = [("bare", 0), *(("ours", size) for size in CHUNK_SIZES)]

    def timed(way: str, chunk_size: int) -> float:
        latency = ("--latency-ms", str(_SLOT_LATENCY_MS), "--latency-sigma", "1")
        options = ("--chunk-size", str(chunk_size)) if chunk_size else ()
        with serving(*latency) as server:
            return measured(way, server.url, rows, *options)["wall_s"]

    with ThreadPoolExecutor(len(ways)) as pool:
        took_s = list(pool.map(timed, *zip(*ways, strict=True)))
    for (_, size), wall_s in list(zip(ways, took_s, strict=True))[1:]:
        yield Figure(
            name=f"wall time to a bare loop, chunks of {size}",
            value=wall_s / took_s[0],
            target=1.03,
            detail=f"{wall_s:.2f} s / {took_s[0]:.2f} s, {count} rows",
        )


def _ratios(values: Sequence[float], bases: Sequence[float]) -> list[float]:
    return [value / base for value, base in zip(values, bases, strict=True)]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, tell by the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="Fewer rows and rounds.")
    parser.add_argument("--only", choices=PARTS, nargs="+", default=PARTS)
    parser.add_argument("--rivals", nargs="+", choices=_rivals.available(), default=())
    options = parser.parse_args(arguments)
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        if "cpu" in options.only:
            count, rounds = (4_000, 3) if options.quick else (20_000, 7)
            figures += cpu(folder, count=count, rounds=rounds)
            mathml(folder, count=count // 10)
        if "slots" in options.only:
            figures += slots(folder, count=500 if options.quick else 2_500)
        if "dead" in options.only:
            figures += _dead_jobs.figures(options.rivals)
        if options.rivals:
            rivals(folder, options.rivals, count=2_000)
    return report(figures)


if __name__ == "__main__":
    sys.exit(main())
