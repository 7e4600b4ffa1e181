"""What the benchmarks share: one workload, processes whose cost is known, a table of figures."""

import json
import os
import platform
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from processor import machine
from processor.sandbox_process import sandbox

__all__ = [
    "TASK",
    "Child",
    "Figure",
    "Server",
    "Spent",
    "machine_line",
    "median_of",
    "report",
    "serving",
    "shown",
    "table",
    "write_rows",
    "write_task",
]

TASK = """\
name = "sentence"
model = "gpt-6-luna"
id = "id"
system = "You answer in one short sentence."
prompt = "Say something about {{ topic }}, please, number {{ number }}."
[output]
kind = "text"
"""
_TOPICS = ("tides", "bridges", "bees", "clouds", "glass", "maps", "salt", "steam", "moss", "clocks")


def write_task(path: Path) -> Path:
    """The task of the workload: text, through Jinja2."""
    path.write_text(TASK, encoding="utf-8")
    return path


def write_rows(path: Path, count: int) -> Path:
    """JSONL rows of the workload: `{"id", "topic", "number"}`, about 60 bytes each."""
    with path.open("w", encoding="utf-8") as file:
        file.writelines(
            f'{{"id":{n},"topic":"{_TOPICS[n % len(_TOPICS)]}","number":{n}}}\n'
            for n in range(1, count + 1)
        )
    return path


# --- processes ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What a process used from its start to its end.

    Attributes:
        cpu_s: All threads, user and system, and children that it waited for.
        peak_mb: The most memory it held at once, in millions of bytes; None where it held less
            than this process, whose own figure Linux then reports.
    """

    exit_code: int
    wall_s: float
    cpu_s: float
    peak_mb: float | None


class Child:
    """A process, and what it uses.

    Args:
        arguments: Of Python, such as `-m processor`.
        cwd: Its working directory.
        env: Added to this process's environment.
        output: Gets both of its outputs; None throws them away.

    Attributes:
        started_at: Seconds since the epoch, right before it was started.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str] | None = None,
        output: Path | None = None,
    ) -> None:
        self._output = output or Path(os.devnull)
        with self._output.open("wb") as sink:
            self.started_at = time.time()
            self._began_s = time.perf_counter()
            self._process = subprocess.Popen(  # noqa: S603 - our own commands
                [sys.executable, *arguments],
                cwd=cwd,
                env={**os.environ, **(env or {})},
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
            )
        self._spent: Spent | None = None

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    def said(self) -> str:
        """What it has written so far; empty when that is thrown away."""
        return self._output.read_text(encoding="utf-8", errors="replace")

    def ended(self) -> Spent | None:
        """What it used, once it has ended; None before."""
        return self._spent or self._collect(os.WNOHANG)

    def wait(self) -> Spent:
        """Until it ends."""
        spent = self._spent or self._collect(0)
        assert spent is not None
        return spent

    def kill(self) -> None:
        """End it at once, if it has not ended."""
        if self.ended() is None:
            self._process.kill()
            self.wait()

    def _collect(self, options: int) -> Spent | None:
        pid, status, used = os.wait4(self.pid, options)
        if not pid:
            return None
        wall_s = time.perf_counter() - self._began_s
        self._process.returncode = os.waitstatus_to_exitcode(status)
        unit = 1 if sys.platform == "darwin" else 1024
        peak_mb = used.ru_maxrss * unit / 1e6
        self._spent = Spent(
            exit_code=self._process.returncode,
            wall_s=wall_s,
            cpu_s=used.ru_utime + used.ru_stime,
            peak_mb=peak_mb if peak_mb > machine.peak_rss_mb() else None,
        )
        return self._spent


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A sandbox process."""

    url: str

    def stats(self) -> dict[str, Any]:
        """What it has seen since it was last asked to forget."""
        return self._admin("stats")

    def limits(self) -> dict[str, list[dict[str, Any]]]:
        """What each model's limits let through, second by second."""
        models: dict[str, list[dict[str, Any]]] = self._admin("limits")["models"]
        return models

    def reset(self) -> None:
        """Forget what was seen."""
        self._admin("stats/reset", {})

    def configure(self, **config: Any) -> None:
        """Change its options."""
        self._admin("config", config)

    def set_faults(self, *faults: str) -> None:
        """Have these faults and no others."""
        self._admin("faults", {"clear": True, "set": list(faults)})

    def _admin(self, route: str, body: Any = None) -> dict[str, Any]:
        request = urllib.request.Request(  # noqa: S310 - our own server
            f"{self.url.removesuffix('/v1')}/sandbox/{route}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request) as answer:  # noqa: S310 - our own server
            told: dict[str, Any] = json.load(answer)
        return told


@contextmanager
def serving(*options: str) -> Iterator[Server]:
    """A sandbox that answers at once, unless `options` of `processor sandbox` say otherwise."""
    with sandbox(["--latency-ms", "0", *options]) as url:
        yield Server(url=url)


# --- what is printed ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One line of a benchmark's table.

    Attributes:
        name: What was measured.
        value: The measured value.
        target: What it must reach.
        at_most: Whether the target is a ceiling; otherwise it is a floor.
        unit: Of value and target; empty for a ratio.
        detail: What the value is made of.
    """

    name: str
    value: float
    target: float
    at_most: bool = True
    unit: str = ""
    detail: str = ""

    @property
    def holds(self) -> bool:
        """Whether the target is reached."""
        return self.value <= self.target if self.at_most else self.value >= self.target


def machine_line() -> str:
    """What the figures were measured on."""
    return (
        f"machine: {os.cpu_count()} cores, {platform.python_implementation()} "
        f"{platform.python_version()}, {platform.system()} {platform.machine()}"
    )


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table; all columns but the first are right-aligned."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def report(figures: Sequence[Figure]) -> int:
    """Print the figures against their targets; returns the exit code, 1 when one is missed."""
    print(f"\n{machine_line()}\n")
    rows = [
        (
            figure.name,
            shown(figure.value, figure.unit),
            f"{'≤' if figure.at_most else '≥'} {shown(figure.target, figure.unit)}",
            "yes" if figure.holds else "**no**",
            figure.detail,
        )
        for figure in figures
    ]
    print(table(("figure", "measured", "target", "holds", "made of"), rows), flush=True)
    return 0 if all(figure.holds for figure in figures) else 1


def _cell(value: object) -> str:
    return " ".join(str(value).split()).replace("|", "/")


def shown(value: float, unit: str = "") -> str:
    """A value with as many digits as it deserves."""
    digits = 0 if abs(value) >= 1_000 else 1 if abs(value) >= 100 else 2
    return f"{value:,.{digits}f}{' ' if unit else ''}{unit}"


def median_of(values: Sequence[float]) -> str:
    """Median and range, for a figure's detail."""
    low, high = min(values), max(values)
    return f"median of {len(values)}: {low:.3g} … {statistics.median(values):.3g} … {high:.3g}"
