"""How a run stands, sent as it changes: to many at once, to who is slow, of runs that die."""

import asyncio
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from ledger_parts import item, ledger_of, settle, succeeded, vitals
from run_bench import Folder, folder_before
from web_bench import QUICK, Page, ask, small_run

from processor.ledger import database
from processor.ledger.gauges import Gauges
from processor.ledger.ledger import Ledger
from processor.ledger.samples import Sampler
from processor.sandbox_process import sandbox
from processor.web.shared import Beat
from processor.web.watch import Watch


@contextmanager
def growing(folder: Path, items: int = 400) -> Iterator[tuple[Ledger, Callable[[], None]]]:
    """A run that is worked on, and a step of it: an item is done, and a sample taken."""
    with ledger_of(folder, items) as ledger:
        sampler, done = Sampler(ledger.connection, 1), iter(range(1, items + 1))

        def step() -> None:
            settle(ledger.connection, succeeded(item(seq := next(done))))
            with database.transaction(ledger.connection):
                sampler.take(ledger.connection, Gauges(at=1.8e9 + seq), vitals())

        yield ledger, step


def test_what_changes_is_sent_and_only_the_points_that_are_new(tmp_path: Path) -> None:
    async def main(page: Page) -> None:
        async with page.events("run") as events:
            assert (await events.next()).told == 2_000  # after so many ms it comes again
            first = await events.next()
            assert (first.kind, first.id) == ("look", "2")
            assert first.told["stats"]["succeeded"] == 2
            assert first.told["running"]
            assert numbers(first.told) == [1, 2]
            step()
            second = await events.until(lambda event: event.kind == "look")
            assert (second.id, second.told["stats"]["succeeded"]) == ("3", 3)
            assert numbers(second.told) == [3]
            assert (await events.next()).kind == "beat"  # nothing changes
        async with page.events("run", "?after=2") as events:
            assert numbers(await events.look()) == [3]
        async with page.events("run", "?after=0", **{"Last-Event-ID": "1"}) as events:
            assert numbers(await events.look()) == [2, 3]
        async with page.events("run", "?after=1", **{"Last-Event-ID": "no"}) as events:
            assert numbers(await events.look()) == [2, 3]
        assert numbers(await page.get("api/runs/run?after=2")) == [3]
        assert numbers(await page.get("api/runs/run")) == [1, 2, 3]

    with growing(tmp_path / "run") as (_, step):
        step()
        step()
        ask(tmp_path / "run", main)


def numbers(look: Any) -> list[int]:
    place = look["point_columns"].index("number")
    return [point[place] for point in look["points"]]


def test_fifty_who_look_are_told_the_same_by_one_reader(tmp_path: Path) -> None:
    async def main() -> None:
        reads: list[Any] = []

        async def in_thread(call: Callable[..., Any], *args: Any) -> Any:
            reads.append(call)
            return await asyncio.to_thread(call, *args)

        watch = Watch("run", tmp_path / "run", in_thread, 0.05)

        async def listener() -> list[int]:
            told, version = list[int](), 0
            with watch.listening():
                while not told or told[-1] < 5:
                    frame = await watch.newer(version, 20.0)
                    assert frame is not None
                    version = frame.version
                    told.append(frame.look["stats"]["succeeded"])
            return told

        begun_s = time.monotonic()
        listeners = [asyncio.create_task(listener()) for _ in range(50)]
        for _ in range(5):
            step()
            await asyncio.sleep(0.05)
        for told in await asyncio.gather(*listeners):
            assert told == sorted(set(told))
        assert len(reads) <= (time.monotonic() - begun_s) / 0.05 + 2

    with growing(tmp_path / "run") as (_, step):
        asyncio.run(main())


def test_fifty_pages_are_served_at_once(tmp_path: Path) -> None:
    async def main(page: Page) -> None:
        async def look() -> None:
            async with page.events("run") as events:
                await events.until(
                    lambda event: event.kind == "look" and event.told["stats"]["succeeded"] == 10
                )

        pages = [asyncio.create_task(look()) for _ in range(50)]
        for _ in range(10):
            step()
            await asyncio.sleep(0.02)
        await asyncio.gather(*pages)

    with growing(tmp_path / "run") as (_, step):
        ask(tmp_path / "run", main)


def test_who_stops_reading_is_let_go_and_holds_up_nobody(tmp_path: Path) -> None:
    async def main(page: Page) -> None:
        port = int(page.url.rstrip("/").rpartition(":")[2])
        with closing(deaf("api/runs/run/events", port)) as client:
            async with page.events("run") as events:
                for count in range(1, 200):
                    say("x" * 200_000)
                    step()
                    while (await events.look())["stats"]["succeeded"] < count:
                        pass
                    if await asyncio.to_thread(is_reset, client):
                        return
        raise AssertionError("it was never let go")

    def say(words: str) -> None:
        with database.transaction(ledger.connection):
            ledger.connection.execute(
                "INSERT INTO control (at, asked_by, words, answer) VALUES (1, 'me', 'pause', ?)",
                (words,),
            )

    with growing(tmp_path / "run") as (ledger, step):
        ask(tmp_path / "run", main, beat=Beat(every_s=0.02, heartbeat_s=5.0, patience_s=0.3))


def deaf(path: str, port: int) -> socket.socket:
    """A client that asks and never reads."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(("127.0.0.1", port))
    client.sendall(f"GET /{path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
    client.setblocking(False)
    return client


def is_reset(client: socket.socket) -> bool:
    """Whether the other side has closed, seen without reading."""
    return client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) != 0


def test_another_run_in_its_place_is_told_whole(tmp_path: Path) -> None:
    async def main(page: Page) -> None:
        async with page.events("run") as events:
            await events.look()
            (tmp_path / "run").rename(tmp_path / "aside")
            with growing(tmp_path / "run") as (_, step):
                step()
                look = await events.look()
                while look["stats"]["succeeded"] != 1 or not look["points"]:
                    look = await events.look()
            assert numbers(look) == [1]

    with growing(tmp_path / "run") as (_, step):
        for _ in range(3):
            step()
    ask(tmp_path / "run", main)


def test_a_run_that_cannot_be_read_for_a_while_is_told_and_comes_back(tmp_path: Path) -> None:
    run = small_run(tmp_path / "run")
    ledger = run / database.LEDGER_NAME
    whole = ledger.read_bytes()

    async def main(page: Page) -> None:
        async with page.events("run") as events:
            await events.look()
            ledger.write_bytes(b"damaged" * 1_000)
            problem = await events.until(lambda event: event.kind == "problem")
            assert "is damaged" in problem.told["error"]
            ledger.write_bytes(whole)
            assert (await events.look())["stats"]["succeeded"] == 10

    ask(run, main)


@pytest.fixture(scope="module")
def slow_sandbox() -> Iterator[str]:
    with sandbox(["--latency-ms", "100"]) as url:
        yield url


@pytest.fixture
def folder(tmp_path: Path, slow_sandbox: str) -> Iterator[Folder]:
    with folder_before(slow_sandbox, tmp_path, rows=200) as folder:
        yield folder


def test_a_run_that_was_killed_says_so_within_five_seconds(folder: Folder) -> None:
    process = folder.start("--concurrency", "4")
    folder.wait_for_answers(10)

    async def main(page: Page) -> None:
        async with page.events("out") as events:
            look = (await events.until(lambda event: _state(event.told) == "sending")).told
            assert look["running"]
            process.send_signal(signal.SIGKILL)
            killed_s = time.monotonic()
            while look["running"]:
                look = await events.look()
            assert time.monotonic() - killed_s < 5
            assert look["state"] == "not running, resumable"
            assert "processor run " in look["command"]
            assert any(look["command"] in step for step in look["next_steps"])

    ask(folder.path / "out", main, beat=Beat())


def test_a_run_takes_orders_from_the_page(folder: Folder) -> None:
    folder.start("--concurrency", "4")
    folder.wait_for_answers(10)

    async def main(page: Page) -> None:
        async with page.events("out") as events:
            status, told = await page.order("out", "pause")
            assert status == 200
            await events.until(lambda event: _state(event.told) == "paused")
            order = (await page.get("api/runs/out/orders"))[0]
            assert (order["number"], order["words"]) == (told["number"], "pause")
            assert order["accepted"]
            await page.order("out", "concurrency 50")
            await page.order("out", "resume")
            done = await events.until(lambda event: _state(event.told) == "done")
            assert done.told["stats"]["succeeded"] == 200

    ask(folder.path / "out", main, beat=QUICK)


def _state(told: Any) -> str | None:
    return told.get("state") if isinstance(told, dict) else None
