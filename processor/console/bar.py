"""A progress bar with figures below it, for terminals."""

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from processor.console.display import figures, part_done
from processor.console.terminal import shown
from processor.console.words import share
from processor.watch.snapshot import Snapshot
from processor.watch.speed import Speed

_EVERY_S = 0.5


class Bar:
    """Draws in place, and what is said above."""

    every_s = _EVERY_S

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._live = Live(console=self._console, auto_refresh=False, transient=True)
        self._live.start()

    def show(self, shot: Snapshot, now: Speed) -> None:
        """Draw anew."""
        head = Table.grid(padding=(0, 1), expand=True)
        head.add_column(no_wrap=True)
        head.add_column(ratio=1)
        head.add_column(no_wrap=True)
        head.add_row(
            f"{shot.finished:,}/{shot.total:,}",
            ProgressBar(total=max(1, shot.total), completed=shot.finished),
            share(part_done(shot)),
        )
        self._live.update(Group(head, Text(figures(shot, now), style="dim")), refresh=True)

    def say(self, line: str) -> None:
        """The line, above the bar."""
        self._console.print(shown(line), markup=False)

    def end(self, shot: Snapshot | None) -> None:  # noqa: ARG002 - the summary tells
        """Remove the bar."""
        self._live.stop()
