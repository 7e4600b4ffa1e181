"""MathML to LaTeX by pandoc, kept running: a conversion takes a third of a millisecond.

One process reads a question a line and answers a line (`answers/convert.lua`), so that the event
loop stays free, nothing is paid for starting, and one question's trouble is not its neighbour's.
"""

import asyncio
import shutil
from asyncio.subprocess import PIPE, Process
from collections import deque
from pathlib import Path

import orjson

SCRIPT = Path(__file__).parent / "answers" / "convert.lua"
CACHED = 100_000
LONGEST_LINE_BYTES = 64 * 1024 * 1024
# Real seconds, whatever clock the sandbox lives by: pandoc is a real process.
PATIENCE_S = 30.0


class ConverterError(Exception):
    """Pandoc is not there, died, or took too long."""


def find_pandoc() -> str | None:
    """Path of pandoc: the one of the extra `sandbox`, or else the machine's."""
    try:
        import pypandoc  # noqa: PLC0415 - an optional extra
    except ImportError:
        return shutil.which("pandoc")
    try:
        return str(pypandoc.get_pandoc_path())
    except OSError:
        return None


class Converter:
    """Turns MathML into LaTeX. Starts pandoc at the first question, and again when it died."""

    def __init__(self) -> None:
        self._process: Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()
        self._waiting: deque[asyncio.Future[str]] = deque()
        self._known: dict[str, str] = {}

    async def convert(self, mathml: str) -> str:
        """The LaTeX of an expression, as it is: a trailing space after a backslash counts.

        Raises:
            ConverterError: There is no pandoc, or it failed on this expression.
        """
        known = self._known.get(mathml)
        if known is not None:
            return known
        latex = await self._ask(mathml)
        if len(self._known) >= CACHED:
            del self._known[next(iter(self._known))]
        self._known[mathml] = latex
        return latex

    async def close(self) -> None:
        """End pandoc."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
        if self._reader is not None:
            await self._reader

    async def _ask(self, mathml: str) -> str:
        process = await self._running()
        assert process.stdin is not None
        future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        process.stdin.write(orjson.dumps(mathml) + b"\n")
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await future
        except TimeoutError as error:
            # Answers come in order: whoever waits behind this one must ask again.
            process.kill()
            raise ConverterError(f"pandoc took more than {PATIENCE_S:g} s") from error

    async def _running(self) -> Process:
        async with self._starting:
            if self._reader is None or self._reader.done():
                self._process = await self._start()
                self._reader = asyncio.create_task(self._read(self._process), name="pandoc")
            assert self._process is not None
            return self._process

    async def _start(self) -> Process:
        path = find_pandoc()
        if path is None:
            raise ConverterError(
                "The sandbox answers mathml by pandoc, which is not installed: "
                "pip install 'request-processor[sandbox]'."
            )
        return await asyncio.create_subprocess_exec(
            path, "lua", str(SCRIPT), stdin=PIPE, stdout=PIPE, limit=LONGEST_LINE_BYTES
        )

    async def _read(self, process: Process) -> None:
        """Give each answer to who waits longest, until pandoc ends."""
        assert process.stdout is not None
        waiting = self._waiting
        try:
            while line := await process.stdout.readline():
                future = waiting.popleft()
                answer = orjson.loads(line)
                if future.done():
                    continue
                if answer is None:
                    future.set_exception(ConverterError("pandoc cannot read this expression"))
                else:
                    future.set_result(answer)
        finally:
            self._waiting = deque()
            for future in waiting:
                if not future.done():
                    future.set_exception(ConverterError("pandoc ended"))
        await process.wait()
