"""Work in a thread of its own, for callers whose event loop is busy."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

Result = TypeVar("Result")


def in_thread(work: Callable[[], Result]) -> Result:
    """What the work returns, or raises, done in another thread."""
    done: Future[Result] = Future()

    def run() -> None:
        try:
            done.set_result(work())
        except BaseException as error:  # noqa: BLE001 - it is the caller's
            done.set_exception(error)

    thread = threading.Thread(target=run, name="processor")
    thread.start()
    thread.join()
    return done.result()
