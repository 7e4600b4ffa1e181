"""The page's server as a user starts it, and runs to look at."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from run_bench import Folder


@dataclass(frozen=True, slots=True)
class Served:
    """A server of its own process.

    Attributes:
        url: Of its page.
    """

    url: str
    process: "subprocess.Popen[str]"

    @property
    def port(self) -> int:
        return int(self.url.rstrip("/").rpartition(":")[2])

    def page_of(self, run: str) -> str:
        """The address of one run."""
        return f"{self.url}#/run/{quote(run)}"

    def end(self) -> None:
        self.process.terminate()
        self.process.communicate(timeout=20)


@contextmanager
def served(folder: Path, *names: str, port: int = 0) -> Iterator[Served]:
    """`processor monitor --web`, in a folder."""
    command = [sys.executable, "-m", "processor", "monitor", "--web", "--port", str(port), *names]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield Served(process.stdout.readline().strip(), process)
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def run_of(
    folder: Folder, *options: str, task: str, rows: str, out: str
) -> "subprocess.Popen[str]":
    """`processor run` of a task and a table of their own, as a process."""
    command = [sys.executable, "-m", "processor", "run", "--quiet", "--task", task, "--input", rows]
    process = subprocess.Popen(
        [*command, "--base-url", folder.url, "--out", out, *options],
        cwd=folder.path,
        env={**os.environ, "OPENAI_API_KEY": "sk-test"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    folder.started.append(process)
    return process
