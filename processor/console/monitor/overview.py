"""Several runs, a row each, and what they come to together."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.text import Text

from processor.console.monitor.lines import cut
from processor.console.monitor.watched import Watched
from processor.console.terminal import shown
from processor.console.words import duration, money, rate, share
from processor.watch.look import Look

_NAME_LEAST_CELLS = 12
_GAP = "  "
_UNREAD = "cannot be read"
# With their ranks: of columns without room the highest goes first.
_COLUMNS = (
    ("state", 0),
    ("done", 1),
    ("items", 4),
    ("failed", 2),
    ("rate", 3),
    ("left", 3),
    ("cost", 5),
    ("model", 6),
)


@dataclass(frozen=True, slots=True)
class Column:
    """Cells below each other: a title, one a run, one for all."""

    rank: int
    cells: tuple[str, ...]

    @property
    def width(self) -> int:
        """Of its widest cell."""
        return max(map(cell_len, self.cells))


def overview(runs: Sequence[Watched], width: int, height: int | None, place: int) -> list[Text]:
    """The list, of which so many lines fit; None for all.

    Args:
        runs: Which.
        width: Cells of a line.
        height: Lines there are, 3 or more.
        place: Of the run that is marked, from 0; -1 for none.
    """
    columns = _fitting(_columns(runs), width)
    names = _names(runs, width - sum(column.width + len(_GAP) for column in columns))
    lines = [_line(names, columns, row, width) for row in range(len(runs) + 2)]
    lines[0].stylize("dim")
    lines[-1].stylize("bold")
    if place >= 0:
        lines[place + 1].stylize("reverse")
    return [lines[0], *_window(lines[1:-1], height, place), lines[-1]]


def _columns(runs: Sequence[Watched]) -> list[Column]:
    rows = [
        tuple(name for name, _ in _COLUMNS),
        *(_row(run) for run in runs),
        _total([run.look for run in runs if run.look is not None]),
    ]
    return [
        Column(rank, cells)
        for (_, rank), cells in zip(_COLUMNS, zip(*rows, strict=True), strict=True)
    ]


def _row(run: Watched) -> tuple[str, ...]:
    look = run.look
    if look is None or run.problem is not None:
        return (_UNREAD, *("–",) * (len(_COLUMNS) - 1))
    shot = look.shot
    return (
        str(look.state),
        share(shot.finished / shot.total if shot.total else None),
        f"{shot.total:,}",
        f"{shot.failed:,}",
        rate(look.speed.per_s) if look.is_running else "",
        duration(look.speed.eta_s) if look.is_running else "",
        money(shot.overall.cost_usd),
        shown(shot.model),
    )


def _total(looks: Sequence[Look]) -> tuple[str, ...]:
    shots = [look.shot for look in looks]
    total = sum(shot.total for shot in shots)
    speeds = [look.speed.per_s for look in looks if look.speed.per_s is not None]
    lefts = [look.speed.eta_s for look in looks if look.speed.eta_s is not None]
    costs = [shot.overall.cost_usd for shot in shots]
    known = [cost for cost in costs if cost is not None]
    return (
        f"{sum(look.is_running for look in looks)} running",
        share(sum(shot.finished for shot in shots) / total if total else None),
        f"{total:,}",
        f"{sum(shot.failed for shot in shots):,}",
        rate(sum(speeds)) if speeds else "",
        duration(max(lefts)) if lefts else "",
        money(sum(known) if len(known) == len(costs) else None),
        "",
    )


def _fitting(columns: list[Column], width: int) -> list[Column]:
    kept = list(columns)
    while kept and _NAME_LEAST_CELLS + sum(one.width + len(_GAP) for one in kept) > width:
        kept.remove(max(kept, key=lambda one: one.rank))
    return kept


def _names(runs: Sequence[Watched], room: int) -> list[Text]:
    """Each with the digit that opens it; the title first, that of all last."""
    names = [f"{number} {run.name}" for number, run in enumerate(runs, 1)]
    told = [Text(shown(name), no_wrap=True) for name in ("run", *names, f"all {len(runs)}")]
    widest = min(room, max(name.cell_len for name in told))
    for name in told:
        cut(name, widest)
        name.append(" " * (widest - name.cell_len))
    return told


def _line(names: Sequence[Text], columns: Sequence[Column], row: int, width: int) -> Text:
    line = names[row].copy()
    for place, column in enumerate(columns):
        text = column.cells[row]
        pad = " " * (column.width - cell_len(text))
        line.append(_GAP + (pad + text if place else text + pad))
    return cut(line, width)


def _window(lines: list[Text], height: int | None, place: int) -> list[Text]:
    """Those around the marked one."""
    room = len(lines) if height is None else max(1, height - 2)
    first = max(0, min(place - room // 2, len(lines) - room))
    return lines[first : first + room]
