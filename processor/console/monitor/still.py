"""The monitor once: a picture of all there is, to be read, kept, or shown to others."""

import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from processor.console import streams
from processor.console.monitor import picture
from processor.console.monitor.marks import in_ascii, is_unicode
from processor.console.monitor.overview import overview
from processor.console.monitor.svg import FRAME
from processor.console.monitor.watched import Watched
from processor.errors import UsageError

_USUAL_CELLS = 80
_LEAST_CELLS, _MOST_CELLS = 20, 120
_SVG_CELLS = 100


def show(runs: Sequence[Watched]) -> None:
    """Print runs as wide as the terminal is; what to type next in one piece each."""
    console = Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
    lines = _lines(runs, _width())
    told = lines if is_unicode(console) else [in_ascii(line) for line in lines]
    for line in told:
        console.print(line)
    for run in runs:
        if run.problem is not None:
            streams.tell(str(run.problem))
        elif run.look is not None and not run.look.is_running:
            streams.say(f"{'state':<8}{run.look.state}")
        for step in run.look.next_steps if run.look is not None else ():
            streams.say(f"{'next':<8}{step}")


def draw(runs: Sequence[Watched], target: Path) -> None:
    """The same as an SVG file.

    Raises:
        UsageError: It cannot be written.
    """
    console = Console(
        file=io.StringIO(),
        record=True,
        width=_SVG_CELLS,
        force_terminal=True,
        color_system="truecolor",
        highlight=False,
        markup=False,
        emoji=False,
        _environ={},
    )
    for line in _lines(runs, _SVG_CELLS):
        console.print(line)
    svg = console.export_svg(title="processor monitor", code_format=FRAME, unique_id="monitor")
    try:
        target.write_text(svg, encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"{target}: {error.strerror or error}", way_out="Name another file."
        ) from error


def _lines(runs: Sequence[Watched], width: int) -> list[Text]:
    if len(runs) > 1:
        return overview(runs, width, None, place=-1)
    scene = runs[0].scene
    return [] if scene is None else picture.whole(scene, width)


def _width() -> int:
    """Of the terminal, or as somebody says in COLUMNS."""
    try:
        columns = os.get_terminal_size(sys.stdout.fileno()).columns
    except OSError:  # no terminal
        told = os.environ.get("COLUMNS", "")
        columns = int(told) if told.isdecimal() else 0
    return min(_MOST_CELLS, max(_LEAST_CELLS, columns or _USUAL_CELLS))
