"""The monitor once: a picture of all there is, to be read, kept, or shown to others."""

import io
import os
import sys
from collections.abc import Iterator, Sequence
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
from processor.watch.look import Look, State

_USUAL_CELLS = 80
_LEAST_CELLS, _MOST_CELLS = 20, 120
_SVG_CELLS = 100


def show(runs: Sequence[Watched]) -> None:
    """Print runs as wide as the terminal is; what to type next in one piece each."""
    console = Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
    lines = _lines(runs, _width())
    with console.capture() as drawn:
        for line in lines if is_unicode(console) else map(in_ascii, lines):
            console.print(line)
    streams.say_drawn(drawn.get())
    for run in runs:
        for told in _end(run, one_of=len(runs)):
            streams.say(told)


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
        target.write_text(svg, encoding="utf-8", errors="replace")
    except OSError as error:
        raise UsageError(
            f"{target}: {error.strerror or error}", way_out="Name another file."
        ) from error


def _end(run: Watched, *, one_of: int) -> Iterator[str]:
    """What to know and to type of a run that does not work; of several that are done nothing."""
    name = "" if one_of == 1 else f"{run.name}: "
    look = run.look
    if run.problem is not None:
        yield f"{'problem':<8}{name}{run.problem}"
    elif look is not None and _is_to_be_told(look, is_one=one_of == 1):
        yield f"{'state':<8}{name}{look.state}"
        yield from (f"{'next':<8}{step}" for step in look.next_steps)


def _is_to_be_told(look: Look, *, is_one: bool) -> bool:
    return not look.is_running and (is_one or look.state is not State.DONE)


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
