"""A run of many items, most of them done, made by the ledger's own code without a single call.

    python scripts/_big_run.py FOLDER ITEMS            a beat a second
    python scripts/_big_run.py FOLDER ITEMS --every 0.04

It is what a start leaves that sends by both lanes: answers that succeeded, were doubted, failed for
many reasons, some after retries; chunks done, begun and untouched; batches that are over and two
that are not; figures over time, as many as are ever kept. Then it goes on as a start does: at each
beat some items are done, and it keeps its gauges, takes a sample and looks for orders. It ends when
its standard input does. When it stands it prints, as JSON, what a beat costs that has nothing else
to write.
"""

import argparse
import asyncio
import json
import sqlite3
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from processor import machine
from processor.columns import Column
from processor.direct.gauge import Leeway
from processor.items import Accepted, Attempt, Failure, Item, Outcome, Row, Usage
from processor.ledger import shards
from processor.ledger.commit import Record
from processor.ledger.gauges import Gauges
from processor.ledger.ledger import Ledger, open_ledger
from processor.ledger.reading import IntakeRules
from processor.ledger.samples import MOST
from processor.ledger.shards import Batch, Shard, State
from processor.ledger.vitals import Vitals
from processor.ledger.writer import Writer
from processor.sending.orders import Orders

_CHUNK_ITEMS = 10  # as many chunks as there may be
_DONE, _AT_PROVIDER = 0.8, 0.1  # shares of the items; what is left is done beat by beat
_SAMPLES = MOST - 100
_SETTLED_SHARDS, _OPEN_SHARDS = 20, 2
_ITEMS_A_BEAT = 5
_IDLE_BEATS = 100
_MODEL = "gpt-6-luna"
# The rare ones first; every so many items fail so.
_FAILED = {
    "filtered": 7_900,
    "truncated": 5_300,
    "connection": 2_900,
    "invalid": 1_100,
    "timeout": 700,
    "server_error": 110,
}
_RETRIED = ("rate_limited", "server_error", "timeout")
_USAGE = Usage(prompt_tokens=180, completion_tokens=24, cached_tokens=64)
_TITLES = ("조류 관측 기록", "다리와 항만", "벌과 꽃가루", "구름의 종류", "유리 공예의 역사")


@dataclass(frozen=True, slots=True)
class Titles:
    """Rows that are made as they are read."""

    items: int
    name: str = "titles.jsonl"
    uri: str = "titles.jsonl"

    def columns(self) -> Sequence[Column]:
        """Of unknown types."""
        return ()

    def stamp(self) -> str:
        """Equal for equal rows."""
        return str(self.items)

    def rows(self) -> Iterator[Row]:
        """About a hundred bytes each."""
        for number in range(1, self.items + 1):
            title = _TITLES[number % len(_TITLES)]
            yield Row(number=number, fields={"id": number, "title": title, "text": title * 3})


@dataclass(slots=True)
class Lanes:
    """Whoever would do what is ordered."""

    leeway: Leeway = field(default_factory=Leeway)
    is_ending: bool = False

    def heed(self, leeway: Leeway) -> None:
        """Go on as somebody wants it."""
        self.leeway = leeway

    def renew(self, _items: int) -> None:
        """Failed items stay as they are."""


def records(seq: int) -> Iterator[Record]:
    """What one item leaves: the same for the same place."""
    item = Item(seq=seq, chunk=(seq - 1) // _CHUNK_ITEMS + 1, id=seq, fields={})
    retries = seq % 33 == 0
    latency_ms = 400.0 + seq * 7919 % 1_600
    if retries:
        yield Attempt(
            item=item,
            lane="direct",
            number=1,
            code=_RETRIED[seq // 33 % len(_RETRIED)],
            message="The provider said: try again later.",
            latency_ms=latency_ms,
            wait_s=1.0,
            status=503,
        )
    code = next((code for code, every in _FAILED.items() if seq % every == 0), None)
    succeeds = (
        None
        if code
        else Accepted(
            result=f"{_TITLES[seq % len(_TITLES)]}: 중립",
            check="review" if seq % 40 == 0 else "verified",
        )
    )
    yield Outcome(
        item=item,
        lane="direct",
        attempts=1 + retries,
        latency_ms=latency_ms,
        answered=code is None,
        accepted=succeeds,
        failure=Failure(code=code, message="It went wrong.", retryable=True) if code else None,
        model=f"{_MODEL}-2026-08-01" if succeeds else None,
        usage=_USAGE if succeeds else None,
    )


def price(_model: str | None, _tier: str | None, _lane: str, usage: Usage) -> float:
    """What an answer costs."""
    return (usage.prompt_tokens + 8 * usage.completion_tokens) * 1e-7


def vitals() -> Vitals:
    """As a run measures them."""
    return Vitals(
        cpu_s=machine.cpu_s(),
        rss_mb=machine.rss_mb(),
        peak_rss_mb=machine.peak_rss_mb(),
        bytes_sent=int(1e6 * machine.cpu_s()),
        bytes_received=int(1e6 * machine.cpu_s()),
    )


def gauges(at: float) -> Gauges:
    """Of a start that sends."""
    return Gauges(
        at=at,
        window=60,
        in_flight=50 + int(at) % 10,
        calls_per_s=80.0,
        requests_per_min=5_000.0,
        tokens_per_min=2e6,
    )


def begin(ledger: Ledger, items: int) -> int:
    """Import the rows; returns the number of the session."""
    ledger.set_meta(
        run_id="r1", task="titles", model=_MODEL, provider="openai", id_field="id", identity="{}"
    )
    session = ledger.start_session({"provider": "openai", "route": "hybrid", "budget_usd": 500.0})
    rules = IntakeRules(id_field="id", required=("title",), chunk_size=_CHUNK_ITEMS)
    ledger.take_in(Titles(items), rules)
    return session


def settle(writer: Writer, done: int) -> None:
    """Give the first items their outcomes, in as many transactions as samples are taken."""
    edges = [1 + done * place // _SAMPLES for place in range(_SAMPLES + 1)]
    began_s = time.time() - _SAMPLES
    for second, (first, end) in enumerate(pairwise(edges)):
        for seq in range(first, end):
            for record in records(seq):
                writer.record(record)
        writer.gauge(gauges(began_s + second))
        writer.sample()
        writer.flush().result()


def hand_over(writer: Writer, first: int, items: int) -> None:
    """Put items into shards at the provider, after some that are over."""
    each = items // _OPEN_SHARDS
    numbers = range(1, _SETTLED_SHARDS + _OPEN_SHARDS + 1)

    def add(connection: sqlite3.Connection) -> None:
        for number in numbers:
            place = number - _SETTLED_SHARDS - 1
            start = first + place * each
            seqs = list(range(start, start + each)) if place >= 0 else []
            state = State.OPEN if place >= 0 else State.SETTLED
            shards.add(connection, _shard(number, state, each), seqs)
        shards.see(connection, [_batch(number, each) for number in numbers])

    writer.change(add).result()


def _shard(number: int, state: State, items: int) -> Shard:
    return Shard(
        number=number,
        state=state,
        at=time.time(),
        account="0123abcd",
        endpoint="/v1/chat/completions",
        model=_MODEL,
        upload=1,
        items=items,
        bytes=400 * items,
        sha256=f"{number:064}",
        tokens=200 * items,
        file_id=f"file-{number:04}",
    )


def _batch(number: int, items: int) -> Batch:
    is_over = number <= _SETTLED_SHARDS
    return Batch(
        id=f"batch_{number:04}",
        shard=number,
        status="completed" if is_over else "in_progress",
        created_at=time.time() - 3_600,
        seen_at=time.time(),
        total=items,
        completed=items if is_over else items // 2,
        failed=0,
    )


class Pulse:
    """What a start does every second.

    Args:
        ledger: Of the run.
        writer: Of the ledger.
        free: Places of the items that are done next.
    """

    def __init__(self, ledger: Ledger, writer: Writer, free: range) -> None:
        self._writer = writer
        self._seqs = iter(free)
        self._orders = Orders(
            ledger.path, writer, Lanes(), drain=lambda: None, tell=lambda _notice: None
        )

    async def beat(self, items: int) -> None:
        """Finish some items, take a sample, look for orders."""
        for seq, _ in zip(self._seqs, range(items), strict=False):
            for record in records(seq):
                self._writer.record(record)
        self._writer.gauge(gauges(time.time()))
        self._writer.sample()
        await asyncio.wrap_future(self._writer.flush())
        await self._orders.look()

    async def idle_ms(self) -> float:
        """CPU of a beat without items, by all threads."""
        before_s = time.process_time()
        for _ in range(_IDLE_BEATS):
            await self.beat(0)
        return (time.process_time() - before_s) / _IDLE_BEATS * 1e3

    async def go_on(self, every_s: float, over: asyncio.Event) -> None:
        """Beat until it is over."""
        due_s = time.monotonic() + every_s
        while not await _is_set(over, due_s - time.monotonic()):
            await self.beat(_ITEMS_A_BEAT)
            due_s += every_s


async def _is_set(over: asyncio.Event, most_s: float) -> bool:
    try:
        async with asyncio.timeout(max(0.0, most_s)):
            await over.wait()
    except TimeoutError:
        return False
    return True


async def go_on(pulse: Pulse, every_s: float) -> None:
    """Go on as a start does until standard input ends."""
    loop, over = asyncio.get_running_loop(), asyncio.Event()

    def wait() -> None:
        sys.stdin.read()
        loop.call_soon_threadsafe(over.set)

    threading.Thread(target=wait, name="input", daemon=True).start()
    print(json.dumps({"beat_ms": await pulse.idle_ms()}), flush=True)
    await pulse.go_on(every_s, over)


def main() -> None:
    """Make the run that the command line names, and go on with it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("items", type=int)
    parser.add_argument("--every", type=float, default=1.0, help="seconds between beats")
    options = parser.parse_args()
    done, at_provider = int(_DONE * options.items), int(_AT_PROVIDER * options.items)
    free = range(done + 1, options.items - at_provider + 1)

    def fail(error: BaseException) -> None:
        raise error

    with open_ledger(options.folder) as ledger:
        session = begin(ledger, options.items)
        with ledger.writing(
            session=session, price=price, vitals=vitals, on_commit=lambda *_: None, on_failure=fail
        ) as writer:
            settle(writer, done)
            hand_over(writer, free.stop, at_provider)
            asyncio.run(go_on(Pulse(ledger, writer, free), options.every))


if __name__ == "__main__":
    main()
