"""Signals that wake a wait, rather than cut into what is being done."""

import contextlib
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from types import FrameType

_READ_BYTES = 1024


class Heard:
    """Signals since somebody asked for them last.

    Attributes:
        wake: A descriptor that can be read when there are any.
    """

    def __init__(self, wake: int) -> None:
        self.wake = wake
        self._numbers: set[int] = set()

    def note(self, number: int, _: FrameType | None) -> None:
        """Take note of one; a signal's handler."""
        self._numbers.add(number)

    def taken(self) -> set[int]:
        """Which came."""
        with contextlib.suppress(BlockingIOError):
            os.read(self.wake, _READ_BYTES)
        numbers, self._numbers = self._numbers, set()
        return numbers


@contextlib.contextmanager
def hearing(numbers: Sequence[signal.Signals]) -> Iterator[Heard]:
    """Hear signals instead of obeying them; those that are ignored stay so.

    Must be called in the main thread.
    """
    wake, woken = os.pipe()
    os.set_blocking(wake, False)
    os.set_blocking(woken, False)
    heard = Heard(wake)
    with contextlib.ExitStack() as stack:
        stack.callback(os.close, wake)
        stack.callback(os.close, woken)
        stack.callback(signal.set_wakeup_fd, signal.set_wakeup_fd(woken, warn_on_full_buffer=False))
        for number in numbers:
            if signal.getsignal(number) is not signal.SIG_IGN:
                stack.callback(signal.signal, number, signal.signal(number, heard.note))
        yield heard


def stop_here(restore: Callable[[int, FrameType | None], object]) -> None:
    """Stop this process as Ctrl-Z does by itself; returns when it goes on."""
    signal.signal(signal.SIGTSTP, signal.SIG_DFL)
    signal.raise_signal(signal.SIGTSTP)
    signal.signal(signal.SIGTSTP, restore)
