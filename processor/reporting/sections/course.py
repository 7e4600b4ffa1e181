"""The course of a run: figures over time, starts and stops, orders, decisions."""

from collections.abc import Iterator, Sequence

from processor.console.words import counted, milliseconds, money, rate
from processor.reporting import figures, timeline
from processor.reporting.charts import Axis, Bound, Series, Words, is_cut, over_time, short
from processor.reporting.document import (
    Block,
    Chart,
    Charts,
    Foreign,
    Line,
    Prose,
    Section,
    Table,
    cells,
)
from processor.reporting.gathering import Findings
from processor.reporting.plain import cut
from processor.reporting.timeline import Event
from processor.watch.trend import Point

_POINTS_LEAST = 3
_EVENTS_SHOWN = 24
_NEAR_TIMES = 3.0
_DETAIL_CHARACTERS = 240


def section(found: Findings) -> Section | None:
    """None of a run that was never started."""
    if not found.starts:
        return None
    blocks: list[Block] = []
    if len(found.seen.points) >= _POINTS_LEAST:
        blocks.append(Charts(list(_Course(found).charts())))
    else:
        blocks.append(Prose(("The run was too short for figures over time.",), look="note"))
    blocks += _events(found)
    return Section("course", "Course of the run", blocks)


class _Course:
    """Draws what happened over time.

    Args:
        found: With some points.
    """

    def __init__(self, found: Findings) -> None:
        self._found = found
        self._shot = found.shot
        self._points = found.seen.points
        self._axis = Axis(found.starts, self._points[-1].at)
        self._marks = [event for event in found.events if event.kind in ("order", "decision")]

    def charts(self) -> Iterator[Chart]:
        """Those that there is something to see on."""
        yield self._done()
        yield self._speed()
        if self._has("p50_ms"):
            yield self._latency()
        yield self._trouble()
        if self._has("window"):
            yield self._in_flight()
        if self._shot.overall.cost_usd:
            yield self._cost()

    def _done(self) -> Chart:
        shot = self._shot
        return self._chart(
            "Items done",
            [
                self._line("one", "finished", "finished", is_area=True),
                self._line("bad", "failed", "failed"),
            ],
            told=(
                figures.count("finished", shot.finished),
                " of ",
                figures.count("total", shot.total),
                ", ",
                figures.count("failed", shot.failed),
                " of them failed.",
            ),
            bound=Bound(shot.total, "all") if shot.pending else None,
        )

    def _speed(self) -> Chart:
        rates = [point.per_s for point in self._points]
        cut_off = "; the tips of peaks are cut off" if is_cut(rates) else ""
        mean = figures.per_s("throughput_per_s", self._shot.throughput_per_s)
        return self._chart(
            "Items a second",
            [self._line("one", "finished", "per_s", is_area=True)],
            told=("On average ", mean, f", at most {rate(max(rates))}{cut_off}."),
        )

    def _latency(self) -> Chart:
        latency = self._shot.latency_ms
        half = figures.milliseconds("latency_ms.p50", latency.p50)
        most = figures.milliseconds("latency_ms.p95", latency.p95)
        return self._chart(
            "Latency",
            [self._line("one", "half of the calls", "p50_ms"), self._line("two", "95%", "p95_ms")],
            words=milliseconds,
            told=("Half of all calls within ", half, ", 95% within ", most, "."),
        )

    def _trouble(self) -> Chart:
        overall = self._shot.overall
        return self._chart(
            "Errors, retries and 429s a second",
            [
                self._line("bad", "items failed", "failed_per_s"),
                self._line("two", "retries", "retries_per_s"),
                self._line("three", "429s", "limited_per_s"),
            ],
            told=(
                figures.count("failed", self._shot.failed),
                " items failed; ",
                figures.count("overall.retries", overall.retries),
                " retries, ",
                figures.count("overall.rate_limited", overall.rate_limited),
                " 429s.",
            ),
        )

    def _in_flight(self) -> Chart:
        return self._chart(
            "Calls in flight",
            [
                self._line("one", "in flight", "in_flight", is_area=True),
                self._line("two", "allowed", "window"),
            ],
            told=("How many may be in flight at once follows what the provider lets through.",),
        )

    def _cost(self) -> Chart:
        bound = _most_usd(self._found)
        of = "" if bound is None else f" ({bound.words}: {money(bound.value)})"
        return self._chart(
            "Cost so far",
            [self._line("one", "paid", "cost_usd", is_area=True)],
            words=money,
            told=(figures.usd("overall.cost_usd", self._shot.overall.cost_usd), f"{of}."),
            bound=bound,
        )

    def _chart(
        self,
        title: str,
        series: Sequence[Series],
        *,
        told: Line,
        words: Words = short,
        bound: Bound | None = None,
    ) -> Chart:
        return over_time(
            title,
            series,
            axis=self._axis,
            events=self._marks,
            words=words,
            told=told,
            bound=bound,
        )

    def _line(self, look: str, words: str, name: str, *, is_area: bool = False) -> Series:
        found = [(self._axis.at(point.at), _value(point, name)) for point in self._points]
        return Series(look, words, found, is_area=is_area)

    def _has(self, name: str) -> bool:
        return any(_value(point, name) is not None for point in self._points)


def _value(point: Point, name: str) -> float | None:
    value: float | None = getattr(point, name)
    return value


def _most_usd(found: Findings) -> Bound | None:
    """The budget or the plan, where it is near enough to be drawn beside the cost."""
    shot = found.shot
    budget_usd = None if shot.session is None else shot.session.budget_usd
    for usd, words in ((budget_usd, "budget"), (found.seen.planned.usd, "planned")):
        if usd and usd < _NEAR_TIMES * (shot.overall.cost_usd or 0.0):
            return Bound(usd, words)
    return None


def _events(found: Findings) -> Iterator[Block]:
    events = found.events
    shown = events
    left = len(events) - _EVENTS_SHOWN
    if left > 0:
        half = _EVENTS_SHOWN // 2
        shown = [*events[:half], *events[-half:]]
    rows = [_row(found, event) for event in shown]
    heads = ["when", "what", "why"]
    if not any(row[-1] for row in rows):
        heads, rows = heads[:2], [row[:2] for row in rows]
    yield Table("What happened", heads, [cells(*row) for row in rows])
    if left > 0:
        yield Prose((f"{counted(left, 'event')} between these are left out.",), look="note")


def _row(found: Findings, event: Event) -> list[str | tuple[Foreign, ...]]:
    detail = cut(event.detail, _DETAIL_CHARACTERS) if found.content else ""
    why = (Foreign(detail),) if detail else ()
    return [timeline.clock(event.at, dated=True), event.what, why]
