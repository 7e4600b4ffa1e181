"""A working directory with a task and a table, in which runs are started as processes."""

import json
import os
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

KEY = "my-own-secret-key-0123456789"
TASK = """\
name = "greet"
model = "gpt-6-luna"
prompt = "Say {{ word }}."
[output]
kind = "text"
"""


@dataclass(slots=True)
class Folder:
    """A working directory with a task and a table, in front of a sandbox of its own."""

    path: Path
    url: str
    started: list["subprocess.Popen[Any]"] = field(default_factory=list)

    def __post_init__(self) -> None:
        (self.path / "greet.toml").write_text(TASK)

    def start(
        self,
        *options: str,
        out: str = "out",
        under: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
    ) -> "subprocess.Popen[str]":
        """`processor run` as a process, itself started by `under`; standard error is a pipe."""
        command = [*under, sys.executable, "-m", "processor", "run", "--task", "greet.toml"]
        process = subprocess.Popen(
            [*command, "--input", "rows.jsonl", "--base-url", self.url, "--out", out, *options],
            cwd=self.path,
            env={**(env or os.environ), "OPENAI_API_KEY": KEY},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.started.append(process)
        return process

    def run(self, *options: str, out: str = "out") -> tuple[int, str, str]:
        process = self.start(*options, out=out)
        said, told = process.communicate(timeout=60)
        return process.returncode, said, told

    def rows(self, count: int) -> None:
        rows = (json.dumps({"id": n, "word": f"word{n}."}) for n in range(1, count + 1))
        (self.path / "rows.jsonl").write_text("\n".join(rows) + "\n")

    def admin(self, route: str, body: Any = None) -> Any:
        request = urllib.request.Request(
            self.url.removesuffix("/v1") + "/sandbox/" + route,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def wait_for(self, holds: Callable[[], bool]) -> None:
        """Until it holds."""
        wait_for(holds)

    def wait_for_answers(self, count: int) -> None:
        """Until the sandbox has answered so many calls."""
        self.wait_for(lambda: self.admin("stats")["answered"] >= count)

    def figures(self, out: str = "out") -> Any:
        return json.loads((self.path / out / "conversion_stats.json").read_text())

    def ledger(self, query: str, out: str = "out") -> list[tuple[Any, ...]]:
        with sqlite3.connect(self.path / out / "ledger.sqlite") as connection:
            return connection.execute(query).fetchall()

    def assert_whole(self, count: int) -> None:
        """Every item has one outcome, in the ledger as in the files."""
        assert self.ledger("PRAGMA integrity_check") == [("ok",)]
        figures = self.figures()
        assert figures["total"] == figures["succeeded"] == count
        assert figures["reconciled"] is True
        ids = [
            entry["id"]
            for path in sorted((self.path / "out").glob("conversion_results_batch_*.json"))
            for entry in json.loads(path.read_text())["results"]
        ]
        assert ids == list(range(1, count + 1))

    def end(self) -> None:
        """Kill what still runs."""
        for process in self.started:
            if process.poll() is None:
                process.kill()
            process.communicate()

    def run_log(self) -> list[dict[str, Any]]:
        path = max(self.path.glob("logs/batch_conversion_*.log"))
        return [json.loads(line) for line in path.read_text().splitlines()]


def wait_for(holds: Callable[[], bool]) -> None:
    """Until it holds, for two minutes at most: machines that test are busy."""
    deadline_s = time.monotonic() + 120
    while not holds():
        assert time.monotonic() < deadline_s


@contextmanager
def folder_before(url: str, path: Path, *, rows: int) -> Iterator[Folder]:
    """A folder with a table of rows before a sandbox that forgot all; what runs there is ended."""
    folder = Folder(path, url)
    folder.rows(rows)
    folder.admin("stats/reset", {})
    folder.admin("faults", {"clear": True})
    try:
        yield folder
    finally:
        folder.end()
