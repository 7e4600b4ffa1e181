"""Lines through what was measured, and where one lies below another."""

import pytest
from hypothesis import given, strategies as st

from processor.compare.line import Line, Span, fitted, pays

A_FEW = st.integers(0, 50).map(float)
LINES = st.builds(Line, A_FEW, A_FEW)


@pytest.mark.parametrize(
    ("points", "line"),
    [
        ([], None),
        ([(10, 5.0)], None),
        ([(10, 5.0), (10, 6.0)], None),
        ([(10, 30.0), (100, 300.0)], Line(0.0, 3.0)),
        ([(10, 13.0), (100, 31.0)], Line(11.0, 0.2)),
        ([(10, 9.0), (10, 17.0), (100, 31.0)], Line(11.0, 0.2)),
        ([(10, 8.0), (100, 8.0)], Line(8.0, 0.0)),
        ([(10, 12.0), (100, 8.0)], Line(10.0, 0.0)),  # more items never take less
        ([(10, 20.0), (20, 50.0)], Line(0.0, 2.4)),  # nothing takes less than no time
    ],
)
def test_the_line_through_what_was_measured(
    points: list[tuple[int, float]], line: Line | None
) -> None:
    found = fitted(points)
    if line is None:
        assert found is None
    else:
        assert found is not None
        assert (found.fixed, found.each) == pytest.approx((line.fixed, line.each))


@pytest.mark.parametrize(
    ("way", "base", "span"),
    [
        (Line(8, 0), Line(0, 3), Span(3)),  # the users' figures: 8 s against 3 s each
        (Line(9, 0), Line(0, 3), Span(4)),  # equal at 3 is not less
        (Line(3_600, 0.01), Line(0, 3), Span(1_205)),
        (Line(3_600, 0.01), Line(3, 0.005), None),  # dearer from the first to the last
        (Line(86_400, 0), Line(0, 0.0001), None),  # beyond what is foretold
        (Line(0, 2), Line(5, 1), Span(1, 4)),
        (Line(0, 2), Line(1, 1), None),
        (Line(1, 1), Line(2, 1), Span(1)),
        (Line(1, 1), Line(1, 1), None),
        (Line(0, 0.001), Line(2_000, 0), Span(1)),  # no end within what is foretold
    ],
)
def test_from_how_many_items_on_a_way_takes_less(way: Line, base: Line, span: Span | None) -> None:
    assert pays(way, base) == span


@given(LINES, LINES)
def test_a_span_holds_exactly_the_numbers_for_which_it_takes_less(way: Line, base: Line) -> None:
    most = 60
    less = [items for items in range(1, most + 1) if way.at(items) < base.at(items)]
    span = pays(way, base, most=most)
    if span is None:
        assert not less
    else:
        assert less == list(range(span.since, (span.until or most) + 1))
