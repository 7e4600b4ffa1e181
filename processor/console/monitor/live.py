"""The monitor on a terminal: looks every second, draws, and does what is typed."""

import signal
import time
from collections.abc import Sequence
from dataclasses import replace

from rich.text import Text

from processor.console.monitor import help as told_keys, picture
from processor.console.monitor.keys import Act, decoded
from processor.console.monitor.lines import Part, fitted
from processor.console.monitor.overview import overview
from processor.console.monitor.terminal import Terminal, taken_over
from processor.console.monitor.typed import Shown, order_of, typed
from processor.console.monitor.watched import Watched
from processor.errors import ProcessorError
from processor.ledger import control

_QUIT = 0
_SIGNALLED = 128
_MESSAGE_S = 6.0
_NO_CEILING = "no ceiling is set: calls in flight follow what the provider bears"
_OVER_EVERY = 5  # looks at runs that are going on


def watch(runs: Sequence[Watched], *, every_s: float, stays: bool) -> int | None:
    """Watch runs until somebody leaves, or they are over.

    Args:
        runs: Which; each was looked at once.
        every_s: Seconds between looks.
        stays: Whether to go on when all runs are over.

    Returns:
        The exit code of who left; None when the runs are over.
    """
    with taken_over() as terminal:
        return Monitor(runs, terminal, every_s=every_s, stays=stays).watch()


class Monitor:
    """Runs on a terminal; the arguments are those of `watch`."""

    def __init__(
        self, runs: Sequence[Watched], terminal: Terminal, *, every_s: float, stays: bool
    ) -> None:
        self._runs = runs
        self._terminal = terminal
        self._every_s = every_s
        self._stays = stays
        self._shown = Shown(runs=len(runs), is_open=len(runs) == 1)
        self._message = ""
        self._message_until_s = 0.0
        self._quits = False
        self._looks = 0
        self._asked: tuple[Watched, int] | None = None

    def watch(self) -> int | None:
        """As `watch`."""
        look_at_s = time.monotonic() + self._every_s
        while True:
            self._draw()
            for name in decoded(self._terminal.typed(max(0.0, look_at_s - time.monotonic()))):
                self._obey(name)
            if self._terminal.left_by is not None:
                return _left(self._terminal.left_by)
            if self._quits:
                return _QUIT
            if time.monotonic() >= look_at_s:
                look_at_s = time.monotonic() + self._every_s
                self._refresh()
                if not self._stays and all(run.is_over for run in self._runs):
                    return None

    @property
    def _open(self) -> Watched:
        return self._runs[self._shown.place]

    def _refresh(self) -> None:
        """Look at those that go on; at the others now and then, for somebody may resume them."""
        self._looks += 1
        for run in self._runs:
            if len(self._runs) == 1 or not run.is_over or self._looks % _OVER_EVERY == 0:
                run.refresh()
        self._hear()

    def _hear(self) -> None:
        """Say what became of the last order, when the run has written it down."""
        if self._asked is None:
            return
        run, number = self._asked
        for order in () if run.look is None else run.look.orders:
            if order.number == number and order.answer is not None:
                self._asked = None
                self._say(f"{order.words}: {order.answer}")

    def _obey(self, name: str) -> None:
        self._shown, act = typed(self._shown, name)
        if act is Act.QUIT:
            self._quits = True
        elif act is not None:
            self._say(self._ask(act))

    def _ask(self, act: Act) -> str:
        """Ask the run for something; what to tell about that."""
        scene = self._open.scene
        order = None if scene is None else order_of(act, scene.look)
        if order is None:
            return _NO_CEILING
        try:
            number = control.ask(self._open.folder, order)
        except ProcessorError as error:
            return str(error)
        self._asked = self._open, number
        self._open.refresh()  # the next key goes on from what this one asked
        return f"asked: {order.words}"

    def _say(self, message: str) -> None:
        self._message, self._message_until_s = message, time.monotonic() + _MESSAGE_S

    def _draw(self) -> None:
        width, height = self._terminal.size
        self._terminal.draw(self._lines(width, height)[:height])

    def _lines(self, width: int, height: int) -> list[Text]:
        foot = self._foot(width)
        if self._shown.helps:
            return picture.above(told_keys.lines(width), foot, height)
        if not self._shown.is_open:
            rows = overview(self._runs, width, height - len(foot), self._shown.place)
            return picture.above(rows, foot, height)
        if self._open.scene is None:
            return picture.above([], foot, height)
        scene = replace(self._open.scene, now_s=time.time())
        return picture.above(picture.live(scene, width, height - len(foot)), foot, height)

    def _foot(self, width: int) -> list[Text]:
        """What was answered or is asked, and the keys."""
        said = self._message if time.monotonic() < self._message_until_s else ""
        if self._shown.asks:
            said = "send failed items again? y, or any other key"
        elif not said and self._shown.is_open:
            said = str(self._open.problem or "")
        lines = [fitted([Part(said, "bold yellow")], width)] if said else []
        return [*lines, picture.keys(width, of_one=self._shown.is_open)]


def _left(number: int) -> int:
    return _QUIT if number == signal.SIGINT else _SIGNALLED + number
