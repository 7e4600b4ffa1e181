"""A server of runs, and who looks at it, over real HTTP."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from ledger_parts import failed, item, ledger_of, settle, succeeded

from processor.web.serve import running
from processor.web.shared import Beat

QUICK = Beat(every_s=0.05, heartbeat_s=0.2, patience_s=0.5)
_MOST_S = 20
_LONGEST = 2**24


@dataclass(frozen=True, slots=True)
class Page:
    """A client of a server."""

    url: str
    http: aiohttp.ClientSession

    async def get(self, path: str, **headers: str) -> Any:
        """What is told at a path, which must be all right."""
        async with self.http.get(self.url + path, headers=headers) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def refusal(self, path: str, **headers: str) -> tuple[int, str]:
        """Status and words of what is told at a path, which must not be all right."""
        async with self.http.get(self.url + path, headers=headers) as answer:
            assert answer.status >= 400
            return answer.status, (await answer.json())["error"]

    async def token(self) -> str:
        """What the page carries."""
        async with self.http.get(self.url) as answer:
            page = await answer.text()
        return page.split('name="token" content="')[1].split('"')[0]

    async def order(self, name: str, words: str) -> tuple[int, Any]:
        """Give an order to a run, as the page does."""
        url, headers = f"{self.url}api/runs/{name}/control", {"X-Token": await self.token()}
        async with self.http.post(url, json={"order": words}, headers=headers) as answer:
            return answer.status, await answer.json()

    @asynccontextmanager
    async def events(self, name: str, query: str = "", **headers: str) -> AsyncIterator["Events"]:
        """The stream of a run."""
        url = f"{self.url}api/runs/{name}/events{query}"
        async with self.http.get(url, headers=headers) as answer:
            assert answer.status == 200, await answer.text()
            assert answer.content_type == "text/event-stream"
            yield Events(answer.content)


@dataclass(frozen=True, slots=True)
class Event:
    """One of a stream: its kind, `id` and content."""

    kind: str
    id: str
    told: Any


@dataclass(frozen=True, slots=True)
class Events:
    """A stream that is read."""

    content: aiohttp.StreamReader

    async def next(self) -> Event:
        """The next event."""
        async with asyncio.timeout(_MOST_S):
            block = [await self._line()]
            while block[-1]:
                block.append(await self._line())
        assert len(block) > 1, "the stream has ended"
        lines = dict(line.split(": ", 1) for line in block[:-1])
        if "data" not in lines:
            return Event("retry", "", int(lines["retry"]))
        return Event(lines["event"], lines.get("id", ""), json.loads(lines["data"]))

    async def _line(self) -> str:
        line = await self.content.readline(max_line_length=_LONGEST)
        return line.decode().rstrip("\n")

    async def until(self, holds: Callable[[Event], bool]) -> Event:
        """The next event of which something is true."""
        while not holds(event := await self.next()):
            pass
        return event

    async def look(self) -> Any:
        """The next look."""
        return (await self.until(lambda event: event.kind == "look")).told


@asynccontextmanager
async def served(*folders: Path, beat: Beat = QUICK) -> AsyncIterator[Page]:
    """A server of some folders, and a client."""
    async with (
        running(folders, port=0, beat=beat) as url,
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_MOST_S)) as http,
    ):
        yield Page(url, http)


def ask(
    folder: Path, main: Callable[[Page], Coroutine[Any, Any, Any]], *, beat: Beat = QUICK
) -> Any:
    """Serve one run to a client, to the end of what it does."""

    async def whole() -> Any:
        async with served(folder, beat=beat) as page:
            return await main(page)

    return asyncio.run(whole())


def small_run(folder: Path) -> Path:
    """A run of thirty items: some succeeded, some failed, some pending."""
    with ledger_of(folder, 30) as ledger:
        good = (succeeded(item(seq), check="review") for seq in range(1, 11))
        bad = (failed(item(seq), code="refused", message="no") for seq in range(11, 14))
        settle(ledger.connection, *good, *bad)
    return folder
