#!/usr/bin/env python3
"""20,000 rows under a deadline, whose batches stall on the way: minute by minute.

    python scripts/deadline_showcase.py                   20,000 rows: a minute and a half
    python scripts/deadline_showcase.py --rows 400        a few seconds

Everything is tried by batch. The sandbox answers a third of each batch and then stalls for ever,
which nobody can know; a cancellation takes eight minutes. Run and sandbox share a clock that is
quicker than the machine's, and talk over real HTTP.

What is printed at the end is counted in the files of results and by the sandbox. The exit code is
1 when a row is lost, answered or paid twice, or when the deadline is missed.
"""

import argparse
import asyncio
import contextlib
import importlib
import json
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from _bench import Figure, report, write_rows, write_task
from _quick_clock import QuickClock

from processor.data import open_source
from processor.ledger.commit import ChunkTotals, Commit
from processor.loop import run_in_loop
from processor.notice import Notice
from processor.report import Report
from processor.run import Run
from processor.sandbox import SandboxConfig, parse_fault, running
from processor.settings import Settings
from processor.tasks.toml import load_task
from processor.watch import snapshot
from processor.watch.course import all_directly_usd

_CALL_MS = 4_000.0
_AT_ONCE = 60  # calls
_SHARE = 0.35  # of a batch that is answered before it stalls
_CANCEL_S = 480.0
_EVERY_S = 300.0
_HEAD = ("min", "in batches", "answered there", "coming back", "by batch", "directly", "cost")
_FORM = "{:>4}  {:>10}  {:>14}  {:>11}  {:>8}  {:>8}  {:>7}  {}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Show:
    """A folder with a table.

    Attributes:
        rows: Of the table.
        deadline: As somebody types it.
        speed: How much quicker than the machine's the clock runs.
    """

    path: Path
    rows: int
    deadline: str
    speed: float

    @property
    def out(self) -> Path:
        """The run folder."""
        return self.path / "out"


@dataclass(slots=True)
class Timeline:
    """Prints how a run stands, when it decides something and every few minutes; an observer."""

    show: Show
    clock: QuickClock
    begun_s: float = 0.0
    last_s: float = 0.0
    shards: dict[int, int] = field(default_factory=dict)
    coming: set[int] = field(default_factory=set)
    shown: Sequence[str] = ()

    def notice(self, notice: Notice) -> None:
        """Note what concerns shards; print what was decided."""
        facts = notice.facts
        match notice.event:
            case "sending":
                self.begun_s = self.clock.time()
            case "shard_written":
                self.shards[facts["shard"]] = facts["items"]
            case "shard_settled" | "shard_dropped":
                self.shards.pop(facts["shard"], None)
            case "decision":
                self.coming.update(facts["cancel"])
                self.tell(facts["reason"])

    def committed(self, commit: Commit) -> None:
        """Note when it was: the ledger tells the rest."""
        if commit.records:
            self.last_s = self.clock.time()

    def chunk_written(self, chunk: ChunkTotals) -> None:
        """The same."""

    async def tick(self) -> None:
        """Print every few minutes."""
        while True:
            await self.clock.sleep(_EVERY_S)
            self.tell("")

    def tell(self, words: str) -> None:
        """Print how it stands, unless there is nothing new."""
        shot = snapshot.take(self.show.out)
        done = {name: lane.succeeded for name, lane in shot.lanes.items()}
        coming = sum(items for shard, items in self.shards.items() if shard in self.coming)
        figures = (
            f"{sum(self.shards.values()):,}",
            f"{shot.jobs.answered:,}",
            f"{coming:,}",
            f"{done['batch']:,}",
            f"{done['direct']:,}",
            f"${shot.overall.cost_usd or 0:.2f}",
        )
        if words or figures != self.shown:
            minutes = (self.clock.time() - self.begun_s) / 60
            print(_FORM.format(f"{minutes:.0f}", *figures, words).rstrip(), flush=True)
        self.shown = figures


async def perform(show: Show) -> tuple[Report, Any, float]:
    """Run it to its end: how it ended, what the sandbox saw of the items, when all was done."""
    importlib.import_module("processor.sending.hybrid")  # takes a minute by the quick clock
    write_task(show.path / "task.toml")
    write_rows(show.path / "rows.jsonl", show.rows)
    clock = QuickClock(speed=show.speed)
    config = SandboxConfig(
        latency_ms=_CALL_MS,
        validating_s=60,
        in_progress_s=1_200,
        finalizing_s=60,
        cancelling_s=_CANCEL_S,
        faults=(parse_fault(f"batch_stuck:status=in_progress,share={_SHARE}"),),
    )
    async with running(config, clock) as url:
        timeline = Timeline(show, clock)
        print(_FORM.format(*_HEAD, "").rstrip())
        ticking = asyncio.create_task(timeline.tick())
        ended = await _run(show, url, clock, timeline).execute()
        ticking.cancel()
        timeline.tell("done" if ended.exit_code == 0 else f"exit code {ended.exit_code}")
        return ended, await _stats(url), timeline.last_s


def _run(show: Show, url: str, clock: QuickClock, timeline: Timeline) -> Run:
    settings = Settings.of(
        {
            "route": "hybrid",
            "deadline": show.deadline,
            "concurrency": _AT_ONCE,
            "base_url": url,
            "api_key": "sk-of-nobody",
            "provider": "sandbox",
            "logs": show.path / "logs",
        }
    )
    return Run(
        folder=show.out,
        task=load_task(str(show.path / "task.toml")),
        source=open_source(str(show.path / "rows.jsonl")),
        settings=settings,
        observers=[timeline],
        clock=clock,
    )


async def _stats(url: str) -> Any:
    address = f"{url.removesuffix('/v1')}/sandbox/stats?items=1"
    async with aiohttp.ClientSession() as session, session.get(address) as answer:
        return (await answer.json())["items"]


def results(show: Show) -> Counter[int]:
    """How often each row has a good result, in the files of results."""
    return Counter(
        entry["id"]
        for path in sorted(show.out.glob("conversion_results_batch_*.json"))
        for entry in json.loads(path.read_bytes())["results"]
        if entry["status"] == "success"
    )


@contextlib.contextmanager
def _own_history(folder: Path) -> Iterator[None]:
    """What other runs have seen of batches is left out, so that every show is the same."""
    before = os.environ.get("XDG_STATE_HOME")
    os.environ["XDG_STATE_HOME"] = str(folder / "state")
    try:
        yield
    finally:
        del os.environ["XDG_STATE_HOME"]
        if before is not None:
            os.environ["XDG_STATE_HOME"] = before


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the timeline and the count; 1 when anything is lost, doubled or late."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--deadline", default="90m")
    parser.add_argument("--speed", type=float, default=60.0)
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder, _own_history(Path(folder)):
        show = Show(path=Path(folder), rows=given.rows, deadline=given.deadline, speed=given.speed)
        asked = f"--deadline {show.deadline} --concurrency {_AT_ONCE}"
        print(f"{show.rows:,} rows, {asked}; batches stall at {_SHARE:.0%}\n", flush=True)
        return _count(show, *run_in_loop(perform(show)))


def _count(show: Show, ended: Report, seen: Any, done_s: float) -> int:
    found, shot = results(show), ended.snapshot
    assert shot.deadline_s is not None
    whole_usd, paid_usd = all_directly_usd(shot), shot.overall.cost_usd
    assert whole_usd is not None
    assert paid_usd is not None
    figures = [
        Figure(name="rows lost", value=show.rows - len(found), target=0),
        Figure(name="rows answered twice", value=found.total() - len(found), target=0),
        Figure(name="rows paid twice", value=seen["paid_twice"], target=0),
        Figure(
            name="done before the deadline",
            value=(shot.deadline_s - done_s) / 60,
            target=0,
            at_most=False,
            unit="min",
        ),
        Figure(
            name="cost, of all directly",
            value=paid_usd / whole_usd,
            target=1,
            detail=f"${paid_usd:.2f} of ${whole_usd:.2f}; all by batch, late: ${whole_usd / 2:.2f}",
        ),
    ]
    return max(report(figures), int(ended.exit_code != 0))


if __name__ == "__main__":
    sys.exit(main())
