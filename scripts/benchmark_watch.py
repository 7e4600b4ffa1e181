"""Measures what it costs to watch a run: whoever watches, the run, and the browser.

    python scripts/benchmark_watch.py                      # about seven minutes, 1 GB of disk
    python scripts/benchmark_watch.py --quick              # about two: small runs, short stretches
    python scripts/benchmark_watch.py --only refresh paint

- refresh: CPU of one look at a run that goes on, of one drawing of `processor monitor`, and of one
  event of `monitor --web`, each at a million items beside the same at ten thousand; how many steps
  SQLite takes for a look; and what the run itself does every second for those who watch.
- run: CPU a request of `processor run` before a sandbox, while a terminal and a browser's stream of
  events watch it, beside the same while nobody does. They take turns within one run; a ratio is the
  median of those of the pairs. And its write-ahead log, before anybody watched and while they do.
- paint: from the navigation to the first content of the page, and to the first figures, in a real
  Chromium that has not seen the page before, of a run of a million items.
- hour: what the page holds after 3,600 updates, told by the server's own code as quickly as they
  are drawn.

CPU is that of all threads, user and system. Linux only. The exit code is 1 when a target is missed.
Other work on the machine spoils times, not memory, steps and the log.
"""

import argparse
import json
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import _browser
from _bench import Figure, median_of, report, shown
from _watched_run import Turns, figures as figures_of_turns
from _watchers import each_ms, page, terminal

from processor.ledger import database
from processor.watch import look

_SCRIPTS = Path(__file__).parent
_SMALL, _LARGE = 10_000, 1_000_000
_REFRESH_MS, _PULSE_MS = 50.0, 10.0
_LOOKS = 50
_PAINTS = 7
_HOUR_EVERY_S = 0.04
_HOUR_ITEMS = 200_000
_HOUR_MOST_S = 480.0
_PROGRESS_MS = 500
_STEPS = 1.25  # a scan would take a hundred times as many


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is measured.

    Attributes:
        large: Items of the large run.
        refreshes: Of each display.
        turns: Of the run that is watched.
        updates: Of the page.
    """

    large: int
    refreshes: int
    turns: Turns
    updates: int


_WHOLE = Size(
    large=_LARGE,
    refreshes=20,
    turns=Turns(items=_LARGE, before_s=10.0, pairs=32, stretch_s=1.2),
    updates=3_600,
)
_QUICK = Size(
    large=40_000,
    refreshes=3,
    turns=Turns(items=150_000, before_s=1.0, pairs=2, stretch_s=0.6),
    updates=200,
)


# --- runs that go on -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Going:
    """A run that goes on; see `_big_run.py`.

    Attributes:
        beat_ms: CPU of what it does every second, when it has nothing to write.
    """

    folder: Path
    beat_ms: float


@contextmanager
def going(folder: Path, items: int, *options: str) -> Iterator[Going]:
    """Make a run of so many items and let it go on until the end of the context."""
    note(f"a run of {items:,} is made")
    with _script("_big_run.py", str(folder), str(items), *options) as process:
        assert process.stdout is not None
        yield Going(folder=folder, beat_ms=json.loads(process.stdout.readline())["beat_ms"])


@contextmanager
def _script(name: str, *arguments: str) -> "Iterator[subprocess.Popen[str]]":
    """One of ours, which ends when its standard input does."""
    process = subprocess.Popen(  # noqa: S603 - our own scripts
        [sys.executable, str(_SCRIPTS / name), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.close()
        process.wait()
        process.stdout.close()


# --- refresh -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Refresh:
    """What one takes, in ms of CPU; and how many steps a look does."""

    look_ms: float
    first_ms: float
    terminal_ms: float
    page_ms: float
    beat_ms: float
    steps: int


def measure_refresh(folder: Path, items: int, refreshes: int) -> Refresh:
    """All of one run that goes on."""
    with going(folder / f"run{items}", items) as run:
        note(f"refreshes at {items:,} items")
        with terminal(run.folder) as screen, page(run.folder) as served:
            terminal_ms, page_ms = each_ms(screen, refreshes), each_ms(served, refreshes)
        newest = look.take(run.folder).points[-1].number
        return Refresh(
            look_ms=_look_ms(run.folder, newest),
            first_ms=_look_ms(run.folder, 0),
            terminal_ms=terminal_ms,
            page_ms=page_ms,
            beat_ms=run.beat_ms,
            steps=_steps(run.folder),
        )


def _look_ms(folder: Path, after: int) -> float:
    taken_ms = []
    for _ in range(_LOOKS):
        before_s = time.process_time()
        look.take(folder, after=after)
        taken_ms.append((time.process_time() - before_s) * 1e3)
    return statistics.median(taken_ms)


def _steps(folder: Path) -> int:
    """Of SQLite's machine, for a look that knows all points but the last; exact, as no time is."""
    steps = 0

    def count() -> None:
        nonlocal steps
        steps += 1

    with database.reading(folder / database.LEDGER_NAME) as connection:
        connection.execute("BEGIN")
        newest = look.read(folder, connection).points[-1].number
        connection.set_progress_handler(count, 1)
        look.read(folder, connection, after=newest)
    return steps


def refresh(folder: Path, size: Size) -> Iterator[Figure]:
    """One refresh of each display, at many items beside few."""
    small = measure_refresh(folder, _SMALL, size.refreshes)
    large = measure_refresh(folder, size.large, size.refreshes)

    def figure(what: str, of: Callable[[Refresh], float], most: float = _REFRESH_MS) -> Figure:
        return Figure(
            name=what,
            value=of(large),
            target=most,
            unit="ms",
            detail=f"{shown(of(small), 'ms')} at {_SMALL:,}",
        )

    at = f"at {size.large:,} items, CPU of"
    yield figure(f"{at} a look", lambda one: one.look_ms)
    yield figure(f"{at} the first look, with all points", lambda one: one.first_ms)
    yield figure(f"{at} a drawing of `processor monitor`", lambda one: one.terminal_ms)
    yield figure(f"{at} an event of `monitor --web`", lambda one: one.page_ms)
    yield figure(f"{at} the run's own pulse, each second", lambda one: one.beat_ms, _PULSE_MS)
    yield Figure(
        name=f"steps of a look at {size.large:,} / at {_SMALL:,}",
        value=large.steps / small.steps,
        target=_STEPS,
        detail=f"{large.steps:,} / {small.steps:,}",
    )


# --- run -----------------------------------------------------------------------------------------


def run(folder: Path, size: Size) -> Iterator[Figure]:
    """A run that is watched, beside itself while it is not."""
    note(f"a run of {size.turns.items:,}, watched and not")
    return figures_of_turns(folder, size.turns)


# --- the browser ---------------------------------------------------------------------------------


def _address(url: str, run: Path) -> str:
    return f"{url}#/run/{run.name}"


def paint(folder: Path, size: Size) -> Iterator[Figure]:
    """How soon the page of a large run is there."""
    with (
        going(folder / "painted", size.large) as it,
        page(it.folder, follows=False) as served,
        _browser.chromium() as browser,
    ):
        note("the page is opened")
        seen_at = []
        for _ in range(_PAINTS):
            with _browser.look(browser, _address(served.url, it.folder)) as opened:
                seen_at.append(_browser.painted(opened))
    for what, times_s in (
        ("first paint", [one.content_s for one in seen_at]),
        ("its first figures", [one.figures_s for one in seen_at]),
    ):
        yield Figure(
            name=f"page of {size.large:,} items: {what}",
            value=statistics.median(times_s),
            target=1.0,
            unit="s",
            detail=median_of(times_s),
        )


def hour(folder: Path, size: Size) -> Iterator[Figure]:
    """What the page holds after so many updates as an hour has seconds."""
    every = ("--every", str(_HOUR_EVERY_S))
    with (
        _browser.chromium() as browser,
        going(folder / "hour", _HOUR_ITEMS, *every) as it,
        _script("_quick_page.py", str(it.folder), str(_HOUR_EVERY_S / 2)) as server,
    ):
        assert server.stdout is not None
        url = server.stdout.readline().strip()
        with _browser.look(browser, "about:blank") as nothing:
            empty = _browser.taken(browser, nothing)
        with _browser.look(browser, _address(url, it.folder)) as opened:
            _browser.painted(opened)
            first = _browser.taken(browser, opened)
            note(f"{size.updates:,} updates of the page")
            end_s = time.monotonic() + _HOUR_MOST_S
            while (told := _browser.updates(opened)) < size.updates and time.monotonic() < end_s:
                opened.wait_for_timeout(_PROGRESS_MS)
            last = _browser.taken(browser, opened)
    name = f"page after {told:,} updates:"
    yield Figure(
        name=f"{name} what its scripts hold",
        value=last.heap_mb,
        target=60.0,
        unit="MB",
        detail=f"{shown(first.heap_mb)} when it was opened",
    )
    yield Figure(
        name=f"{name} memory of its process alone",
        value=last.process_mb,
        target=60.0,
        unit="MB",
        detail=f"{shown(first.process_mb)} at first, {shown(empty.process_mb)} of no page",
    )
    yield Figure(
        name=f"{name} nodes / when it was opened",
        value=last.nodes / first.nodes,
        target=1.5,
        detail=f"{last.nodes:,} / {first.nodes:,}; {last.listeners:,} listeners",
    )


# --- the command ---------------------------------------------------------------------------------

_MEASURES: dict[str, Callable[[Path, Size], Iterator[Figure]]] = {
    "refresh": refresh,
    "run": run,
    "paint": paint,
    "hour": hour,
}


def note(doing: str) -> None:
    """Say what is done now."""
    print(f"{time.strftime('%H:%M:%S')} {doing}", file=sys.stderr, flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure as the command line says; returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="Smaller and shorter.")
    parser.add_argument("--only", choices=tuple(_MEASURES), nargs="+", default=tuple(_MEASURES))
    options = parser.parse_args(arguments)
    size = _QUICK if options.quick else _WHOLE
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # ends the processes, too
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="benchmark-") as name:
        for part in options.only:
            folder = Path(name) / part
            folder.mkdir()
            figures += _MEASURES[part](folder, size)
    return report(figures)


if __name__ == "__main__":
    sys.exit(main())
