"""The terminal, taken over to draw on it and to hear its keys, and given back as it was."""

import contextlib
import errno
import os
import select
import signal
import sys
import termios
import tty
from collections.abc import Iterator, Sequence

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from processor.console.monitor.marks import in_ascii, is_unicode
from processor.console.monitor.signals import Heard, hearing, stop_here

_LEAVING = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
_HEARD = (*_LEAVING, signal.SIGWINCH, signal.SIGCONT, signal.SIGTSTP)
_USUAL_SIZE = (80, 24)
_READ_BYTES = 1024
# The rest of an arrow key that came in two pieces, over a slow line.
_REST_S = 0.05
_ESCAPE = b"\x1b"


def can_be_taken() -> bool:
    """Whether standard output is a terminal that can draw."""
    return sys.stdout.isatty() and os.environ.get("TERM", "dumb") not in ("dumb", "unknown", "")


@contextlib.contextmanager
def taken_over() -> Iterator["Terminal"]:
    """The terminal, until the end of the context, however that comes."""
    with hearing(_HEARD) as heard:
        terminal = Terminal(heard)
        try:
            terminal.take()
            yield terminal
        finally:
            terminal.give_back()


class Terminal:
    """Draws, and hears keys; Ctrl-Z gives the terminal back until the process goes on.

    Attributes:
        left_by: The signal that asked to leave, or SIGHUP where the terminal is gone; None while
            nothing did.
    """

    def __init__(self, heard: Heard) -> None:
        self.left_by: int | None = None
        self._heard = heard
        self._console = Console(highlight=False, markup=False, emoji=False)
        self._is_unicode = is_unicode(self._console)
        self._live: Live | None = None
        self._keys = sys.stdin.fileno() if sys.stdin is not None and sys.stdin.isatty() else None
        self._modes = None if self._keys is None else termios.tcgetattr(self._keys)

    @property
    def size(self) -> tuple[int, int]:
        """Columns and lines, as they are now."""
        try:
            columns, lines = os.get_terminal_size(sys.stdout.fileno())
        except OSError:  # it is gone; drawing on it tells
            return _USUAL_SIZE
        return columns or _USUAL_SIZE[0], lines or _USUAL_SIZE[1]

    def take(self) -> None:
        """Draw on a screen of its own, hear keys as they are typed; unless it is to leave."""
        self._hear_keys()
        if self.left_by is not None:
            return
        self._live = Live(
            console=self._console,
            screen=True,
            auto_refresh=False,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        try:
            self._live.start()
        except OSError:  # the terminal is gone
            self.left_by = signal.SIGHUP

    def give_back(self) -> None:
        """As it was; what cannot be restored any more is left."""
        if self._live is None:
            return  # in the background one may not even ask
        with contextlib.suppress(OSError):  # the terminal is gone
            self._live.stop()
        self._live = None
        if self._keys is not None and self._modes is not None:
            with contextlib.suppress(termios.error):
                termios.tcsetattr(self._keys, termios.TCSADRAIN, self._modes)

    def draw(self, lines: Sequence[Text]) -> None:
        """Draw the lines from the top; there must not be more than fit."""
        if self._live is None:
            return
        self._console.size = self.size
        told = lines if self._is_unicode else [in_ascii(line.copy()) for line in lines]
        try:
            self._live.update(Group(*told), refresh=True)
        except OSError:  # the terminal is gone
            self.left_by = signal.SIGHUP

    def typed(self, most_s: float) -> bytes:
        """What is typed next; nothing when the time is over, or anything else happened."""
        watched = [self._heard.wake] if self._keys is None else [self._heard.wake, self._keys]
        ready, _, _ = select.select(watched, [], [], most_s)
        if self._heard.wake in ready:
            self._obey(self._heard.taken())
            return b""
        return self._read() if self._keys in ready else b""

    def _hear_keys(self) -> None:
        """From the background this stops the process until it is called to the front, or ended."""
        while self._keys is not None and self.left_by is None:
            try:
                tty.setcbreak(self._keys, termios.TCSADRAIN)  # what was typed meanwhile is kept
            except termios.error as error:
                is_gone = error.args[0] != errno.EINTR
                self._leave({signal.SIGHUP} if is_gone else self._heard.taken())
            else:
                return

    def _leave(self, numbers: set[int]) -> None:
        """Where one of these signals says so."""
        self.left_by = min(numbers & _LEAVING, default=None)

    def _obey(self, numbers: set[int]) -> None:
        self._leave(numbers)
        if self.left_by is not None:
            return
        if signal.SIGTSTP in numbers:
            self.give_back()
            stop_here(self._heard.note)
            self._leave(self._heard.taken())
            self.take()
        elif signal.SIGCONT in numbers:  # stopped by what cannot be heard
            self.give_back()
            self.take()

    def _read(self) -> bytes:
        assert self._keys is not None
        try:
            data = os.read(self._keys, _READ_BYTES)
            if data == _ESCAPE and select.select([self._keys], [], [], _REST_S)[0]:
                data += os.read(self._keys, _READ_BYTES)
        except OSError:
            data = b""
        if not data:
            self.left_by = signal.SIGHUP
        return data
