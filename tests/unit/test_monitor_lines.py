"""Lines, bars and charts that fit, whatever is in them."""

import pytest
from hypothesis import given, strategies as st
from rich.cells import cell_len
from rich.text import Text

from processor.console.monitor import marks
from processor.console.monitor.lines import Part, beside, fitted, folded, packed, row, spread
from processor.console.monitor.marks import Stretch
from processor.console.monitor.section import fixed, growing, stacked

A, B, C = Part("aaaa", rank=0), Part("bbbb", rank=2), Part("cccc", rank=1)
PARTS = st.lists(st.builds(Part, st.text(), st.just("red"), st.integers(0, 5)), max_size=6)
WIDTHS = st.integers(0, 200)


@pytest.mark.parametrize(
    ("width", "line"),
    [
        (18, "aaaa · bbbb · cccc"),
        (17, "aaaa · cccc"),
        (10, "aaaa"),
        (3, "aa…"),
        (0, ""),
    ],
)
def test_what_has_no_room_goes_by_rank(width: int, line: str) -> None:
    assert fitted([A, B, C], width).plain == line


def test_a_wide_letter_takes_two_cells() -> None:
    assert fitted([Part("질문"), Part("x", rank=2)], 8).plain == "질문 · x"
    assert fitted([Part("질문"), Part("x", rank=2)], 7).plain == "질문"
    cut = fitted([Part("질문입니다")], 6)
    assert cut.plain.startswith("질문")
    assert cut.cell_len <= 6


def test_what_people_did_not_write_cannot_command_the_terminal() -> None:
    assert fitted([Part("a\x1b[2Jb\nc\u202e")], 80).plain == r"a\x1b[2Jb\nc\u202e"


def test_parts_go_on_below_their_label() -> None:
    lines = packed("label", [A, B, C], 20)
    assert [line.plain for line in lines] == ["label   aaaa · bbbb", "        cccc"]


def test_what_is_typed_stays_whole() -> None:
    lines = folded("next", "processor run --task a-long-name", 20)
    assert [line.plain for line in lines] == [
        "next    processor",
        "        run --task",
        "        a-long-name",
    ]
    pieces = [line.plain[8:] for line in folded("next", "질문질문질문질문", 16)]
    assert pieces == ["질문질문", "질문질문"]


@pytest.mark.parametrize(
    ("width", "line"),
    [(14, "aaaa       bbb"), (8, "aaaa bbb"), (7, "aa… bbb"), (4, "bbb"), (2, "b…")],
)
def test_the_right_edge_stays(width: int, line: str) -> None:
    assert spread([Part("aaaa")], Part("bbb"), width).plain == line


@given(PARTS, WIDTHS)
def test_no_line_is_wider_than_there_is_room(parts: list[Part], width: int) -> None:
    lines = [
        fitted(parts, width),
        row("label", parts, width),
        spread(parts, Part("right"), width),
        *packed("label", parts, width),
        *(line for part in parts for line in folded("label", part.text, width)),
    ]
    for line in lines:
        assert line.cell_len <= width
        assert not any(mark < " " or "\x7f" <= mark < "\xa0" for mark in line.plain)


def test_columns_stand_beside_each_other_whatever_their_length() -> None:
    lines = beside([Text("한글"), Text("a")], [Text("x"), Text("y"), Text("z")], (5, 3))
    assert [line.plain for line in lines] == ["한글   x", "a      y", "       z"]


@given(st.lists(st.floats(0, 1), max_size=4), st.integers(0, 100))
def test_a_bar_has_its_width(shares: list[float], width: int) -> None:
    assert marks.bar([Stretch(share, "red") for share in shares], width).cell_len == width


@pytest.mark.parametrize(
    ("share", "bar"), [(0, "░░░░"), (0.49, "█░░░"), (0.5, "██░░"), (0.99, "███░"), (1, "████")]
)
def test_a_bar_is_full_when_all_is_done(share: float, bar: str) -> None:
    assert marks.bar([Stretch(share, "green")], 4).plain == bar


def test_a_sparkline_is_as_high_as_its_values() -> None:
    assert marks.sparkline([0, 1, None, 4, 8]) == "▁▂ ▅█"
    assert marks.sparkline([0, 0]) == "▁▁"
    assert marks.sparkline([]) == ""
    assert marks.sparkline([1, 2, 1_000, 2]) == "▂▃█▃"  # what is settled at once hides no course


def test_a_chart_stands_on_its_lowest_line() -> None:
    assert marks.chart([None, 1, 2, 4], 2) == ["   █", " ▄██"]
    assert marks.chart([0, 0], 2) == ["  ", "  "]


@given(
    st.lists(st.tuples(st.floats(0, 1e9), st.none() | st.floats(0, 1e6)), max_size=50),
    st.integers(1, 30),
)
def test_means_of_stretches_stay_within_what_was_seen(
    seen: list[tuple[float, float | None]], columns: int
) -> None:
    values = [value for _, value in seen if value is not None]
    means = marks.resampled(sorted(seen, key=lambda one: one[0]), columns)
    assert len(means) <= max(columns, 0)
    for mean in means:
        assert mean is None or min(values) <= mean * (1 + 1e-9)
        assert mean is None or mean <= max(values) * (1 + 1e-9)


def test_what_ranks_lowest_has_its_lines_first() -> None:
    def lines(name: str, count: int) -> list[Text]:
        return [Text(f"{name}{number}") for number in range(1, count + 1)]

    sections = [
        fixed(5, lines("a", 2)),
        growing(1, lines("b", 4), 20),
        fixed(2, lines("c", 1)),
    ]

    def told(height: int | None) -> list[str]:
        return [line.plain.strip() for line in stacked(sections, height)]

    assert told(None) == ["a1", "a2", "b1", "b2", "b3", "b4", "c1"]
    assert told(7) == told(None)
    assert told(5) == ["a1", "a2", "b1", "… and 3 more", "c1"]
    assert told(3) == ["b1", "… and 3 more", "c1"]
    assert told(2) == ["… and 4 more", "c1"]
    assert told(0) == []


@given(st.integers(0, 40), st.lists(st.tuples(st.integers(0, 5), st.integers(0, 9)), max_size=6))
def test_sections_never_take_more_lines_than_there_are(
    height: int, wanted: list[tuple[int, int]]
) -> None:
    sections = [growing(rank, [Text("x")] * count, 20) for rank, count in wanted]
    assert len(stacked(sections, height)) <= height


def test_characters_of_old_terminals_take_as_many_cells() -> None:
    line = Text("█░ 3 · ≥ ✓ → –")
    width = cell_len(line.plain)
    assert marks.in_ascii(line).plain.isascii()
    assert cell_len(line.plain) == width
