"""The event loop that runs are made for: uvloop where it installs, garbage collected seldom."""

import asyncio
import gc
import sys
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

Result = TypeVar("Result")

# Calls make next to no cycles; looking for some at Python's pace (700, 10, 10) costs a tenth of
# the CPU. Beyond so many objects more than were freed it looks all the same.
_THRESHOLDS = (50_000, 20, 50)


def run_in_loop(main: Coroutine[Any, Any, Result], *, fast: bool = True) -> Result:
    """Run a coroutine to its end in a loop of its own; no global policy is touched.

    Args:
        main: The coroutine.
        fast: On uvloop where there is one; otherwise on asyncio's own loop.
    """
    factory = _loop_factory() if fast else None
    with _collecting_seldom(), asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(main)


@contextmanager
def _collecting_seldom() -> Iterator[None]:
    before = gc.get_threshold()
    if before == _THRESHOLDS:  # for a run in another thread, which may end first
        yield
        return
    gc.set_threshold(*_THRESHOLDS)
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)


def _loop_factory() -> Any:
    if sys.platform == "win32":
        return None
    import uvloop  # noqa: PLC0415 - not on every platform

    return uvloop.new_event_loop
