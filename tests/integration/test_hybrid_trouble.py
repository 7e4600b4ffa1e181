"""Both lanes under a deadline when one of them, the clock or somebody holds them up."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from batch_bench import Bench, walk

ROWS = 200
CALM = 300.0  # where seconds of a busy machine must not be hours


def mixed(
    folder: Path, visit: Callable[[Bench], Awaitable[None]], *faults: str, **options: Any
) -> None:
    """A bench whose calls take half a second."""
    walk(folder, visit, *faults, **{"rows": ROWS, "speed": CALM, "latency_ms": 500, **options})


def lanes_of(bench: Bench) -> Counter[str]:
    """Which lane answered how many rows."""
    entries = bench.results().values()
    return Counter(entry["lane"] for entry in entries if entry["status"] == "success")


async def paid_twice(bench: Bench) -> int:
    return int((await bench.stats())["items"]["paid_twice"])


# It takes five such failures, one after the other, until all is known to be in vain.
DOWN = "server_error:on=call,delay_s=100"


def test_batches_are_waited_for_when_no_call_gets_through(tmp_path: Path) -> None:
    async def visit(bench: Bench) -> None:
        work = asyncio.create_task(bench.run(route="hybrid", deadline="4h"))
        await bench.heard("outage")
        await bench.clock.sleep(600)  # twice as long as a run waits otherwise
        await bench.admin("faults", {"clear": True})
        report = await work
        assert report.exit_code == 0
        assert lanes_of(bench) == {"batch": 190, "direct": 10}
        assert await paid_twice(bench) == 0

    mixed(tmp_path, visit, DOWN, in_progress_s=1_500)


def test_an_outage_that_outlasts_the_batches_ends_the_run(tmp_path: Path) -> None:
    async def visit(bench: Bench) -> None:
        report = await bench.run(route="hybrid", deadline="4h")
        assert report.stop is not None
        assert (report.exit_code, report.stop.code) == (3, "server_error")
        assert report.snapshot.pending == 10
        await bench.admin("faults", {"clear": True})
        report = await bench.run(route="hybrid", deadline="4h")
        assert report.exit_code == 0
        assert lanes_of(bench) == {"batch": 190, "direct": 10}
        assert await paid_twice(bench) == 0

    mixed(tmp_path, visit, DOWN, in_progress_s=900)
