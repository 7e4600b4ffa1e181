"""Runs by batch in front of a server, on one clock that runs a hundred times quicker than time."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import aiohttp

from processor.clock import Clock
from processor.data import open_source
from processor.ledger.commit import ChunkTotals, Commit
from processor.notice import Notice
from processor.report import Report
from processor.run import Run
from processor.sandbox import SandboxConfig, parse_fault, running
from processor.sending.terms import BatchTerms
from processor.settings import Settings
from processor.tasks.toml import load_task

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))
from _quick_clock import QuickClock

SPEED = 100.0
_TIMEOUT_S = 120.0
_TIMEOUT_MOST_S = 86_400.0
_CALL_REAL_S = 20.0  # that a call may take on quicker clocks
KEY = "sk-my-own-secret-key-0123456789"
SAY = """\
name = "say"
model = "gpt-6-luna"
prompt = "Say {{ word }}."
[output]
kind = "text"
"""


@dataclass(slots=True)
class Notes:
    """What was told."""

    notices: list[Notice] = field(default_factory=list)
    awaited: dict[str, asyncio.Event] = field(default_factory=dict)

    def notice(self, notice: Notice) -> None:
        self.notices.append(notice)
        if notice.event in self.awaited:
            self.awaited[notice.event].set()

    def committed(self, commit: Commit) -> None:
        pass

    def chunk_written(self, chunk: ChunkTotals) -> None:
        pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """A folder with rows before a server."""

    folder: Path
    url: str
    clock: Clock
    notes: Notes = field(default_factory=Notes)
    timeout_s: float = _TIMEOUT_S

    async def run(self, terms: BatchTerms | None = None, **settings: Any) -> Report:
        """A start of the run, to its end."""
        given = {"route": "batch", "base_url": self.url, "api_key": KEY, "logs": self.folder}
        run = Run(
            folder=self.out,
            task=load_task(str(self.folder / "task.toml")),
            source=open_source(str(self.folder / "rows.jsonl")),
            settings=Settings.of({**given, "timeout_s": self.timeout_s, **settings}),
            observers=[self.notes],
            batch=terms or BatchTerms(),
            clock=self.clock,
        )
        return await run.execute()

    @property
    def out(self) -> Path:
        """The run folder."""
        return self.folder / "out"

    def told(self, event: str) -> list[dict[str, Any]]:
        """The facts of all notices of an event."""
        return [dict(notice.facts) for notice in self.notes.notices if notice.event == event]

    async def heard(self, event: str) -> None:
        """Until something is told for the first time."""
        await self.notes.awaited.setdefault(event, asyncio.Event()).wait()

    def results(self) -> dict[int, Any]:
        """Id to entry, of all files of results; each id once."""
        entries = [
            entry
            for path in sorted(self.out.glob("conversion_results_batch_*.json"))
            for entry in json.loads(path.read_text())["results"]
        ]
        found = {entry["id"]: entry for entry in entries}
        assert len(found) == len(entries)
        return found

    async def admin(self, path: str, body: Any = None) -> Any:
        """One of the sandbox's own routes."""
        address = f"{self.url.removesuffix('/v1')}/sandbox/{path}"
        method = "GET" if body is None else "POST"
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, address, json=body) as response,
        ):
            return await response.json()

    async def stats(self) -> Any:
        """What the sandbox has seen."""
        return await self.admin("stats?items=1")


def rows_in(folder: Path, count: int) -> None:
    """A task and a table of rows."""
    (folder / "task.toml").write_text(SAY)
    rows = ({"id": n, "word": f"word{n}."} for n in range(1, count + 1))
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def bench_before(url: str, folder: Path) -> Bench:
    """A folder before a server whose time is the machine's."""
    return Bench(folder=folder, url=url, clock=QuickClock(speed=SPEED))


@asynccontextmanager
async def batch_bench(
    folder: Path, *faults: str, rows: int = 12, speed: float = SPEED, **config: Any
) -> AsyncIterator[Bench]:
    """A folder with rows before a sandbox on the same clock."""
    rows_in(folder, rows)
    clock = QuickClock(speed=speed)
    quick = {"latency_ms": 0, "validating_s": 1, "in_progress_s": 2, "finalizing_s": 1}
    parsed = tuple(map(parse_fault, faults))
    async with running(SandboxConfig(**{**quick, "faults": parsed, **config}), clock) as url:
        # A call must not end because the machine is busy while the clock runs on.
        timeout_s = min(_TIMEOUT_MOST_S, _CALL_REAL_S * speed) if speed > SPEED else _TIMEOUT_S
        yield Bench(folder=folder, url=url, clock=clock, timeout_s=timeout_s)


def walk(
    folder: Path, visit: Callable[[Bench], Awaitable[None]], *faults: str, **options: Any
) -> None:
    """Visit such a bench."""

    async def main() -> None:
        async with batch_bench(folder, *faults, **options) as bench:
            await visit(bench)

    asyncio.run(main())


def off(bench: Bench, seconds: float) -> Bench:
    """The same with another clock than the sandbox's: so many seconds ahead."""
    assert isinstance(bench.clock, QuickClock)
    return replace(bench, clock=replace(bench.clock, off_s=seconds))
