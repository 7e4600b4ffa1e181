"""A run beside the coroutine that waits for it."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from processor.errors import InterruptedRunError
from processor.report import Report
from processor.run import Run


@asynccontextmanager
async def working(
    run: Run, main: Coroutine[Any, Any, Report]
) -> AsyncIterator[asyncio.Task[Report]]:
    """A run beside who waits for it; if they leave, it is ended in order first."""
    work = asyncio.create_task(main, name="run")
    try:
        yield work
    except BaseException as left:
        if not work.done():
            run.abort()
        await _over(work)
        problem = None if work.cancelled() else work.exception()
        if problem not in (None, left) and not isinstance(problem, InterruptedRunError):
            left.add_note(f"The run had failed: {problem}")
        raise


async def _over(work: asyncio.Task[Report]) -> None:
    """Wait for a run that was told to end, even when cancelled: others close what it works with."""
    cancelled = None
    while not work.done():
        try:
            await asyncio.wait([work])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled


async def executed(run: Run) -> Report:
    """How a run ended; whoever is cancelled here ends it in order first.

    Raises:
        ProcessorError: As the run.
    """
    async with working(run, run.execute()) as work:
        return await asyncio.shield(work)
