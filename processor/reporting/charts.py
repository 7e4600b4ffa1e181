"""Charts of a report: lines over the time of a run, bars of a distribution. Pure."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import ceil, floor, log10

from processor.drawing import Drawing, Point
from processor.reporting.document import Chart, Key, Line, Tick
from processor.reporting.timeline import Event, Start

_WIDTH, _HEIGHT = 1000.0, 200.0
_TICKS = 4
_COLUMNS = 96  # points of a line that are drawn; of more, the means
_SPARK_COLUMNS = 48
_SPARKS = "▁▂▃▄▅▆▇█"
_NICE = (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)
_LEAST_S = 1.0
_ROUNDING = 1e-9
_USUAL_SHARE, _PEAK_TIMES = 0.95, 5.0

Words = Callable[[float], str]


class Axis:
    """The time in which a run worked, without the time in which it did not, as 0 to 1.

    Args:
        starts: Of the run, the oldest first; at least one.
        until: When it was seen last, in seconds since 1970.
    """

    def __init__(self, starts: Sequence[Start], until: float) -> None:
        ends = [max(one.seen_at, one.started_at) for one in starts]
        ends[-1] = max(ends[-1], until)
        self._spans = [(one.started_at, end) for one, end in zip(starts, ends, strict=True)]
        self._whole_s = max(_LEAST_S, sum(end - begin for begin, end in self._spans))
        self._dated = len({_moment(end).date() for span in self._spans for end in span}) > 1

    def at(self, moment: float) -> float:
        """Where a moment is."""
        done_s = 0.0
        for begin, end in self._spans:
            if moment <= end:
                return (done_s + max(0.0, moment - begin)) / self._whole_s
            done_s += end - begin
        return 1.0

    def ticks(self) -> list[Tick]:
        """Times of day, with the day where there are several."""
        return [Tick(at=n / _TICKS, words=self._words(n / _TICKS)) for n in range(_TICKS + 1)]

    @property
    def breaks(self) -> list[float]:
        """Where a later start goes on."""
        return [self.at(begin) for begin, _ in self._spans[1:]]

    def _words(self, place: float) -> str:
        left_s = place * self._whole_s
        for begin, end in self._spans:
            if left_s <= end - begin + 1e-6:
                return self._clock(begin + left_s)
            left_s -= end - begin
        return self._clock(self._spans[-1][1])

    def _clock(self, moment: float) -> str:
        form = "%m-%d %H:%M" if self._dated else "%H:%M:%S" if self._whole_s < 600 else "%H:%M"
        return f"{_moment(moment):{form}}"


@dataclass(frozen=True, slots=True)
class Series:
    """A line of a chart.

    Attributes:
        look: Its class in the style: `one`, `two`, `bad`, `calm`.
        points: Where (0 to 1) and how much; None where it is not known.
        is_area: Filled down to the axis.
    """

    look: str
    words: str
    points: Sequence[tuple[float, float | None]]
    is_area: bool = False


@dataclass(frozen=True, slots=True)
class Bound:
    """A value that lines may come to, such as a budget."""

    value: float
    words: str


def over_time(
    title: str,
    series: Sequence[Series],
    *,
    axis: Axis,
    events: Sequence[Event],
    words: Words,
    told: Line,
    bound: Bound | None = None,
) -> Chart:
    """Lines over the time of a run.

    Args:
        title: What they are.
        series: The lines, the most important first; the first gives the line of text.
        axis: The time.
        events: What is marked on it, besides where a start goes on.
        words: How a value is written at the side.
        told: What is to be seen, in words.
        bound: What is drawn across.
    """
    thin = [_thinned(each.points) for each in series]
    values = [value for points in thin for _, value in points if value is not None]
    top = nice(max(_usual(values), 0.0 if bound is None else bound.value))
    drawing = Drawing(_WIDTH, _HEIGHT, title=title, stretched=True)
    _grid(drawing)
    for look, place in _marks(axis, events):
        drawing.line([(place * _WIDTH, 0), (place * _WIDTH, _HEIGHT)], look=look)
    if bound is not None:
        y = _HEIGHT * (1 - bound.value / top)
        drawing.line([(0, y), (_WIDTH, y)], look="bound")
    for each, points in reversed(list(zip(series, thin, strict=True))):
        _draw(drawing, each, [_place(point, top) for point in points])
    return Chart(
        title=title,
        drawing=drawing.root,
        across=axis.ticks(),
        up=[Tick(at=n / 2, words=words(top * n / 2)) for n in range(3)],
        keys=[
            *(Key(each.look, each.words) for each in series),
            *(() if bound is None else (Key("bound", bound.words),)),
        ],
        told=told,
        spark=spark(thin[0]) if thin else "",
    )


def short(value: float) -> str:
    """`1,200`, `2.5`, `0`: a value at the side of a chart."""
    return f"{value:,.0f}" if value >= 10 or not value else f"{value:.1f}"


def _marks(axis: Axis, events: Sequence[Event]) -> Iterator[tuple[str, float]]:
    """Looks and places of what is marked on a time."""
    yield from (("break", place) for place in axis.breaks)
    yield from ((f"event {event.kind}", axis.at(event.at)) for event in events)


def _draw(drawing: Drawing, series: Series, points: Sequence[Point | None]) -> None:
    for run in _runs(points):
        if series.is_area:
            drawing.area([(run[0][0], _HEIGHT), *run, (run[-1][0], _HEIGHT)], look=series.look)
        drawing.line(run if len(run) > 1 else [run[0], run[0]], look=f"line {series.look}")


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of a distribution, from `low` to `high`."""

    low: float
    high: float
    count: int


@dataclass(frozen=True, slots=True)
class Mark:
    """A value that is marked: its look, what it is."""

    value: float
    look: str
    words: str


def distribution(
    title: str, bars: Sequence[Bar], *, words: Words, marks: Sequence[Mark], told: Line
) -> Chart:
    """Bars over a logarithmic axis.

    Args:
        title: Of what.
        bars: At least one; all of `low` above 0.
        words: How a value below the axis is written.
        marks: Values that are marked.
        told: What is to be seen, in words.
    """
    least, most = log10(bars[0].low), log10(bars[-1].high)
    top = nice(max(bar.count for bar in bars))
    drawing = Drawing(_WIDTH, _HEIGHT, title=title, stretched=True)
    _grid(drawing)

    def at(value: float) -> float:
        return min(1.0, max(0.0, (log10(value) - least) / (most - least)))

    for bar in bars:
        left, right = at(bar.low) * _WIDTH, at(bar.high) * _WIDTH
        height = _HEIGHT * bar.count / top
        drawing.rect(
            (left + 1, _HEIGHT - height),
            (max(1.0, right - left - 2), height),
            look="one",
            title=f"{words(bar.low)} – {words(bar.high)}: {bar.count:,}",
        )
    for mark in marks:
        x = at(mark.value) * _WIDTH
        drawing.line([(x, 0), (x, _HEIGHT)], look=mark.look)
    return Chart(
        title=title,
        drawing=drawing.root,
        across=[Tick(at=at(value), words=words(value)) for value in _round_values(least, most)],
        up=[Tick(at=n / 2, words=f"{top * n / 2:,.0f}") for n in range(3)],
        keys=[Key(mark.look, mark.words) for mark in marks],
        told=told,
        spark=spark([(n / len(bars), float(bar.count)) for n, bar in enumerate(bars)]),
    )


def nice(most: float) -> float:
    """A round number that is not below, for the end of an axis; 1 for nothing."""
    if most <= 0:
        return 1.0
    unit: float = 10.0 ** floor(log10(most))
    return unit * next(step for step in _NICE if step * unit >= most * 0.999)


def _usual(values: Sequence[float]) -> float:
    """The most, but for rare peaks beside which nothing else could be seen."""
    known = sorted(value for value in values if value > 0)
    if not known:
        return 0.0
    high = known[int((len(known) - 1) * _USUAL_SHARE)]
    return known[-1] if known[-1] <= _PEAK_TIMES * high else 1.5 * high


def is_cut(values: Sequence[float]) -> bool:
    """Whether a chart of these values leaves out the tips of peaks."""
    return _usual(values) < max(values, default=0.0)


def spark(points: Sequence[tuple[float, float | None]]) -> str:
    """A line of blocks of different height; empty without points."""
    width = min(_SPARK_COLUMNS, len(points))
    columns: list[list[float]] = [[] for _ in range(width)]
    for place, value in points:
        if value is not None:
            columns[min(width - 1, int(place * width + _ROUNDING))].append(value)
    means = [sum(values) / len(values) if values else None for values in columns]
    top = _usual([mean for mean in means if mean is not None])
    if top <= 0:
        return ""
    last = len(_SPARKS) - 1
    return "".join(
        " " if mean is None else _SPARKS[min(last, max(0, ceil(mean / top * last)))]
        for mean in means
    ).rstrip()


def _thinned(points: Sequence[tuple[float, float | None]]) -> list[tuple[float, float | None]]:
    """Means of neighbours, where there are more points than can be drawn."""
    if len(points) <= _COLUMNS:
        return list(points)
    groups: dict[int, list[tuple[float, float | None]]] = {}
    for point in points:
        groups.setdefault(min(_COLUMNS - 1, int(point[0] * _COLUMNS)), []).append(point)
    thin: list[tuple[float, float | None]] = []
    for group in groups.values():
        known = [value for _, value in group if value is not None]
        mean = sum(known) / len(known) if known else None
        thin.append((group[len(group) // 2][0], mean))
    return thin


def _runs(points: Sequence[Point | None]) -> list[list[Point]]:
    """Points that are not None, as far as they follow each other."""
    runs: list[list[Point]] = [[]]
    for point in points:
        if point is not None:
            runs[-1].append(point)
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if run]


def _place(point: tuple[float, float | None], top: float) -> Point | None:
    across, value = point
    if value is None:
        return None
    return across * _WIDTH, _HEIGHT * (1 - min(1.0, max(0.0, value) / top))


def _grid(drawing: Drawing) -> None:
    for share in (0.0, 0.5, 1.0):
        drawing.line([(0, _HEIGHT * share), (_WIDTH, _HEIGHT * share)], look="grid")


def _round_values(least: float, most: float) -> list[float]:
    """Values of one digit between two powers of ten, a handful of them."""
    for steps in ((1,), (1, 3), (1, 2, 5)):
        found = [
            step * 10.0**power
            for power in range(floor(least), ceil(most) + 1)
            for step in steps
            if least <= log10(step * 10.0**power) <= most
        ]
        if len(found) >= _TICKS:
            break
    return found or [10.0**least, 10.0**most]


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC).astimezone()
