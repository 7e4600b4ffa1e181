"""What the answers of a server share: its runs, their readers, and threads to read in."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import ParamSpec, TypeVar

from aiohttp import web

from processor.web.runs import Runs
from processor.web.watch import Watch

P = ParamSpec("P")
T = TypeVar("T")

# Apart, so that no search keeps the figures waiting.
_LOOKERS, _SEARCHERS = 2, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """How often things happen.

    Attributes:
        every_s: A run is read, at most.
        heartbeat_s: Who listens is told that we are here, at least.
        patience_s: Who takes nothing for so long is let go: a browser comes again when it is awake.
    """

    every_s: float = 1.0
    heartbeat_s: float = 15.0
    patience_s: float = 10.0


class Shared:
    """Of one server.

    Args:
        runs: What it shows.
        beat: How often.

    Attributes:
        runs: The same.
        beat: The same.
    """

    def __init__(self, runs: Runs, beat: Beat) -> None:
        self.runs = runs
        self.beat = beat
        self._watches: dict[str, Watch] = {}
        self._lookers = ThreadPoolExecutor(_LOOKERS, "look")
        self._searchers = ThreadPoolExecutor(_SEARCHERS, "search")

    def watch(self, name: str) -> Watch:
        """The reader of a run, which is everybody's.

        Raises:
            NoRunError: There is no such run.
        """
        if name not in self._watches:
            self._watches[name] = Watch(name, self.runs.folder(name), self.look, self.beat.every_s)
        return self._watches[name]

    async def look(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a function that takes milliseconds, in a thread."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._lookers, partial(call, *args, **kwargs))

    async def search(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a function that may take a second, in a thread."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._searchers, partial(call, *args, **kwargs))

    def close(self) -> None:
        """Begin nothing more."""
        for threads in (self._lookers, self._searchers):
            threads.shutdown(wait=False, cancel_futures=True)


SHARED = web.AppKey("shared", Shared)


def watch_of(request: web.Request) -> Watch:
    """Its reader.

    Raises:
        NoRunError: There is no such run.
    """
    return request.app[SHARED].watch(request.match_info["run"])


def folder_of(request: web.Request) -> Path:
    """Its folder.

    Raises:
        NoRunError: There is no such run.
    """
    return request.app[SHARED].runs.folder(request.match_info["run"])
