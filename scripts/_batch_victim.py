"""Starts of runs by batch that kill themselves right behind a step; each is a fork of this process.

Reads one JSON object a line, and answers each with the exit code of that start: `{"folder", "url",
"settings", "anchor_s", "off_s", "speed", "kill": [step, which] | null, "until"}`. A forked child
has everything imported already, so that hundreds of starts take minutes, not hours.
"""

import asyncio
import json
import os
import signal
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import openai  # noqa: F401 - so that no child has to
from _quick_clock import QuickClock

from processor.batch.steps import Step
from processor.batch.until import Until
from processor.data import open_source
from processor.run import Run
from processor.sending.terms import BatchTerms
from processor.settings import Settings
from processor.tasks.toml import load_task

STEPS, END = "steps.log", "end.json"


@dataclass(slots=True)
class Executioner:
    """Notes every step in a file, and kills this process behind one of them."""

    log: int
    kill: tuple[str, int] | None
    seen: Counter[str] = field(default_factory=Counter)

    def __call__(self, step: Step) -> None:
        self.seen[step] += 1
        os.write(self.log, f"{step}\n".encode())
        if self.kill == (step, self.seen[step]):
            os.kill(os.getpid(), signal.SIGKILL)


def start(told: Mapping[str, Any]) -> int:
    """One start of a run, to its end; returns its exit code."""
    folder = Path(told["folder"])
    log = os.open(folder / STEPS, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
    kill = told["kill"] and (told["kill"][0], told["kill"][1])
    run = Run(
        folder=folder / "out",
        task=load_task(str(folder / "task.toml")),
        source=open_source(str(folder / "rows.jsonl")),
        settings=Settings.of({"base_url": told["url"], "route": "batch", **told["settings"]}),
        batch=BatchTerms(at=Executioner(log, kill), until=Until(told["until"])),
        clock=QuickClock(anchor_s=told["anchor_s"], speed=told["speed"], off_s=told["off_s"]),
    )
    report = asyncio.run(run.execute())
    stop = report.stop and f"{report.stop.code}: {report.stop.message}"
    end = {
        "exit_code": report.exit_code,
        "stop": stop,
        "differences": list(report.differences),
        "spent_usd": report.snapshot.spent_usd,
        "cost_usd": report.snapshot.lanes["batch"].cost_usd,
    }
    (folder / END).write_text(json.dumps(end))
    return report.exit_code


def main() -> None:
    """Start what is asked for, one after another."""
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            os._exit(start(json.loads(line)))
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
