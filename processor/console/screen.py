"""What a person sees while a run works: a bar on a terminal, plain lines elsewhere."""

import sys
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from processor.console import streams
from processor.console.terminal import shown
from processor.console.words import counted, duration, money, rate, share
from processor.errors import LedgerError
from processor.ledger.commit import ChunkTotals, Commit
from processor.notice import Notice
from processor.watch import snapshot
from processor.watch.snapshot import Snapshot

_BAR_EVERY_S = 0.5
_LINE_EVERY_S = 5.0
_RATE_OVER_S = 20.0
_SHOWN_ERRORS = 4


class Display(Protocol):
    """Shows figures and notices."""

    every_s: float

    def show(self, shot: Snapshot, now: "Speed") -> None:
        """Show how the run stands."""

    def say(self, line: str) -> None:
        """Show a line that stays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """How fast it goes at the moment; None until that can be told."""

    per_s: float | None
    eta_s: float | None


class Plain:
    """Lines, for files, pipes and CI."""

    every_s = _LINE_EVERY_S

    def show(self, shot: Snapshot, now: Speed) -> None:
        """One line of figures."""
        self.say(f"{shot.finished:,}/{shot.total:,} ({share(_done(shot))}) · {_figures(shot, now)}")

    def say(self, line: str) -> None:
        """The line, with the time of day."""
        streams.tell(f"{time.strftime('%H:%M:%S')} {line}")


class Bar:
    """A progress bar with figures below it, for terminals."""

    every_s = _BAR_EVERY_S

    def __init__(self) -> None:
        from rich.console import Console  # noqa: PLC0415 - only for terminals
        from rich.live import Live  # noqa: PLC0415

        self._console = Console(stderr=True, highlight=False)
        self._live = Live(console=self._console, auto_refresh=False, transient=True)
        self._live.start()

    def show(self, shot: Snapshot, now: Speed) -> None:
        """Draw anew."""
        from rich.console import Group  # noqa: PLC0415
        from rich.progress_bar import ProgressBar  # noqa: PLC0415
        from rich.table import Table  # noqa: PLC0415
        from rich.text import Text  # noqa: PLC0415

        head = Table.grid(padding=(0, 1), expand=True)
        head.add_column(no_wrap=True)
        head.add_column(ratio=1)
        head.add_column(no_wrap=True)
        head.add_row(
            f"{shot.finished:,}/{shot.total:,}",
            ProgressBar(total=max(1, shot.total), completed=shot.finished),
            share(_done(shot)),
        )
        self._live.update(Group(head, Text(_figures(shot, now), style="dim")), refresh=True)

    def say(self, line: str) -> None:
        """The line, above the bar."""
        self._console.print(shown(line), markup=False)

    def close(self) -> None:
        """Remove the bar."""
        self._live.stop()


class Screen:
    """Shows a run as it works; an observer that reads the ledger from a thread of its own."""

    def __init__(self, folder: Path, display: Display) -> None:
        self._folder = folder
        self._display = display
        self._sending = threading.Event()
        self._ended = threading.Event()
        self._seen: deque[tuple[float, int]] = deque()
        self._thread = threading.Thread(target=self._watch, name="screen", daemon=True)
        self._thread.start()

    def notice(self, notice: Notice) -> None:
        """Say what a person should know."""
        line = _line(notice)
        if line:
            self._display.say(line)
        if notice.event == "sending":
            self._sending.set()

    def committed(self, commit: Commit) -> None:
        """The figures tell it."""

    def chunk_written(self, chunk: ChunkTotals) -> None:
        """The figures tell it."""

    def close(self) -> None:
        """Stop watching."""
        self._ended.set()
        self._sending.set()
        self._thread.join()

    def _watch(self) -> None:
        self._sending.wait()
        self._look()  # a rate needs something to be measured from
        while not self._ended.wait(self._display.every_s):
            seen = self._look()
            if seen is not None:
                self._display.show(*seen)

    def _look(self) -> tuple[Snapshot, Speed] | None:
        """How the run stands; None when that cannot be read at the moment."""
        try:
            shot = snapshot.take(self._folder)
        except LedgerError:
            return None  # the run itself tells if it is worse than busy
        return shot, self._speed(shot)

    def _speed(self, shot: Snapshot) -> Speed:
        now_s = time.monotonic()
        self._seen.append((now_s, shot.finished))
        while now_s - self._seen[0][0] > _RATE_OVER_S:
            self._seen.popleft()
        span_s = now_s - self._seen[0][0]
        done = shot.finished - self._seen[0][1]
        if not span_s or not done:
            return Speed(per_s=None, eta_s=None)
        # It may have begun in haste, which limits that were set do not let it keep up.
        eta_s = max(shot.pending * span_s / done, shot.pending_least_s)
        return Speed(per_s=done / span_s, eta_s=eta_s)


@contextmanager
def watching(folder: Path, *, quiet: bool) -> Iterator[list[Screen]]:
    """The screen for a run, as a list of observers; empty when nobody wants to see it."""
    if quiet:
        yield []
        return
    bar = Bar() if sys.stderr.isatty() else None
    screen = Screen(folder, bar or Plain())
    try:
        yield [screen]
    finally:
        screen.close()
        if bar is not None:
            bar.close()


def _done(shot: Snapshot) -> float:
    return shot.finished / shot.total if shot.total else 0.0


def _figures(shot: Snapshot, now: Speed) -> str:
    parts = [
        f"ok {share(shot.success_rate)}",
        rate(now.per_s),
        f"left {duration(now.eta_s)}",
        _spending(shot),
    ]
    errors = list(shot.errors.items())[:_SHOWN_ERRORS]
    if errors:
        parts.append("errors " + ", ".join(f"{code} {count:,}" for code, count in errors))
    if shot.overall.retries:
        parts.append(f"retries {shot.overall.retries:,}")
    return " · ".join(parts)


def _spending(shot: Snapshot) -> str:
    limit_usd = shot.session.budget_usd if shot.session else None
    if limit_usd is None:
        return money(shot.overall.cost_usd)
    return f"{money(shot.spent_usd)} of {money(limit_usd)}"


def _line(notice: Notice) -> str | None:  # noqa: C901, PLR0911, PLR0912 - one line an event
    facts = notice.facts
    match notice.event:
        case "reading":
            return f"reading {facts['source']}"
        case "rows_read":
            return f"{counted(facts['rows'], 'row')} read"
        case "source_away":
            return f"{facts['message']} (again in {duration(facts['wait_s'])})"
        case "import":
            skipped = facts["skipped"]
            left_out = f", {counted(skipped, 'bad one')} left out" if skipped else ""
            return counted(facts["added"], "new row") + left_out
        case "sending":
            return f"{counted(facts['pending'], 'item')} to send to {facts['model']}"
        case "rate_limit":
            return f"rate limit: nothing is sent for {duration(facts['wait_s'])}"
        case "outage":
            return f"nothing gets through ({facts['code']}): probing"
        case "outage_over":
            return "it gets through again"
        case "calls_lost":
            cut_off = counted(facts["calls"], "call was", "calls were")
            return f"{cut_off} cut off by a kill; the provider may charge for that"
        case "chunks_mended":
            return counted(facts["chunks"], "result file was", "result files were") + " made anew"
        case "exporting":
            return "writing the tables"
        case "output_away":
            return f"{facts['message']}: results wait for it"
        case "output_back":
            return f"{facts['output']}: is back"
        case _:
            return None
