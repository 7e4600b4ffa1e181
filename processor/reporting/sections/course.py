"""The course of a run: figures over time, starts and stops, orders, decisions."""

from collections.abc import Iterator

from processor.console.words import counted, milliseconds, money, rate
from processor.reporting import figures, timeline
from processor.reporting.charts import Axis, Series, is_cut, over_time
from processor.reporting.document import Block, Chart, Charts, Foreign, Prose, Section, Table, cells
from processor.reporting.gathering import Findings
from processor.reporting.plain import cut
from processor.reporting.timeline import Event
from processor.watch.trend import Point

_POINTS_LEAST = 3
_EVENTS_SHOWN = 24
_DETAIL_CHARACTERS = 240


def section(found: Findings) -> Section | None:
    """None of a run that was never started."""
    if not found.starts:
        return None
    blocks: list[Block] = []
    if len(found.seen.points) >= _POINTS_LEAST:
        blocks.append(Charts(list(_charts(found))))
    else:
        blocks.append(Prose(("The run was too short for figures over time.",), look="note"))
    blocks += _events(found)
    return Section("course", "Course of the run", blocks)


def _charts(found: Findings) -> Iterator[Chart]:
    points, shot = found.seen.points, found.shot
    axis = Axis(found.starts, points[-1].at)
    marks = [event for event in found.events if event.kind in ("order", "decision")]

    def line(look: str, words: str, name: str, *, is_area: bool = False) -> Series:
        found_at = [(axis.at(point.at), _value(point, name)) for point in points]
        return Series(look, words, found_at, is_area=is_area)

    yield over_time(
        "Items done",
        [line("one", "finished", "finished", is_area=True), line("bad", "failed", "failed")],
        axis=axis,
        events=marks,
        words=_short,
        told=(
            figures.count("finished", shot.finished),
            " of ",
            figures.count("total", shot.total),
            ", ",
            figures.count("failed", shot.failed),
            " of them failed.",
        ),
        bound=shot.total if shot.pending else None,
    )
    rates = [point.per_s for point in points]
    cut_off = "; the tips of peaks are cut off" if is_cut(rates) else ""
    yield over_time(
        "Items a second",
        [line("one", "finished", "per_s", is_area=True)],
        axis=axis,
        events=marks,
        words=_short,
        told=(
            "On average ",
            figures.per_s("throughput_per_s", shot.throughput_per_s),
            f", at most {rate(max(rates))}{cut_off}.",
        ),
    )
    if any(point.p50_ms is not None for point in points):
        yield over_time(
            "Latency",
            [line("one", "half of the calls", "p50_ms"), line("two", "95%", "p95_ms")],
            axis=axis,
            events=marks,
            words=milliseconds,
            told=(
                "Half of all calls within ",
                figures.milliseconds("latency_ms.p50", shot.latency_ms.p50),
                ", 95% within ",
                figures.milliseconds("latency_ms.p95", shot.latency_ms.p95),
                ".",
            ),
        )
    yield over_time(
        "Errors, retries and 429s a second",
        [
            line("bad", "items failed", "failed_per_s"),
            line("two", "retries", "retries_per_s"),
            line("three", "429s", "limited_per_s"),
        ],
        axis=axis,
        events=marks,
        words=_short,
        told=(
            figures.count("failed", shot.failed),
            " items failed; ",
            figures.count("overall.retries", shot.overall.retries),
            " retries, ",
            figures.count("overall.rate_limited", shot.overall.rate_limited),
            " 429s.",
        ),
    )
    if any(point.window is not None for point in points):
        yield over_time(
            "Calls in flight",
            [line("one", "in flight", "in_flight", is_area=True), line("two", "allowed", "window")],
            axis=axis,
            events=marks,
            words=_short,
            told=("How many may be in flight at once follows what the provider lets through.",),
        )
    if shot.overall.cost_usd:
        budget_usd = None if shot.session is None else shot.session.budget_usd
        near = budget_usd if budget_usd and budget_usd < 3 * shot.overall.cost_usd else None
        yield over_time(
            "Cost so far",
            [line("one", "paid", "cost_usd", is_area=True)],
            axis=axis,
            events=marks,
            words=money,
            told=(
                figures.usd("overall.cost_usd", shot.overall.cost_usd),
                "" if budget_usd is None else f" of a budget of {money(budget_usd)}",
                ".",
            ),
            bound=near,
        )


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 or not value else f"{value:.1f}"


def _value(point: Point, name: str) -> float | None:
    value: float | None = getattr(point, name)
    return value


def _events(found: Findings) -> Iterator[Block]:
    events = found.events
    shown = events
    left = len(events) - _EVENTS_SHOWN
    if left > 0:
        half = _EVENTS_SHOWN // 2
        shown = [*events[:half], *events[-half:]]
    rows = [_row(found, event) for event in shown]
    yield Table("What happened", ("when", "what", "why"), [cells(*row) for row in rows])
    if left > 0:
        yield Prose((f"{counted(left, 'event')} between these are left out.",), look="note")


def _row(found: Findings, event: Event) -> list[str | tuple[Foreign, ...]]:
    detail = cut(event.detail, _DETAIL_CHARACTERS) if found.content else ""
    return [timeline.clock(event.at, dated=True), event.what, (Foreign(detail),)]
