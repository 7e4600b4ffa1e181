"""FAULTS.md 39, a whole run: the provider fails for minutes, at the start or in the middle."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from lane_bench import KEY, let_pass, task
from sandbox_http import Api, sandbox

from processor.data import open_source
from processor.ledger.commit import ChunkTotals, Commit
from processor.notice import Notice
from processor.report import Report
from processor.run import Run
from processor.sandbox import ManualClock
from processor.settings import Settings

ITEMS = 400
BEFORE = 100  # answers before the outage
CONCURRENCY = 20


@dataclass(slots=True)
class Events:
    """An observer that notes what it was told."""

    seen: list[str] = field(default_factory=list)

    def notice(self, notice: Notice) -> None:
        self.seen.append(notice.event)

    def committed(self, commit: Commit) -> None:
        pass

    def chunk_written(self, chunk: ChunkTotals) -> None:
        pass


@dataclass(slots=True)
class Bench:
    """Starts of one run, in front of a sandbox whose clock is the client's."""

    folder: Path
    api: Api
    clock: ManualClock
    events: Events = field(default_factory=Events)

    def start(self, *, url: str = "") -> "asyncio.Task[Report]":
        settings = {"base_url": url or self.api.url, "api_key": KEY, "concurrency": CONCURRENCY}
        run = Run(
            folder=self.folder / "out",
            task=task(),
            source=open_source(str(self.folder / "rows.jsonl")),
            settings=Settings.of({**settings, "logs": self.folder}),
            observers=[self.events],
            clock=self.clock,
        )
        return asyncio.create_task(run.execute())

    async def end(self, run: "asyncio.Task[Report]") -> Report:
        await let_pass(self.clock, run)  # type: ignore[arg-type]  # whatever it returns
        return run.result()

    async def fault(self, *specs: str) -> None:
        reply = await self.api.admin("/faults", {"clear": True, "set": list(specs)})
        assert reply.status == 200, reply.raw

    async def received(self) -> int:
        return int((await self.api.stats())["received"])


@asynccontextmanager
async def bench(folder: Path) -> AsyncIterator[Bench]:
    rows = (json.dumps({"id": n, "word": f"word{n}."}) for n in range(1, ITEMS + 1))
    (folder / "rows.jsonl").write_text("\n".join(rows) + "\n")
    clock = ManualClock()
    async with sandbox(clock, key=KEY, latency_ms=100) as api:
        yield Bench(folder, api, clock)


@pytest.mark.fault(39)
def test_a_run_sits_out_an_outage_of_four_minutes(tmp_path: Path) -> None:
    async def main() -> None:
        async with bench(tmp_path) as it:
            await it.fault(f"server_error:after={BEFORE}")
            run = it.start()
            await let_pass(it.clock, run, until_s=240)  # type: ignore[arg-type]
            assert not run.done()
            assert await it.received() < BEFORE + CONCURRENCY + 20
            await it.fault()
            report = await it.end(run)
            assert report.exit_code == 0
            assert report.snapshot.succeeded == ITEMS
            assert 240 < it.clock.monotonic() < 300
            assert [event for event in it.events.seen if "outage" in event] == [
                "outage",
                "outage_over",
            ]

    asyncio.run(main())


@pytest.mark.fault(39)
@pytest.mark.parametrize("fault", ["server_error", "overloaded", "bad_gateway", "reset"])
def test_an_outage_that_lasts_ends_with_3_and_the_same_command_goes_on(
    tmp_path: Path, fault: str
) -> None:
    async def main() -> None:
        async with bench(tmp_path) as it:
            await it.fault(f"{fault}:after={BEFORE}")
            report = await it.end(it.start())
            assert report.exit_code == 3
            assert report.stop is not None
            assert (report.snapshot.succeeded, report.snapshot.failed) == (BEFORE, 0)
            assert 300 <= it.clock.monotonic() < 420
            assert await it.received() < BEFORE + CONCURRENCY + 25

            await it.fault()
            again = await it.end(it.start())
            assert again.exit_code == 0
            assert again.snapshot.succeeded == ITEMS
            assert again.differences == []

    asyncio.run(main())


@pytest.mark.fault(3)
def test_an_address_where_nobody_is_is_given_up_within_the_minute(tmp_path: Path) -> None:
    async def main() -> None:
        async with bench(tmp_path) as it:
            report = await it.end(it.start(url="http://127.0.0.1:1/v1"))
            assert report.exit_code == 3
            assert report.stop is not None
            assert report.stop.code == "unreachable"
            assert report.snapshot.pending == ITEMS
            assert 30 <= it.clock.monotonic() < 40
            assert (await it.end(it.start())).exit_code == 0

    asyncio.run(main())
