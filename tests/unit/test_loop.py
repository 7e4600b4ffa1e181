"""The loop of a run leaves the process as it found it."""

import gc
import threading

from processor.loop import run_in_loop

_MOST_S = 30.0


class Overlap:
    """A run in a thread that ends when it is told to."""

    def __init__(self) -> None:
        self._begun, self._may_end = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=lambda: run_in_loop(self._main()))
        self._thread.start()
        assert self._begun.wait(_MOST_S)

    def end(self) -> None:
        self._may_end.set()
        self._thread.join()

    async def _main(self) -> None:
        self._begun.set()
        assert self._may_end.wait(_MOST_S)  # its loop has nothing else to do


def test_garbage_is_collected_as_before_once_all_runs_have_ended() -> None:
    before = gc.get_threshold()
    first, second = Overlap(), Overlap()
    assert gc.get_threshold() != before
    first.end()
    second.end()
    assert gc.get_threshold() == before
    assert gc.get_freeze_count() == 0
    third = Overlap()
    assert gc.get_threshold() != before
    third.end()
    assert gc.get_threshold() == before
