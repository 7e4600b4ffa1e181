"""Runs as processes, in a folder with a server, and those who read them."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from _bench import Child, Server, Spent, write_rows

__all__ = ["Bench", "Done", "until"]

_READERS = Path(__file__).with_name("_readers.py")
_LOOK_S = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A run that came to its end.

    Attributes:
        figures: What `conversion_stats.json` says.
        first_s: From the start of the process to its first request.
    """

    items: int
    spent: Spent
    figures: dict[str, Any]
    first_s: float

    @property
    def peak_mb(self) -> float:
        """Peak memory of the process."""
        assert self.spent.peak_mb is not None, "the benchmark itself is larger than the run"
        return self.spent.peak_mb


@dataclass(slots=True)
class Bench:
    """A folder with a task and tables, a server, and the processes that were started."""

    folder: Path
    server: Server
    children: list[Child] = field(default_factory=list)

    def start(self, items: int, out: str) -> Child:
        """`processor run` over a table of so many rows; resumes when `out` is there."""
        rows = self.folder / f"{items}.jsonl"
        if not rows.exists():
            write_rows(rows, items)
        self.server.reset()
        command = ["-m", "processor", "run", "--task", "task.toml", "--input", rows.name]
        child = Child(
            [*command, "--base-url", self.server.url, "--route", "direct", "--out", out, "--quiet"],
            cwd=self.folder,
            env={"OPENAI_API_KEY": "sk-benchmark"},
            output=self.folder / f"{out}.txt",
        )
        self.children.append(child)
        return child

    def read(self, kind: str, out: str) -> Child:
        """A process that reads a run's ledger; see `_readers.py`."""
        arguments = [str(_READERS), kind, out]
        child = Child(arguments, cwd=self.folder, output=self.folder / f"{kind}.txt")
        self.children.append(child)
        return child

    def run(self, items: int, out: str) -> Done:
        """A run from its start to its end; everything must have succeeded."""
        child = self.start(items, out)
        spent = child.wait()
        if spent.exit_code:
            raise SystemExit(child.said())
        figures = json.loads((self.folder / out / "conversion_stats.json").read_text())
        if figures["succeeded"] != items or not figures["reconciled"]:
            raise SystemExit(f"{out}: {figures}")
        arrived = self.server.stats()["first_arrival"]
        return Done(items=items, spent=spent, figures=figures, first_s=arrived - child.started_at)

    def first_request_s(self, child: Child) -> float:
        """Wait for a process's first request; returns the seconds since its start."""
        until(lambda: self.server.stats()["received"] > 0, child)
        arrived: float = self.server.stats()["first_arrival"]
        return arrived - child.started_at


def until(holds: Callable[[], bool], *alive: Child, every_s: float = _LOOK_S) -> None:
    """Until it holds; all of these processes must live so long."""
    while not holds():
        for child in alive:
            if child.ended() is not None:
                raise SystemExit(f"a process ended before its time: {child.said()}")
        time.sleep(every_s)
