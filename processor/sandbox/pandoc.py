"""MathML to LaTeX by pandoc, kept running: a conversion takes a third of a millisecond.

One process reads a question a line and answers a line (`answers/convert.lua`), so that the event
loop stays free, nothing is paid for starting, and one question's trouble is not its neighbour's.
"""

import asyncio
import shutil
from asyncio.subprocess import PIPE, Process
from collections import deque
from collections.abc import Callable
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


class Pandoc:
    """One life of the process. Answers come in the order of the questions."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._waiting: deque[asyncio.Future[str]] = deque()
        self._reader = asyncio.create_task(self._read(), name="pandoc")
        self.ended = False

    async def ask(self, mathml: str) -> str:
        """The LaTeX of an expression.

        Raises:
            ConverterError: It cannot be read, or the process ended.
        """
        assert self._process.stdin is not None
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._waiting.append(answer)
        self._process.stdin.write(orjson.dumps(mathml) + b"\n")
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await answer
        except TimeoutError as error:
            # Whoever waits behind this one gets an error, too, and may ask again.
            self._kill()
            raise ConverterError(f"pandoc took more than {PATIENCE_S:g} s") from error

    async def close(self) -> None:
        """End it."""
        self._kill()
        await self._reader

    def _kill(self) -> None:
        if self._process.returncode is None:
            self._process.kill()

    async def _read(self) -> None:
        """Give each answer to who waits longest, until the process ends."""
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            future = self._waiting.popleft()
            latex = orjson.loads(line)
            if future.done():
                continue
            if latex is None:
                future.set_exception(ConverterError("pandoc cannot read this expression"))
            else:
                future.set_result(latex)
        # Before the first wait: nobody may join a queue that nobody serves.
        self.ended = True
        for future in self._waiting:
            if not future.done():
                future.set_exception(ConverterError("pandoc ended"))
        await self._process.wait()


class Converter:
    """Turns MathML into LaTeX. Starts pandoc at the first question, and again when it ended.

    Args:
        find: Gives the path of pandoc, or None.
    """

    def __init__(self, find: Callable[[], str | None] = find_pandoc) -> None:
        self._find = find
        self._pandoc: Pandoc | None = None
        self._starting = asyncio.Lock()
        self._known: dict[str, str] = {}

    async def convert(self, mathml: str) -> str:
        """The LaTeX of an expression, as it is: a space after a last backslash counts.

        Raises:
            ConverterError: There is no pandoc, or it failed on this expression.
        """
        known = self._known.get(mathml)
        if known is not None:
            return known
        pandoc = await self._running()
        latex = await pandoc.ask(mathml)
        if len(self._known) >= CACHED:
            del self._known[next(iter(self._known))]
        self._known[mathml] = latex
        return latex

    async def close(self) -> None:
        """End pandoc."""
        if self._pandoc is not None:
            await self._pandoc.close()

    async def _running(self) -> Pandoc:
        async with self._starting:
            if self._pandoc is None or self._pandoc.ended:
                self._pandoc = Pandoc(await _start(self._find()))
            return self._pandoc


async def _start(path: str | None) -> Process:
    if path is None:
        raise ConverterError(
            "The sandbox answers mathml by pandoc, which is not installed: "
            "pip install 'request-processor[sandbox]'."
        )
    # A session of its own: Ctrl-C is for the sandbox, which lets answers in hand finish.
    return await asyncio.create_subprocess_exec(
        path,
        "lua",
        str(SCRIPT),
        stdin=PIPE,
        stdout=PIPE,
        limit=LONGEST_LINE_BYTES,
        start_new_session=True,
    )
