"""Several things at once, to the end of all."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any


async def together(
    *coroutines: tuple[str, Coroutine[Any, Any, None]], abort: Callable[[], None]
) -> None:
    """Wait for all; when one fails, the others are told to end, and end first.

    Args:
        coroutines: Each with the name of its task.
        abort: Tells all to end.

    Raises:
        BaseException: What the first of them raised.
    """
    tasks = [asyncio.create_task(each, name=name) for name, each in coroutines]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        if any(task.done() and task.exception() for task in tasks):
            abort()
        await asyncio.wait(tasks)
    except asyncio.CancelledError:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        raise
    for task in tasks:
        task.result()
