"""How runs of a program end before their end: cancelled, left, interrupted, refused, broken."""

import asyncio
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from command_line import Shell

from processor import Outcome, Processor, Task
from processor.errors import DeliveryError

TASK = Task(name="greet", model="gpt-6-luna", prompt="Greet {{ who }}.")
ROWS = [{"id": n, "who": f"guest {n}"} for n in range(400)]
KEY = "sk-test-of-the-api"
HANG = "hang:after=50,seconds=60"


@pytest.fixture
def engine(shell: Shell) -> Iterator[Processor]:
    yield Processor(base_url=shell.url, api_key=KEY, concurrency=5)
    assert not {"processor", "writer", "screen", "delivery"} & {
        each.name for each in threading.enumerate()
    }


def assert_goes_on(engine: Processor, shell: Shell) -> None:
    """The same folder is free, and every row is paid once, but for calls that were cut off."""
    shell._admin("faults", {"clear": True})
    report = engine.run_sync(TASK, ROWS, out="out")
    assert report.succeeded == len(ROWS)
    assert shell.stats()["paid"] - len(ROWS) <= report.figures.overall.requests_lost


def wait_until_it_hangs(shell: Shell) -> None:
    """Until the sandbox holds all five calls; each look is a round trip to it."""
    while shell.stats()["received"] < 55:
        pass


class MadeError(Exception):
    """A program's own."""


@pytest.mark.parametrize("at", [0, 1, 250, 399])
def test_a_generator_s_own_error_comes_out_and_nothing_was_sent(
    engine: Processor, shell: Shell, at: int
) -> None:
    def made() -> Iterator[dict[str, Any]]:
        yield from ROWS[:at]
        raise MadeError(at)

    async def made_later() -> AsyncIterator[dict[str, Any]]:
        for row in made():
            yield row

    with pytest.raises(MadeError, match=str(at)):
        engine.run_sync(TASK, made(), out="out")
    with pytest.raises(MadeError, match=str(at)):
        asyncio.run(engine.run(TASK, made_later(), out="out"))
    assert shell.stats()["received"] == 0
    assert not Path("out").exists()
    assert_goes_on(engine, shell)


def test_a_generator_that_waits_holds_nobody_who_leaves(engine: Processor, shell: Shell) -> None:
    waits, goes_on = threading.Event(), threading.Event()

    def made() -> Iterator[dict[str, Any]]:
        yield from ROWS
        waits.set()
        goes_on.wait()
        yield {"id": 1_000, "who": "nobody"}

    async def main() -> None:
        work = asyncio.create_task(engine.run(TASK, made(), out="out"))
        await asyncio.to_thread(waits.wait)
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work

    asyncio.run(main())
    goes_on.set()
    assert not Path("out").exists()
    assert_goes_on(engine, shell)


def test_an_asynchronous_one_does_not_either(engine: Processor, shell: Shell) -> None:
    async def main() -> None:
        waits, closed = asyncio.Event(), asyncio.Event()

        async def made() -> AsyncIterator[dict[str, Any]]:
            try:
                for row in ROWS:
                    yield row
                waits.set()
                await asyncio.get_running_loop().create_future()
            finally:
                closed.set()

        work = asyncio.create_task(engine.run(TASK, made(), out="out"))
        await waits.wait()
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
        await closed.wait()

    asyncio.run(main())
    assert not Path("out").exists()
    assert_goes_on(engine, shell)


def test_a_folder_has_one_run_at_a_time(engine: Processor, shell: Shell) -> None:
    async def both() -> list[Any]:
        calls = (engine.run(TASK, ROWS, out="out") for _ in range(2))
        return await asyncio.gather(*calls, return_exceptions=True)

    ended = asyncio.run(both())
    assert sorted(type(each).__name__ for each in ended) == ["RunLockedError", "RunReport"]
    assert_goes_on(engine, shell)


def test_cancelled_over_and_over_it_ends_in_order_all_the_same(
    engine: Processor, shell: Shell
) -> None:
    shell.fault(HANG)

    async def main() -> None:
        work = asyncio.create_task(engine.run(TASK, ROWS, out="out"))
        await asyncio.to_thread(wait_until_it_hangs, shell)
        for _ in range(3):
            work.cancel()
            await asyncio.sleep(0)
        with pytest.raises(asyncio.CancelledError):
            await work
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())
    assert_goes_on(engine, shell)


def test_ended_before_it_began_it_leaves_nothing(engine: Processor, shell: Shell) -> None:
    async def main() -> None:
        async with asyncio.timeout(0):
            await engine.run(TASK, ROWS, out="out")

    with pytest.raises(TimeoutError):
        asyncio.run(main())
    assert shell.stats()["received"] == 0
    assert not Path("out").exists()
    assert_goes_on(engine, shell)


@pytest.mark.parametrize("tidily", [True, False], ids=["closed", "forgotten"])
def test_an_error_of_whoever_takes_outcomes_ends_the_run(
    engine: Processor, shell: Shell, tidily: bool
) -> None:
    async def take(stream: AsyncIterator[Outcome]) -> None:
        async for outcome in stream:
            raise MadeError(outcome.item.id)

    async def main() -> None:
        stream = engine.stream(TASK, ROWS, out="out")
        if not tidily:
            return await take(stream)
        async with aclosing(stream):
            return await take(stream)

    with pytest.raises(MadeError):
        asyncio.run(main())
    assert shell.stats()["paid"] < len(ROWS)
    assert_goes_on(engine, shell)


def test_a_stream_that_nobody_takes_waits_and_is_not_in_the_way(
    engine: Processor, shell: Shell
) -> None:
    """Outcomes that nobody takes hold up the run, not the program's loop."""

    async def main() -> None:
        stream = engine.stream(TASK, ROWS, out="out")
        first = await anext(stream)
        other = await engine.run(TASK, ROWS[:20], out="other")
        assert other.succeeded == 20
        rest = [outcome async for outcome in stream]
        assert {outcome.item.id for outcome in [first, *rest]} == {row["id"] for row in ROWS}

    asyncio.run(main())
    assert shell.stats()["paid"] == len(ROWS) + 20


def test_a_stream_tells_of_an_output_that_did_not_take_all(engine: Processor) -> None:
    place = Path("there")
    place.mkdir()

    async def main() -> None:
        stream = engine.stream(TASK, ROWS, out="out", outputs="there/all.csv")
        await anext(stream)
        await asyncio.to_thread(place.rmdir)
        async for _ in stream:
            pass

    with pytest.raises(DeliveryError, match=r"there/all\.csv"):
        asyncio.run(main())


def test_a_report_tells_what_an_output_still_has_to_take(engine: Processor) -> None:
    place = Path("there")
    place.mkdir()

    def made() -> Iterator[dict[str, Any]]:
        yield from ROWS
        place.rmdir()

    report = engine.run_sync(TASK, made(), out="out", outputs="there/all.csv")
    (handover,) = report.handovers
    assert (report.exit_code, report.succeeded) == (5, len(ROWS))
    assert (handover.delivered.inserted, handover.waiting) == (0, len(ROWS))
    assert "there/all.csv" in (handover.problem or "")
    place.mkdir()
    again = engine.run_sync(TASK, ROWS, out="out", outputs="there/all.csv")
    (handover,) = again.raise_for_outputs().handovers
    assert (handover.delivered.inserted, handover.waiting) == (len(ROWS), 0)


@pytest.mark.usefixtures("shell")
def test_the_sandbox_of_a_run_that_is_left_ends_with_it() -> None:
    async def main() -> None:
        engine = Processor(sandbox=True, wait_s=600, chunk_size=10)
        async with aclosing(engine.stream(TASK, ROWS, out="out")) as stream:
            await anext(stream)

    asyncio.run(main())
    with closing(sqlite3.connect("out/ledger.sqlite")) as ledger:
        ((settings,),) = ledger.execute("SELECT settings FROM sessions").fetchall()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", urlsplit(json.loads(settings)["base_url"]).port))


SCRIPT = """
import asyncio, sys, threading
from processor import Processor, Task

task = Task(name="greet", model="gpt-6-luna", prompt="Greet {{ who }}.")
rows = [{"id": n, "who": f"guest {n}"} for n in range(400)]
engine = Processor(base_url=sys.argv[1], api_key="sk-test-of-the-api", concurrency=5)

def go():
    return engine.run_sync(task, rows, out="out", progress=True)

async def cell():
    return go()

try:
    asyncio.new_event_loop().run_until_complete(cell()) if sys.argv[2] == "cell" else go()
except KeyboardInterrupt:
    print(sorted(each.name for each in threading.enumerate()))
"""


WAITING = """
import sys, threading
from processor import Processor, Task

def rows():
    yield {"id": 1, "who": "Ada"}
    print("waits", flush=True)
    threading.Event().wait()

task = Task(name="greet", model="gpt-6-luna", prompt="Greet {{ who }}.")
Processor(base_url=sys.argv[1], api_key="sk-test-of-the-api").run_sync(task, rows(), out="out")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT to a process")
def test_ctrl_c_ends_a_program_whose_rows_do_not_come(shell: Shell) -> None:
    command = [sys.executable, "-c", WAITING, shell.url]
    with subprocess.Popen(
        command, cwd=shell.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "waits\n"
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=20)
    assert told.endswith("KeyboardInterrupt\n"), told
    assert process.returncode == -signal.SIGINT
    assert not (shell.folder / "out").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT to a process")
@pytest.mark.parametrize("where", ["script", "cell"])
def test_ctrl_c_ends_the_calls_and_is_raised(engine: Processor, shell: Shell, where: str) -> None:
    shell.fault(HANG)
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT, shell.url, where],
        cwd=shell.folder,
        env=os.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        wait_until_it_hangs(shell)
        process.send_signal(signal.SIGINT)
        out, told = process.communicate(timeout=20)
    assert (process.returncode, "Traceback" in told) == (0, False), told
    assert out.strip() == "['MainThread']"
    assert_goes_on(engine, shell)
