"""Which runs are watched, and how: live, in lines, as JSON, once.

Loads rich: the command imports it when it is used.
"""

import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from processor import folders
from processor.console import streams
from processor.console.monitor import plain, still
from processor.console.monitor.watched import Watched, exit_code_of, look_first, watched
from processor.errors import UsageError
from processor.exports.look import as_json as look_as_json
from processor.ledger import lock
from processor.watch.look import Look

_LIVE_EVERY_S, _LINES_EVERY_S = 1.0, 5.0
_WAIT_EVERY_S = 0.5


def page_folders(names: Sequence[Path], *, homes: Sequence[Path]) -> list[Path]:
    """What the page shows besides the runs in `runs/`: those that were named.

    Args:
        names: See `folders.meant`.
        homes: As for `watched_folders`.

    Raises:
        UsageError: A name stands for no run.
    """
    return folders.meant(names) if names else folders.all_of(_place(homes))


def watched_folders(names: Sequence[Path], *, homes: Sequence[Path], waits: bool) -> list[Path]:
    """The run folders to watch: those that were named, or the newest.

    Args:
        names: See `folders.meant`.
        homes: Folders with a `runs/` to look into when the working directory has none.
        waits: Whether to wait until a process works on one of them.

    Raises:
        UsageError: There are none.
    """
    if waits:
        _wait_for_work(names, homes)
    if names:
        return folders.meant(names)
    return [folders.newest(_place(homes))]


def watch(paths: Sequence[Path], *, every_s: float | None, stays: bool, as_json: bool) -> int:
    """Watch runs until they are over or somebody leaves; returns the exit code.

    Args:
        paths: Their folders.
        every_s: Seconds between looks; None for what suits.
        stays: Whether to go on when they are over.
        as_json: Tell lines of JSON.

    Raises:
        LedgerError: The only run cannot be read.
    """
    runs = watched(paths)
    if as_json or not _can_draw():
        try:
            return _watch_in_lines(runs, every_s=every_s, stays=stays, as_json=as_json)
        except BrokenPipeError:  # who read it has enough; click would call that an error
            streams.silence(sys.stdout)
            return 0
    look_first(runs)
    if stays or not all(run.is_over for run in runs):
        from processor.console.monitor import live  # noqa: PLC0415 - not where it cannot draw

        left_with = live.watch(runs, every_s=every_s or _LIVE_EVERY_S, stays=stays)
        if left_with is not None:
            return left_with
    still.show(runs)
    return exit_code_of(runs)


def show_once(paths: Sequence[Path], *, as_json: bool) -> None:
    """One picture of runs, as wide as the terminal; or a line of JSON each.

    Raises:
        LedgerError: One cannot be read, and there is no other.
    """
    runs = watched(paths)
    if as_json:
        for run, look in zip(runs, look_first(runs), strict=True):
            _tell_json(run, look)
        return
    look_first(runs)
    still.show(runs)


def draw(paths: Sequence[Path], target: Path) -> None:
    """One picture of runs into an SVG file.

    Raises:
        LedgerError: As `show_once`.
        UsageError: The file cannot be written.
    """
    runs = watched(paths)
    look_first(runs)
    still.draw(runs, target)


def _can_draw() -> bool:
    """Whether standard output is a terminal that can draw, on a system that can hear its keys."""
    if sys.platform == "win32":
        return False
    from processor.console.monitor.terminal import can_be_taken  # noqa: PLC0415 - needs termios

    return can_be_taken()


def _watch_in_lines(
    runs: Sequence[Watched], *, every_s: float | None, stays: bool, as_json: bool
) -> int:
    if as_json:
        return plain.watch(runs, _tell_json, every_s=every_s or _LIVE_EVERY_S, stays=stays)
    code = plain.watch(runs, plain.tell_line, every_s=every_s or _LINES_EVERY_S, stays=stays)
    still.show(runs)
    return code


def _tell_json(run: Watched, look: Look | None) -> None:
    import orjson  # noqa: PLC0415 - for this only

    told = (
        {"folder": str(run.folder), "problem": str(run.problem)}
        if look is None
        else look_as_json(look)
    )
    plain.tell_json(orjson.dumps(told))


def _place(homes: Sequence[Path]) -> Path:
    """The place of runs: here, or where else there are any."""
    places = [folders.RUNS, *(home / folders.RUNS for home in homes)]
    return next((place for place in places if folders.all_of(place)), folders.RUNS)


def _wait_for_work(names: Sequence[Path], homes: Sequence[Path]) -> None:
    place = ", ".join(map(str, names)) or folders.RUNS
    streams.tell(f"Waiting for a run to work in {place}; Ctrl-C leaves.")
    while True:
        with suppress(UsageError):
            if any(map(lock.is_held, watched_folders(names, homes=homes, waits=False))):
                return
        time.sleep(_WAIT_EVERY_S)
