"""What a person sees: a bar on a terminal, and the terminal as it was when the run is over."""

import asyncio
import os
import pty
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from run_bench import KEY, TASK, Folder

from processor.console.screen import Screen
from processor.data import open_source
from processor.run import Run
from processor.sandbox_process import sandbox
from processor.settings import Settings
from processor.tasks.prompt import PromptTask
from processor.tasks.taskfile import parse
from processor.watch.snapshot import Snapshot
from processor.watch.speed import Speed


@dataclass(slots=True)
class Notebook:
    """A display that keeps what it is shown."""

    every_s: float = 0.05
    shown: list[tuple[int, Speed]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def show(self, shot: Snapshot, now: Speed) -> None:
        self.shown.append((shot.finished, now))

    def say(self, line: str) -> None:
        self.said.append(line)

    def end(self, shot: Snapshot | None) -> None:
        assert shot is not None
        self.shown.append((shot.finished, Speed(per_s=None, eta_s=None)))


def test_the_first_figures_know_how_fast_it_goes(tmp_path: Path) -> None:
    notebook = Notebook()
    with sandbox(["--latency-ms", "60"]) as url:
        folder = Folder(tmp_path, url)
        folder.rows(100)
        out = tmp_path / "out"
        screen = Screen(out, notebook)
        run = Run(
            folder=out,
            task=PromptTask(parse(TASK, where="t"), where="t"),
            source=open_source(str(tmp_path / "rows.jsonl")),
            settings=Settings.of({"base_url": url, "api_key": KEY, "concurrency": 4}),
            observers=[screen],
        )
        try:
            assert asyncio.run(run.execute()).exit_code == 0
        finally:
            screen.close()
    assert notebook.said[:4] == [
        f"reading {tmp_path / 'rows.jsonl'}",
        "100 new rows",
        "directly: 100 items, fewer than 1,000",
        "100 items to send to gpt-6-luna",
    ]
    first = next(speed for finished, speed in notebook.shown if finished)
    assert first.per_s is not None
    assert first.per_s > 1
    assert first.eta_s is not None
    finished = [count for count, _ in notebook.shown]
    assert finished == sorted(finished)


def read_to_the_end(terminal: int) -> str:
    """All that is written to a terminal until nobody has it open any more."""
    parts = []
    while True:
        try:
            part = os.read(terminal, 65_536)
        except OSError:  # Linux says EIO at the end
            break
        if not part:
            break
        parts.append(part)
    return b"".join(parts).decode()


COMMAND = """\
import sys
from processor.cli import main
main(["run", "--task", "greet.toml", "--input", "rows.jsonl", "--base-url", sys.argv[1],
      "--out", "out", "--concurrency", "5"])
"""
PROGRAM = """\
import sys
from processor import Processor
Processor(base_url=sys.argv[1], concurrency=5).run_sync(
    "greet.toml", "rows.jsonl", out="out", **({"progress": True} if sys.argv[2:] else {}))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")
@pytest.mark.parametrize("code", [COMMAND, PROGRAM], ids=["command", "program"])
def test_a_bar_is_drawn_and_removed(tmp_path: Path, code: str) -> None:
    with sandbox(["--latency-ms", "60"]) as url:
        folder = Folder(tmp_path, url)
        folder.rows(150)
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            [sys.executable, "-c", code, url],
            cwd=tmp_path,
            env={**os.environ, "OPENAI_API_KEY": KEY, "TERM": "xterm-256color", "COLUMNS": "100"},
            stdout=subprocess.PIPE,
            stderr=theirs,
        )
        folder.started.append(process)
        os.close(theirs)
        try:
            told = read_to_the_end(ours)
            process.communicate(timeout=30)
        finally:
            os.close(ours)
            folder.end()
    assert process.returncode == 0
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", told)
    assert "150 items to send to gpt-6-luna" in plain
    assert re.search(r"\d+/150 +━", plain)
    assert re.search(r"ok 100(\.0)? ?% · [\d.]+/s · left \d", plain)
    assert told.count("\x1b[?25l") == told.count("\x1b[?25h") == 1  # the cursor is back
    after = told.rpartition("\x1b[?25h")[2]
    assert "━" not in after


@pytest.mark.parametrize(("asked", "shown"), [((), 0), (("progress",), 1)], ids=["not", "asked"])
def test_a_program_writes_into_a_pipe_what_it_is_asked_to(
    tmp_path: Path, sandbox_url: str, asked: tuple[str, ...], shown: int
) -> None:
    folder = Folder(tmp_path, sandbox_url)
    folder.rows(20)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, sandbox_url, *asked],
        cwd=tmp_path,
        env={**os.environ, "OPENAI_API_KEY": KEY},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == ""
    assert done.stderr.count("20 items to send to gpt-6-luna\n") == shown
    assert shown or done.stderr == ""
