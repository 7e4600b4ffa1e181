"""Measures what the batch lane itself costs: files out, files in, calls.

    python scripts/benchmark_batch.py                a million items: about four minutes, 4 GB
    python scripts/benchmark_batch.py --quick        a hundred thousand: half a minute

Every measurement is a process of its own, in the folder for temporary files; a provider is in none
of them but the last. What is measured:

- shards: pending items rendered, written, synced to the disk and kept in the ledger.
- settled: result files, in any order as providers give them, read, judged, checked and durable in
  the ledger; and the same with what follows each commit in a run: chunk files and logs.
- growth: CPU an item of both at the large number, beside that at ten thousand.
- memory: the peak of the process, by the kernel's account.
- calls: HTTP calls for 275 items against `processor sandbox`, polls and downloads counted.

The exit code is 1 when a target is missed. Other work on the machine spoils the figures.
"""

import argparse
import json
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from _bench import Child, Figure, report, serving, write_rows, write_task

_LARGE, _QUICK, _SMALL = 1_000_000, 100_000, 10_000
_SHARDS_LEAST_PER_S, _SETTLED_LEAST_PER_S = 100_000.0, 50_000.0
_MOST_MB = 250.0
_GROWTH_MOST = 1.2
_CALLED_ITEMS, _CALLS_MOST = 275, 27
_STAGES = Path(__file__).with_name("_batch_stages.py")


def stages(folder: Path, items: int, *arguments: str) -> dict[str, Any]:
    """What the stages took."""
    output = folder / f"stages-{items}{''.join(arguments)}.json"
    spent = Child([str(_STAGES), str(items), *arguments], cwd=folder, output=output).wait()
    assert spent.exit_code == 0, output.read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(output.read_text(encoding="utf-8").splitlines()[-1])
    return found


def speeds(large: dict[str, Any], small: dict[str, Any]) -> Iterator[Figure]:
    """What was done in a second, and how that grows."""
    items = large["items"]
    for name, stage, least in (
        ("shards written", "shards", _SHARDS_LEAST_PER_S),
        ("settled", "settle", _SETTLED_LEAST_PER_S),
    ):
        yield Figure(
            name=name,
            value=items / large[f"{stage}_s"],
            target=least,
            at_most=False,
            unit="items/s",
            detail=f"{items:,} in {large[f'{stage}_s']:.1f} s, "
            f"{large[f'{stage}_cpu_s'] / items * 1e6:.1f} µs of CPU each",
        )
    for name, stage in (("shards", "shards"), ("settling", "settle")):
        one = small[f"{stage}_cpu_s"] / small["items"]
        yield Figure(
            name=f"CPU an item of {name} at {items:,} / at {small['items']:,}",
            value=large[f"{stage}_cpu_s"] / items / one,
            target=_GROWTH_MOST,
            detail=f"{one * 1e6:.1f} µs at {small['items']:,}",
        )
    yield Figure(name="peak memory", value=large["peak_mb"], target=_MOST_MB, unit="MB")


def calls(folder: Path) -> Figure:
    """HTTP calls of a small job."""
    write_rows(folder / "rows.jsonl", _CALLED_ITEMS)
    write_task(folder / "task.toml")
    with serving() as server:
        run = [
            *("-m", "processor", "run", "--task", "task.toml", "--input", "rows.jsonl"),
            *("--route", "batch", "--base-url", server.url, "--out", "out", "--quiet"),
        ]
        spent = Child(run, cwd=folder, output=folder / "said").wait()
        assert spent.exit_code == 0, (folder / "said").read_text(encoding="utf-8")
        received = server.stats()["received"]
    return Figure(
        name=f"calls for {_CALLED_ITEMS} items", value=float(received), target=float(_CALLS_MOST)
    )


def measure(folder: Path, items: int) -> list[Figure]:
    """Everything."""
    stages(folder, _SMALL)  # fills the caches of the machine
    small = stages(folder, _SMALL)
    large = stages(folder, items)
    followed = stages(folder, items, "--follow")
    rate = followed["items"] / followed["settle_s"]
    print(f"settled with chunk files and logs: {rate:,.0f} items/s")
    return [*speeds(large, small), calls(folder)]


def main() -> int:
    """Measure as the command line says; returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--items", type=int, default=_LARGE)
    parser.add_argument("--quick", action="store_true", help=f"{_QUICK:,} items")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # ends the processes, too
    with tempfile.TemporaryDirectory(prefix="benchmark-") as name:
        return report(measure(Path(name), _QUICK if options.quick else options.items))


if __name__ == "__main__":
    sys.exit(main())
