"""`comparison.svg`: what each arm took, and how time grows with the number of items.

It has a background of its own, so that it can be read on a light page and on a dark one.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, log10
from pathlib import Path
from statistics import fmean
from typing import Any

from processor.compare.line import Line
from processor.drawing import Drawing, Point
from processor.exports.atomic import replacing

CHART_NAME = "comparison.svg"

_WIDTH, _MARGIN = 920.0, 20.0
_ROW, _BAR = 22.0, 13.0
_LABELS_TO, _COLUMN, _LONGEST = 275.0, 210.0, 125.0  # of bars
_PLOT_LEFT, _PLOT_HEIGHT = 70.0, 250.0
_LETTER = 6.6  # about
_LEAST_MOST_ITEMS = 100_000  # of the lower part's scale, which may go further
_MOST_LEAST_S, _MOST_S = 1.0, 864_000.0  # that may begin lower
_SLOW_JOB_S = 3_600.0
_TICKS_S = (
    *((0.001, "1 ms"), (0.01, "10 ms"), (0.1, "0.1 s"), (1.0, "1 s")),
    *((10.0, "10 s"), (60.0, "1 min"), (600.0, "10 min")),
    *((3_600.0, "1 h"), (86_400.0, "1 day"), (864_000.0, "10 days")),
)
_STYLE = """
text{font-family:system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;font-size:12px;
fill:#1f2328}
.page{fill:#fff;stroke:#d1d9e0}.head{font-size:15px;font-weight:600}.dim{fill:#59636e}
.grid{stroke:#d1d9e0;fill:none}.reported{fill:none;stroke:#59636e;stroke-dasharray:3 3}
.one-by-one{fill:#8c959f}.direct{fill:#2f81f7}.chunk{fill:#1a9e96}
.batch{fill:#e8730c}.in-turn{fill:#bf8700}
.line{fill:none;stroke-width:2}.line.one-by-one{stroke:#8c959f}.line.direct{stroke:#2f81f7}
.line.batch{stroke:#e8730c}.line.if{stroke:#e8730c;stroke-dasharray:5 4}
.meets{fill:none;stroke:#cf222e;stroke-width:2}
.mark{paint-order:stroke;stroke:#fff;stroke-width:4px}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.page{fill:#0d1117;stroke:#3d444d}
.dim{fill:#9198a1}.grid{stroke:#2a313c}.reported{stroke:#9198a1}.meets{stroke:#ff7b72}
.mark{stroke:#0d1117}}
"""

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bar:
    """A row of the upper part; of what only users report, the time alone is known."""

    words: str
    kind: str
    time_s: float
    calls: float | None = None
    cost_usd: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Curve:
    """A line of the lower part."""

    words: str
    look: str
    line: Line
    points: Sequence[tuple[int, float]] = ()


def write(path: Path, made: Json) -> Path:
    """Draw a comparison; returns the file.

    Args:
        path: Where to.
        made: As `document.made` gives it.

    Raises:
        LedgerError: The disk refuses.
    """
    with replacing(path) as file:
        file.write(drawn(made))
    return path


def drawn(made: Json) -> str:
    """A comparison as SVG."""
    bars, curves = list(_bars(made)), list(_curves(made))
    bars_top = 92.0
    plot_top = bars_top + _ROW * len(bars) + 82
    height = plot_top + _PLOT_HEIGHT + 46 if curves else plot_top - 30
    terms = made["terms"]
    most = terms["sizes"][-1]
    title = f"{most:,} items, sent in different ways"
    drawing = Drawing(_WIDTH, height, style=_STYLE, title=title)
    drawing.rect((0.5, 0.5), (_WIDTH - 1, height - 1), look="page", round_px=6)
    drawing.text((_MARGIN, 30), title, look="head")
    drawing.text((_MARGIN, 50), _cut(_subtitle(terms, made), _WIDTH - 2 * _MARGIN), look="dim")
    _draw_bars(drawing, bars, bars_top)
    if curves:
        _Plot(drawing, plot_top, curves).draw(made)
    return drawing.done()


def _subtitle(terms: Json, made: Json) -> str:
    models = ", ".join(dict.fromkeys(arm["model"] for arm in made["arms"]))
    told = f"{terms['task']} · {models} · {terms['provider']}"
    simulation = terms["simulation"]
    if simulation is None:
        return told
    return (
        f"{told} · simulated: a call takes {simulation['call_s']:g} s, a batch job "
        f"{simulation['job_s']:g} s; dashed: as users report"
    )


# --- bars --------------------------------------------------------------------------------------


def _bars(made: Json) -> Iterator[_Bar]:
    most = made["terms"]["sizes"][-1]
    several = len({arm["model"] for arm in made["arms"]}) > 1
    for arm in made["arms"]:
        done = _done(arm, most)
        if not done:
            continue
        costs = [each["cost_usd"] for each in done if each["cost_usd"] is not None]
        yield _Bar(
            words=f"{arm['arm']}, {arm['model']}" if several else arm["words"],
            kind=_kind(arm["arm"]),
            time_s=fmean(each["wall_s"] for each in done),
            calls=fmean(each["calls"] for each in done),
            cost_usd=fmean(costs) if costs else None,
        )
    theirs = made["reported"]
    for words, name in (("one by one", "one_by_one_s"), ("batched", "batched_s")):
        time_s = theirs[name] / theirs["answers"] * most
        yield _Bar(words=f"{words}, as users report", kind="reported", time_s=time_s)


def _done(arm: Json, items: int) -> list[Json]:
    return [
        each["figures"]
        for each in arm["trials"]
        if each["items"] == items and each["status"] == "done"
    ]


def _kind(name: str) -> str:
    return name.rpartition("-")[0] if name[-1].isdigit() else name


def _draw_bars(drawing: Drawing, bars: Sequence[_Bar], top: float) -> None:
    columns: Sequence[tuple[str, Sequence[float | None], Callable[[float], str]]] = (
        ("time", [bar.time_s for bar in bars], _seconds),
        ("calls over HTTP", [bar.calls for bar in bars], "{:,.0f}".format),
        ("cost at list price", [bar.cost_usd for bar in bars], "${:.4f}".format),
    )
    for n, bar in enumerate(bars):
        words = _cut(bar.words, _LABELS_TO - 10 - _MARGIN / 2)
        drawing.text((_LABELS_TO - 10, top + n * _ROW + _BAR - 2), words, anchor="end")
    for place, (name, values, told) in enumerate(columns):
        left = _LABELS_TO + place * _COLUMN
        drawing.text((left, top - 14), name, look="dim")
        longest = max((value for value in values if value is not None), default=0.0) or 1.0
        for n, (bar, value) in enumerate(zip(bars, values, strict=True)):
            if value is not None:
                corner, length = (left, top + n * _ROW), max(1.0, _LONGEST * value / longest)
                drawing.rect(corner, (length, _BAR), look=bar.kind, round_px=2)
                drawing.text((left + length + 6, corner[1] + _BAR - 2), told(value))


# --- curves ------------------------------------------------------------------------------------


def _curves(made: Json) -> Iterator[_Curve]:
    """One by one, the quickest direct way, the way of the verdict, and that if a job is slow."""
    way = made["leading"]
    found = [each for each in made["payoffs"] if (each["way"], each["quantity"]) == (way, "time")]
    arms = {arm["arm"]: arm for arm in reversed(made["arms"])}  # the first model's stay
    for name in [*(each["base"] for each in found), way] if found else []:
        yield _Curve(
            words=arms[name]["words"],
            look=_kind(name),
            line=Line(**arms[name]["lines"]["time"]),
            points=[
                (each["items"], each["figures"]["wall_s"])
                for each in arms[name]["trials"]
                if each["status"] == "done"
            ],
        )
    if found:
        line = Line(_SLOW_JOB_S, arms[way]["lines"]["time"]["each"])
        yield _Curve(words="the same if a job takes an hour", look="if", line=line)


class _Plot:
    """Time by the number of items, both in powers of ten, as far as what was measured goes."""

    def __init__(self, drawing: Drawing, top: float, curves: Sequence[_Curve]) -> None:
        self._drawing = drawing
        self._top = top
        self._curves = curves
        points = [point for curve in curves for point in curve.points]
        most = max((items for items, _ in points), default=1)
        least_s = min((seconds for _, seconds in points), default=1.0)
        self._most_items = max(_LEAST_MOST_ITEMS, 10 ** ceil(log10(most)))
        self._ticks = [
            (seconds, words)
            for seconds, words in _TICKS_S
            if seconds >= _MOST_LEAST_S or 10 * seconds > least_s
        ]
        self._least_s = self._ticks[0][0]

    def draw(self, made: Json) -> None:
        """All of it."""
        self._drawing.text((_MARGIN, self._top - 42), "Time by the number of items", look="head")
        self._draw_grid()
        self._draw_legend()
        for curve in self._curves:
            self._draw_curve(curve)
        self._draw_meetings(made)

    def _at(self, items: float, seconds: float) -> Point:
        width = _WIDTH - _PLOT_LEFT - 3 * _MARGIN
        kept_s = min(max(seconds, self._least_s), _MOST_S)
        share = log10(kept_s / self._least_s) / log10(_MOST_S / self._least_s)
        x = _PLOT_LEFT + _MARGIN + width * log10(items) / log10(self._most_items)
        return x, self._top + _PLOT_HEIGHT * (1 - share)

    def _draw_grid(self) -> None:
        for seconds, words in self._ticks:
            left, right = self._at(1, seconds), self._at(self._most_items, seconds)
            self._drawing.line([left, right], look="grid")
            self._drawing.text((left[0] - 8, left[1] + 4), words, look="dim", anchor="end")
        items = 1
        while items <= self._most_items:
            low, high = self._at(items, self._least_s), self._at(items, _MOST_S)
            self._drawing.line([low, high], look="grid")
            self._drawing.text((low[0], low[1] + 18), f"{items:,}", look="dim", anchor="middle")
            items *= 10
        middle = self._at(self._most_items**0.5, self._least_s)
        words = "items; dots are measured, lines are drawn through them"
        self._drawing.text((middle[0], middle[1] + 36), words, look="dim", anchor="middle")

    def _draw_legend(self) -> None:
        x = _PLOT_LEFT + _MARGIN
        for curve in self._curves:
            y = self._top - 18
            self._drawing.line([(x, y), (x + 22, y)], look=f"line {curve.look}")
            self._drawing.text((x + 28, y + 4), curve.words)
            x += 50 + _LETTER * len(curve.words)

    def _draw_curve(self, curve: _Curve) -> None:
        steps = [10 ** (n / 12) for n in range(int(12 * log10(self._most_items)) + 1)]
        points = [self._at(items, curve.line.at(items)) for items in steps]
        self._drawing.line(points, look=f"line {curve.look}")
        for items, seconds in curve.points:
            self._drawing.circle(self._at(items, seconds), 3.5, look=curve.look)

    def _draw_meetings(self, made: Json) -> None:
        """Where batching begins to pay in time: against one by one, then against many at once."""
        line, way = self._curves[-2].line, (made["leading"], "time")
        own = [each for each in made["payoffs"] if (each["way"], each["quantity"]) == way]
        for place, each in enumerate(own):
            since = each["since"]
            if since is None or not 1 < since <= self._most_items or each["until"] is not None:
                continue
            x, y = self._at(since, line.at(since))
            self._drawing.circle((x, y), 7, look="meets")
            words = f"from {since:,} items on"
            if place == 0:
                end = max(x - 6, self._at(1, 1)[0] + _LETTER * len(words))  # not over the scale
                self._drawing.text((end, y - 14), words, look="mark", anchor="end")
            else:  # the curve that it meets goes up from there
                self._drawing.text((x + 8, y + 20), words, look="mark")


def _cut(words: str, width: float) -> str:
    """Words that have room, without their middle where they are too long."""
    room = int(width / _LETTER)
    if len(words) <= room:
        return words
    half = (room - 1) // 2
    return f"{words[:half]}…{words[-half:]}"


def _seconds(value: float) -> str:
    if value < 60:
        return f"{value:.1f} s"
    if value < 3_600:
        return f"{value / 60:.1f} min"
    return f"{value / 3_600:.1f} h"
