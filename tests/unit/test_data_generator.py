import inspect
import xml.etree.ElementTree as ET
from itertools import islice

import pytest
from hypothesis import given, strategies as st

from processor.data import Source
from processor.data.generator import GeneratedQuestions, generate
from processor.data.questions.kinds import KINDS
from processor.data.questions.shape import Series, Shape
from processor.errors import UsageError

SHAPES = [shape for shapes in KINDS.values() for shape in shapes]
MATHML = "{http://www.w3.org/1998/Math/MathML}"


def test_fields_stand_in_the_order_of_the_users_table() -> None:
    [row] = generate(1, start=12)
    assert row.number == 12
    assert list(row.fields) == ["question_id", "mathml", "subject", "grade"]
    assert row.fields["question_id"] == "G0000012"
    assert row.fields["mathml"].startswith('<math xmlns="http://www.w3.org/1998/Math/MathML">')


def test_every_shape_is_well_formed_and_of_a_school_year() -> None:
    for row in generate(10 * len(SHAPES)):
        tree = ET.fromstring(row.fields["mathml"])
        leaves = [element for element in tree.iter() if not len(element)]
        assert all(
            (element.text or "").strip() or element.tag in {f"{MATHML}mrow", f"{MATHML}mspace"}
            for element in leaves
        )
        assert row.fields["grade"] in range(1, 13)


@pytest.mark.parametrize(
    ("tag", "children"),
    [
        *(("mfrac", 2), ("msup", 2), ("msub", 2), ("mroot", 2), ("mover", 2), ("munder", 2)),
        *(("msubsup", 3), ("munderover", 3)),
    ],
)
def test_elements_have_the_children_that_mathml_wants(tag: str, children: int) -> None:
    found = [
        len(element)
        for row in generate(10 * len(SHAPES))
        for element in ET.fromstring(row.fields["mathml"]).iter(MATHML + tag)
    ]
    assert set(found) == {children}


def test_every_kind_comes_soon_and_korean_with_it() -> None:
    first = list(generate(len(KINDS)))
    assert {row.fields["subject"] for row in first} == set(KINDS)
    assert any("직사각형" in row.fields["mathml"] for row in first)


def test_no_two_questions_are_alike() -> None:
    questions = {row.fields["mathml"] for row in generate(200_000)}
    assert len(questions) == 200_000


@given(st.sampled_from(SHAPES), st.integers(0, 10**15), st.integers(0, 10**15))
def test_other_operands_are_another_question(shape: Shape, one: int, other: int) -> None:
    series = Series.seeded(shape, "0")
    near = one + other % 50
    assert (series.content(one) == series.content(other)) == (one == other)
    assert (series.content(one) == series.content(near)) == (one == near)


@given(
    st.lists(st.integers(1, 4), max_size=3),
    st.integers(1, 5),
    st.integers(1, 3),
    st.text(max_size=3),
)
def test_a_series_uses_every_combination_before_it_goes_on(
    widths: list[int], width: int, step: int, seed: str
) -> None:
    shape = Shape(
        grade=1,
        choices=tuple(range(width) for width in widths),
        last=range(1, 1 + width * step, step),
        build=lambda *operands: repr(operands),
    )
    series = Series.seeded(shape, seed)
    turns = [[series.content(k + turn * series.combinations) for k in range(series.combinations)]
             for turn in range(2)]  # fmt: skip
    assert len({*turns[0], *turns[1]}) == 2 * series.combinations
    assert max(int(text.strip("(,)").split(", ")[-1]) for text in turns[0]) == shape.last[-1]


def test_every_operand_is_used() -> None:
    for shape in SHAPES:
        assert len(inspect.signature(shape.build).parameters) == len(shape.choices) + 1


@given(st.integers(), st.integers(1, 10**9), st.integers(1, 200))
def test_a_question_depends_on_seed_and_number_alone(seed: int, start: int, count: int) -> None:
    run = list(generate(count, seed=seed, start=start))
    longer = list(islice(generate(count + 100, seed=seed, start=start), count))
    [last] = generate(1, seed=seed, start=start + count - 1)
    assert run == longer
    assert run[-1] == last


def test_seeds_make_other_questions() -> None:
    sets = [{row.fields["mathml"] for row in generate(500, seed=seed)} for seed in (0, 1)]
    assert len(sets[0] & sets[1]) < 25


def test_generated_questions_are_a_source() -> None:
    source: Source = GeneratedQuestions(count=3, seed=7)
    more = GeneratedQuestions(count=4, seed=7)
    assert (source.name, source.uri) == ("generated", "generated:seed=7")
    assert source.uri == more.uri
    assert source.stamp() != more.stamp()
    assert list(source.rows()) == list(generate(3, seed=7)) == list(more.rows())[:3]


@pytest.mark.parametrize("count", [0, -1])
def test_at_least_one_question_is_asked_for(count: int) -> None:
    with pytest.raises(UsageError, match="cannot generate"):
        GeneratedQuestions(count=count)
