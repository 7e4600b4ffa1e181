"""Both lanes under a deadline when one of them, the clock or somebody holds them up."""

import asyncio
import sqlite3
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import openai  # noqa: F401 - to load it takes a busy machine half an hour of the quick clock
import pytest
from batch_bench import Bench, walk

from processor.clock import Clock
from processor.ledger import control, decisions
from processor.ledger.control import Order
from processor.ledger.database import LEDGER_NAME

ROWS = 200
HALF = "batch_stuck:status=in_progress,share=0.5"
CALM = 300.0  # where seconds of a busy machine must not be hours
CALMER = 120.0  # nor minutes: a deadline counts from the first row


def mixed(
    folder: Path, visit: Callable[[Bench], Awaitable[None]], *faults: str, **options: Any
) -> None:
    """A bench whose calls take half a second."""
    walk(folder, visit, *faults, **{"rows": ROWS, "speed": CALM, "latency_ms": 500, **options})


def lanes_of(bench: Bench) -> Counter[str]:
    """Which lane answered how many rows."""
    entries = bench.results().values()
    return Counter(entry["lane"] for entry in entries if entry["status"] == "success")


async def heard(bench: Bench, event: str, work: "asyncio.Task[Any]") -> None:
    """Until something is told for the first time; fails when the run ends before."""
    hearing = asyncio.ensure_future(bench.heard(event))
    await asyncio.wait([hearing, work], return_when=asyncio.FIRST_COMPLETED)
    assert hearing.done(), f"no {event} by the end of the run"


async def paid_twice(bench: Bench) -> int:
    return int((await bench.stats())["items"]["paid_twice"])


# It takes five such failures, one after the other, until all is known to be in vain.
DOWN = "server_error:on=call,delay_s=100"


def test_batches_are_waited_for_when_no_call_gets_through(tmp_path: Path) -> None:
    async def visit(bench: Bench) -> None:
        work = asyncio.create_task(bench.run(route="hybrid", deadline="4h"))
        await heard(bench, "outage", work)
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


@dataclass(slots=True)
class SetClock:
    """A clock that somebody sets; how long things take it knows all the same."""

    own: Clock
    off_s: float = 0.0

    def monotonic(self) -> float:
        return self.own.monotonic()

    def time(self) -> float:
        return self.own.time() + self.off_s

    async def sleep(self, seconds: float) -> None:
        await self.own.sleep(seconds)


@pytest.mark.parametrize(
    ("deadline", "by_s", "least_s", "most_s"),
    [
        pytest.param("45m", 1_500.0, 0, 1_200, id="forward"),
        pytest.param("25m", -900.0, 1_500, 2_400, id="back"),
    ],
)
def test_a_clock_that_is_set_moves_the_deadline(
    tmp_path: Path, deadline: str, by_s: float, least_s: float, most_s: float
) -> None:
    async def visit(bench: Bench) -> None:
        clock = SetClock(bench.clock)
        it = replace(bench, clock=clock)
        work = asyncio.create_task(it.run(route="hybrid", deadline=deadline))
        await heard(bench, "batch_created", work)
        clock.off_s = by_s
        since_s = clock.monotonic()
        report = await work
        assert report.exit_code == 0
        assert least_s <= clock.monotonic() - since_s <= most_s
        assert lanes_of(bench)["batch"] == 95  # half was done, and is kept
        assert await paid_twice(bench) == 0

    mixed(tmp_path, visit, HALF, speed=CALMER)


def test_a_clock_that_is_put_right_again_has_ended_one_start(tmp_path: Path) -> None:
    async def visit(bench: Bench) -> None:
        clock = SetClock(bench.clock)
        it = replace(bench, clock=clock)
        work = asyncio.create_task(it.run(route="hybrid", deadline="25m"))
        await heard(bench, "batch_created", work)
        clock.off_s = 86_400.0
        report = await work
        assert report.stop is not None
        assert (report.exit_code, report.stop.code) == (4, "deadline")
        clock.off_s = 0.0
        report = await it.run(route="hybrid", deadline="25m")
        assert report.exit_code == 0
        assert await paid_twice(bench) == 0

    mixed(tmp_path, visit, HALF, speed=CALMER)


NO_ROUTE = 'body={"detail":"Not Found"}'


@pytest.mark.parametrize(
    "fault", [f"status:on=create,status=404,{NO_ROUTE}", "status:on=create,status=501"]
)
def test_a_server_that_lists_batches_and_makes_none_is_told_soon(
    tmp_path: Path, fault: str
) -> None:
    async def visit(bench: Bench) -> None:
        begun_s = bench.clock.monotonic()
        report = await bench.run(provider="another's")
        assert report.stop is not None
        assert report.exit_code == 3
        assert "makes no batches" in report.stop.message
        assert "--route direct" in report.stop.message
        assert len(bench.told("shard_uploaded")) == 1
        assert bench.clock.monotonic() - begun_s < 250  # less than patience with failures
        report = await bench.run(provider="another's", route="direct")
        assert report.exit_code == 0

    walk(tmp_path, visit, fault, rows=20)


@pytest.mark.parametrize("paused", [True, False], ids=["paused", "at-work"])
def test_who_makes_no_calls_leaves_batches_that_will_be_in_time_alone(
    tmp_path: Path, *, paused: bool
) -> None:
    async def visit(bench: Bench) -> None:
        work = asyncio.create_task(bench.run(route="hybrid", deadline="30m"))
        await heard(bench, "batch_created", work)
        if paused:
            control.ask(bench.out, Order.parse(["pause"]))
        report = await work
        assert report.exit_code == 0
        assert (lanes_of(bench)["batch"] == 190) is paused  # otherwise taken back, to be sure
        assert await paid_twice(bench) == 0

    mixed(tmp_path, visit, in_progress_s=1_260, speed=CALMER)


def test_a_speed_that_was_measured_before_is_believed_at_first(tmp_path: Path) -> None:
    async def visit(bench: Bench) -> None:
        report = await bench.run(route="direct", limit=150)
        assert report.snapshot.finished == 150
        before_per_s = 150 / report.snapshot.elapsed_s
        assert (await bench.run(route="hybrid", deadline="3h")).exit_code == 0
        with closing(sqlite3.connect(bench.out / LEDGER_NAME)) as connection:
            _, view, _ = next(decisions.all_of(connection))
        assert not view["is_measured"]
        assert view["per_s"] == pytest.approx(before_per_s / 2, rel=0.1)

    mixed(tmp_path, visit, latency_ms=5_000, in_progress_s=60)
