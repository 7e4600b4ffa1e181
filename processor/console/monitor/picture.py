"""A run, drawn on so many lines and columns."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text

from processor.console.monitor import figures, lists, marks, workings
from processor.console.monitor.lines import Part, beside, fitted
from processor.console.monitor.section import Section, fixed, stacked
from processor.watch.course import Timing
from processor.watch.look import Look
from processor.watch.trend import Point

_TWO_COLUMNS_CELLS = 130
_GAP_CELLS = 2
_CHART_HEAD_LINES = 2
_CHART_LEAST, _CHART_MOST = 5, 10
_CHART_POINTS = 2
_CHARTS = (
    ("items a second", "per_s", "cyan"),
    ("latency, p95 in ms", "p95_ms", "yellow"),
    ("failed items a second", "failed_per_s", "red"),
    ("calls in flight", "in_flight", "green"),
)
_MIND, _FAINT = "yellow", "dim"
_KEYS_OF_ONE = (
    Part("p pause", _FAINT, 2),
    Part("r go on", _FAINT, 2),
    Part("d drain", _FAINT, 3),
    Part("+ - calls", _FAINT, 4),
    Part("f failed again", _FAINT, 5),
    Part("? help", _FAINT, 1),
    Part("q quit", _FAINT, 0),
)
_KEYS_OF_SEVERAL = (
    Part("↑ ↓ mark", _FAINT, 2),
    Part("enter or 1-9 open", _FAINT, 1),
    Part("? help", _FAINT, 3),
    Part("q quit", _FAINT, 0),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What is drawn.

    Attributes:
        look: The run.
        timing: How it stands to its deadline; None without one.
        now_s: Seconds since 1970.
    """

    look: Look
    timing: Timing | None
    now_s: float


def whole(scene: Scene, width: int) -> list[Text]:
    """All there is, however long; what to type next is told elsewhere, uncut."""
    ended = [] if scene.look.is_running else lists.stop(scene.look, width)
    return [*_head(scene, width), *ended, *_body(scene, width, None)]


def live(scene: Scene, width: int, height: int) -> list[Text]:
    """What fits."""
    head = [*_head(scene, width), *_alert(scene, width)][: max(0, height)]
    return [*head, *_body(scene, width, max(0, height - len(head)))]


def above(lines: Sequence[Text], foot: Sequence[Text], height: int) -> list[Text]:
    """Lines at the top of so many, and those at the bottom, which stay where there are too many."""
    room = max(0, height - len(foot))
    kept = lines[:room]
    return [*kept, *(Text() for _ in range(room - len(kept))), *foot[max(0, len(foot) - height) :]]


def keys(width: int, *, of_one: bool) -> Text:
    """What can be typed, where one run is shown or the list."""
    return fitted(_KEYS_OF_ONE if of_one else _KEYS_OF_SEVERAL, width, between="  ")


def _head(scene: Scene, width: int) -> list[Text]:
    return [
        *figures.header(scene.look, width, scene.now_s),
        *figures.progress(scene.look, width, scene.now_s),
    ]


def _alert(scene: Scene, width: int) -> list[Text]:
    """Why it ended, and what to type."""
    look = scene.look
    if look.is_running:
        return []
    return [*lists.stop(look, width), *lists.next_steps(look, width)]


def _body(scene: Scene, width: int, height: int | None) -> list[Text]:
    look, now_s = scene.look, scene.now_s
    if width < _TWO_COLUMNS_CELLS:
        sections = [*_figures(scene, width), *_lists(look, width, now_s)]
        return stacked(sections, height)
    left = (width - _GAP_CELLS) // 2
    right = width - _GAP_CELLS - left
    return beside(
        stacked([*_figures(scene, left), *_charts(look, left)], height),
        stacked(_lists(look, right, now_s), height),
        (left, right),
    )


def _figures(scene: Scene, width: int) -> list[Section]:
    look = scene.look
    if not look.shot.total:
        return []  # its rows are being read
    return [
        fixed(1, figures.targets(look, width)),
        fixed(2, figures.speed(look, width)),
        fixed(3, figures.deadline(look.shot, scene.timing, width, scene.now_s)),
        fixed(5, figures.lanes(look, width)),
        fixed(8, figures.chunks(look, width)),
        fixed(7, figures.latency(look, width)),
        fixed(6, workings.calls(look, width)),
        fixed(6, workings.flight(look, width, scene.now_s)),
        fixed(4, workings.cost(look, width)),
        fixed(9, workings.machine(look, width)),
        fixed(9, workings.stages(look.shot, width)),
    ]


def _lists(look: Look, width: int, now_s: float) -> list[Section]:
    return [
        lists.faults(3, look.faults, width),
        lists.batches(5, look, width, now_s),
        lists.orders(7, look, width),
    ]


def _charts(look: Look, width: int) -> list[Section]:
    """What changed over time, where there is room."""
    if len(look.points) < _CHART_POINTS:
        return []
    return [_chart(name, look.points, field, width, style) for name, field, style in _CHARTS]


def _chart(name: str, points: Sequence[Point], field: str, width: int, style: str) -> Section:
    values = marks.resampled([(point.at, getattr(point, field)) for point in points], width)
    most = max((value for value in values if value is not None), default=0.0)

    def draw(lines: int) -> list[Text]:
        head = fitted([Part(name, rank=0), Part(f"at most {most:,.1f}", _FAINT)], width)
        drawn = marks.chart(values, lines - _CHART_HEAD_LINES)
        return [Text(), head, *(Text(line, style, no_wrap=True) for line in drawn)]

    return Section(10, _CHART_LEAST, _CHART_MOST, draw)
