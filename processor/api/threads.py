"""A coroutine for callers that have no event loop, or one that is busy: then in another thread."""

import asyncio
import contextvars
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

from processor.loop import run_in_loop

Result = TypeVar("Result")


def run_anywhere(main: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
    """What a coroutine returns, or raises, run to its end by a caller that cannot await it."""
    if _in_a_loop():
        return run_in_thread(main)  # a notebook's is busy with the cell that calls this
    return run_in_loop(main())


def run_in_thread(main: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
    """What a coroutine returns, or raises, run to its end in another thread.

    An interrupt of whoever waits cancels the coroutine, and is raised once that has ended; a
    second one is raised at once.
    """
    done, begun = Future[Result](), Future[Callable[[], object]]()

    async def cancellable() -> Result:
        task, loop = asyncio.current_task(), asyncio.get_running_loop()
        assert task is not None
        begun.set_result(partial(loop.call_soon_threadsafe, task.cancel))
        return await main()

    def run() -> None:
        try:
            done.set_result(run_in_loop(cancellable()))
        except BaseException as error:  # noqa: BLE001 - it is the caller's
            begun.cancel()  # without effect once it has begun
            done.set_exception(error)

    # Its context goes along: a notebook tells by that which cell something is shown below.
    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(run,), name="processor").start()
    try:
        return done.result()
    except BaseException:
        if not done.done():  # it is us who were interrupted, not the coroutine that failed
            with suppress(CancelledError, RuntimeError):  # it never began, or has just ended
                begun.result()()
            done.exception()
        raise


def _in_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
