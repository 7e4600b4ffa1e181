"""How a run under a deadline is told while it works, on one quick clock with the sandbox."""

import asyncio
import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

from batch_bench import Bench, walk

from processor.cli import summary
from processor.console.screen import Screen
from processor.exports import stats
from processor.ledger.database import LEDGER_NAME
from processor.notice import Notice
from processor.plan.offer import Verdict
from processor.watch import snapshot
from processor.watch.course import course_of, latest_that_acts, timing_of
from processor.watch.snapshot import Snapshot
from processor.watch.speed import Speed

STUCK = "batch_stuck:status=in_progress,share=0.5"
SOME: dict[str, Any] = {"rows": 200, "latency_ms": 500}


class Glance:
    """A display that keeps what it is shown last."""

    every_s = 0.01

    def __init__(self) -> None:
        self.speed = Speed(per_s=None, eta_s=None)
        self.shown = threading.Event()

    def show(self, shot: Snapshot, now: Speed) -> None:  # noqa: ARG002 - a display's
        self.speed = now
        self.shown.set()

    def say(self, line: str) -> None:
        pass

    def end(self, shot: Snapshot | None) -> None:
        pass


def test_what_is_known_while_it_works(tmp_path: Path) -> None:
    async def visit(bench: Bench) -> None:
        work = asyncio.create_task(bench.run(route="hybrid", deadline="4h"))
        await bench.heard("batch_created")
        shot = snapshot.take(bench.out)
        timing, course = timing_of(shot), course_of(shot)
        assert timing is not None
        assert (timing.made, timing.verdict) == (None, Verdict.YES)
        assert timing.deadline_s == shot.deadline_s
        assert course is not None
        assert course.view.deadline_s == shot.deadline_s
        acting = latest_that_acts(bench.out)
        assert acting is not None
        assert (acting.decision.batch, acting.decision.direct) == (190, 10)
        lines = "\n".join([*summary.lines(shot), *summary.decisions(shot)])
        assert ": will be made" in lines
        assert "190 by batch, 10 directly" in lines
        told = stats.as_json(shot)["deadline"]
        assert (told["made"], told["forecast"]) == (None, "yes")
        screen = Screen(bench.out, glance := Glance())
        screen.notice(Notice(event="sending", facts={"pending": 200, "model": "any"}))
        assert await asyncio.to_thread(glance.shown.wait, 20)
        screen.close()
        assert glance.speed.eta_s is not None
        assert 0 < glance.speed.eta_s <= 4 * 3_600
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        shot = snapshot.take(bench.out)
        timing = timing_of(shot)
        assert timing is not None
        assert (timing.made, timing.verdict) == (None, None)  # nothing goes on
        assert "items are left" in "\n".join(summary.lines(shot))
        with closing(sqlite3.connect(bench.out / LEDGER_NAME)) as connection:
            connection.execute("UPDATE sessions SET exit_code = NULL")  # as a kill leaves it
            connection.commit()
        assert timing_of(snapshot.take(bench.out)) == timing

    walk(tmp_path, visit, STUCK, speed=100.0, **SOME)


def test_a_decision_is_told_once(tmp_path: Path) -> None:
    async def visit(bench: Bench) -> None:
        assert (await bench.run(route="hybrid", deadline="2h")).exit_code == 0
        begun, *later = bench.told("decision")
        assert (begun["batch"], begun["direct"], begun["forecast"]) == (190, 10, "yes")
        taken_back = [number for facts in later for number in facts["cancel"]]
        assert taken_back
        assert len(set(taken_back)) == len(taken_back)
        assert all(facts["cancel"] or facts["direct"] for facts in later)
        assert len(later) <= 2 + 2 * len(taken_back)

    walk(tmp_path, visit, STUCK, speed=1_000.0, **SOME)


def test_what_will_hardly_be_made_is_told_with_the_first_decision(tmp_path: Path) -> None:
    async def visit(bench: Bench) -> None:
        report = await bench.run(route="direct", deadline="10m", concurrency=1)
        assert bench.told("decision")[0]["forecast"] == "no"
        assert report.exit_code == 4

    walk(tmp_path, visit, speed=200.0, **{**SOME, "latency_ms": 10_000, "latency_sigma": 0})
