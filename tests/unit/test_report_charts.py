"""Charts of a report: scales, the time in which a run worked, what is drawn."""

from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, strategies as st

from processor.reporting.charts import (
    Axis,
    Bar,
    Series,
    distribution,
    is_cut,
    nice,
    over_time,
    spark,
)
from processor.reporting.timeline import Start


def start(number: int, began: float, seen: float) -> Start:
    return Start(number=number, started_at=began, seen_at=seen, exit_code=0, stop_code=None)


@given(st.floats(1e-9, 1e12))
def test_the_end_of_a_scale_is_not_below_and_not_far_above(most: float) -> None:
    assert 0.999 * most <= nice(most) <= 2.6 * most


def test_a_scale_of_nothing_has_an_end() -> None:
    assert nice(0) == 1


def test_time_in_which_nothing_worked_takes_no_room() -> None:
    axis = Axis([start(1, 1_000, 1_100), start(2, 90_000, 90_300)], until=90_300)
    assert [axis.at(moment) for moment in (1_000, 1_100, 50_000, 90_000, 90_300)] == [
        *(0.0, 0.25, 0.25, 0.25, 1.0),
    ]
    assert axis.breaks == [0.25]
    assert [tick.at for tick in axis.ticks()] == [0.0, 0.25, 0.5, 0.75, 1.0]


@given(
    st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500)), min_size=1, max_size=6),
    st.floats(0, 5_000),
)
def test_every_moment_has_a_place(spans: list[tuple[int, int]], moment: float) -> None:
    began, starts = 0, []
    for number, (pause, work) in enumerate(spans, 1):
        starts.append(start(number, began + pause, began + pause + work))
        began += pause + work
    axis = Axis(starts, until=began)
    assert 0.0 <= axis.at(moment) <= 1.0


def test_a_line_of_blocks_is_as_high_as_its_values() -> None:
    assert spark([(n / 8, n + 1.0) for n in range(8)]) == "▂▃▄▅▆▇██"
    assert spark([(0.0, 1.0), (0.5, None), (0.9, 1.0)]) == "█ █"
    assert spark([]) == spark([(0.0, 0.0)]) == ""


def lines_of(drawing: ET.Element) -> list[str]:
    return [
        each.get("points", "")
        for each in drawing.iter("polyline")
        if "line" in each.get("class", "")
    ]


def test_a_rare_peak_does_not_hide_the_rest() -> None:
    values = [10.0] * 60 + [5_000.0]
    assert is_cut(values)
    assert not is_cut([10.0] * 30 + [5_000.0] * 30)
    chart = over_time(
        "Items a second",
        [Series("one", "finished", [(n / 60, value) for n, value in enumerate(values)])],
        axis=Axis([start(1, 0, 60)], until=60),
        events=[],
        words=str,
        told=(),
    )
    assert chart.up[-1].words == "15.0"
    (line,) = lines_of(chart.drawing)
    assert line.endswith("1000,0")  # the tip, at the upper end


def test_what_is_not_known_is_a_gap() -> None:
    known = [(0.0, 1.0), (0.2, 2.0), (0.4, None), (0.6, 2.0), (0.8, 1.0)]
    chart = over_time(
        "Latency",
        [Series("one", "half", known)],
        axis=Axis([start(1, 0, 60)], until=60),
        events=[],
        words=str,
        told=(),
    )
    assert lines_of(chart.drawing) == ["0,100 200,0", "600,0 800,100"]


def test_bars_stand_where_their_values_are() -> None:
    bars = [Bar(10, 100, 5), Bar(100, 1_000, 10)]
    chart = distribution("Calls", bars, words=str, marks=[], told=())
    first, second = chart.drawing.iter("rect")
    assert (first.get("x"), first.get("height")) == ("1", "100")
    assert (second.get("x"), second.get("height")) == ("501", "200")
    assert [title.text for title in first.iter("title")] == ["10 – 100: 5"]


@pytest.mark.parametrize("name", ["script", "image", "use", "foreignObject", "a"])
def test_a_drawing_holds_shapes_only(name: str) -> None:
    chart = distribution("<script>", [Bar(1, 2, 3)], words=str, marks=[], told=())
    assert not list(chart.drawing.iter(name))
    assert "<script>" not in ET.tostring(chart.drawing, encoding="unicode")
