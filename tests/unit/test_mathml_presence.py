"""Rows whose MathML is none: found before they are paid for."""

from typing import Any

import pytest
from hypothesis import example, given, strategies as st

from processor.data.generator import generate
from processor.tasks.mathml.presence import problem_of

NS = "http://www.w3.org/1998/Math/MathML"
NONE = "m holds no <math>"
EMPTY = "m holds nothing but an empty <math>"


@pytest.mark.parametrize(
    "value",
    [
        "<math><mi>x</mi></math>",
        f'<math xmlns="{NS}" display="block"><mi>x</mi></math>',
        "<math\n\tdisplay='block'\n><mi>x</mi>\n</math\n>\n",
        f'<?xml version="1.0"?>\n<mml:math xmlns:mml="{NS}"><mml:mi>x</mml:mi></mml:math>',
        "<m:math><m:mi>x</m:mi></m:math>",
        "<MATH><MI>x</MI></MATH>",
        "<math>x</math>",
        '<math alttext="a > b"><mi>x</mi></math>',
        '<math alttext="a/> b"/>',
        "다음을 구하시오. <math><mi>x</mi></math>",
        "<math><mi>x</mi></math>와 <m:math><m:mi>y</m:mi></m:math>",
        "<math></math><math><mi>x</mi></math><math/>",
        "<math><semantics><mi>x</mi><annotation-xml><math/></annotation-xml></semantics></math>",
    ],
)
def test_mathml_is_seen(value: str) -> None:
    assert problem_of("m", value) is None


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("hello", NONE),
        ("x^2", NONE),
        ("<mi>x</mi>", NONE),
        ("&lt;math>&lt;mi>x&lt;/mi>&lt;/math>", NONE),
        ("<mathx>x</mathx>", NONE),
        ("<math-field>x</math-field>", NONE),
        ("<mat", NONE),
        ("</math>", NONE),
        ("<math/>", EMPTY),
        ("<math></math>", EMPTY),
        ("<math> \n</math >", EMPTY),
        ("<math></math><math></math>", EMPTY),
        ("<math></math></math>", EMPTY),
        (f'<m:math xmlns:m="{NS}" />', EMPTY),
        (f'<math xmlns="{NS}" display="block"></math>', EMPTY),
        ("<math", "m holds a <math> that is not closed"),
        ("<math>", "m holds a <math> that is not closed"),
        (f'<math xmlns="{NS}', "m holds a <math> that is not closed"),
        ("</math><math><mi>x</mi>", "m holds a <math> that is not closed"),
        ("<m:math><m:mi>x</m:mi></math>", "m holds a <m:math> that is not closed"),
        ("<math><mi>x</mi></math> <math><mi>", "m holds a <math> that is not closed"),
        (None, "m is missing"),
        (5, "m is not text"),
        (["<math><mi>x</mi></math>"], "m is not text"),
    ],
)
def test_what_is_none_says_why(value: Any, problem: str) -> None:
    assert problem_of("m", value) == problem


QUESTIONS = [str(row.fields["mathml"]) for row in generate(200)]


@given(st.sampled_from(QUESTIONS), st.sampled_from(["", "m:"]), st.data())
def test_a_question_is_seen_and_no_beginning_of_it_is(
    question: str, prefix: str, data: st.DataObject
) -> None:
    text = question.replace("<", f"<{prefix}").replace(f"<{prefix}/", f"</{prefix}")
    assert problem_of("m", text) is None
    end = data.draw(st.integers(0, len(text) - 1))
    assert problem_of("m", text[:end]) is not None


@given(st.text())
@example("<math " * 100_000)
@example('<math a="' * 100_000)
@example("<math>" * 100_000)
@example("<math/" * 100_000)
@example("<math></math" * 100_000)
@example("<a.b-" * 100_000)
def test_no_text_breaks_it(text: str) -> None:
    """The long ones would take hours if a second pass began at each of their places."""
    assert problem_of("m", text) is not None
