"""Which message holds the question, and which requests are about one item."""

import pytest

from processor.sandbox.answers.kind import Kind
from processor.sandbox.answers.question import find_question, last_expression
from processor.sandbox.answers.wrong import _WRONG, is_wrong, wrong_answer
from processor.sandbox.conversation import Turn

HALF = "<math><mfrac><mn>1</mn><mn>2</mn></mfrac></math>"
X = '<math xmlns="http://www.w3.org/1998/Math/MathML"><mi>x</mi></math>'
SYSTEM = Turn("system", "Convert it.")
LABELLING = Turn("system", "기사의 라벨을 0, 1, 2 중 하나로 답하라.")


def user(text: str) -> Turn:
    return Turn("user", text)


def assistant(text: str) -> Turn:
    return Turn("assistant", text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"Convert {X}", X),
        (f"Example: {HALF}. Now: {X} Answer:", X),
        (f"{X} Write LaTeX, never <math> or </math>.", X),
        (f"Put no <math> round it:\n{X}", X),
        ("<math\n display='block'><mi>x</mi></math>", "<math\n display='block'><mi>x</mi></math>"),
        ("<math>plain</math>", ""),
        ("<mathx><mi>x</mi></math>", ""),
        ("<math><mi>x</mi>", ""),
        ("</math></math>", ""),
        ("2 < 3", ""),
    ],
)
def test_the_last_expression_of_a_text(text: str, found: str) -> None:
    assert last_expression(text) == found


def test_many_beginnings_take_no_time() -> None:
    assert last_expression("<math >" * 200_000) == ""


@pytest.mark.parametrize(
    ("turns", "kind", "place"),
    [
        ([SYSTEM, user(X)], "mathml", 1),
        ([SYSTEM, user(HALF), assistant(r"\frac{1}{2}"), user(X)], "mathml", 3),
        ([SYSTEM, user(X), assistant("```x```"), user("No code fence.")], "mathml", 1),
        ([user(f"페르소나: {X}")], "mathml", 0),
        ([user("질문: 왜?\n페르소나: 폭발적인")], "persona", 0),
        ([Turn("system", "페르소나: 폭발적인"), user("왜?")], "persona", 1),
        ([LABELLING, user("본문")], "label", 1),
        ([LABELLING, user("예"), assistant("0"), user("본문")], "label", 3),
        ([LABELLING, user("본문"), assistant("3"), user("0, 1 or 2.")], "label", 1),
        (
            [LABELLING, user("예"), assistant("0"), user("본문"), assistant("중립"), user("No.")],
            "label",
            3,
        ),
        (
            [LABELLING, user("본문"), assistant("7"), user("No."), assistant(""), user("No!")],
            "label",
            1,
        ),
        ([user("hello")], "text", 0),
        ([user("in 2010 there were 12 articles")], "text", 0),
        ([user("one"), user("two")], "text", 1),
        ([user("one"), assistant("fine"), user("two")], "text", 2),
        ([user("one"), assistant(""), user("It is empty.")], "text", 0),
        ([SYSTEM], "text", 0),
        ([assistant(""), assistant("")], "text", 1),
    ],
)
def test_the_question_of_a_conversation(turns: list[Turn], kind: Kind, place: int) -> None:
    question = find_question(turns)
    assert question.kind == kind
    assert question.text == turns[place].text


def test_a_reask_has_the_items_key_and_tells_how_often_it_was_answered() -> None:
    asked = [SYSTEM, user(HALF), assistant(r"\frac{1}{2}"), user(X)]
    again = [*asked, assistant("```x```"), user("No fence."), assistant(""), user("Empty.")]
    assert find_question(again).key == find_question(asked).key
    assert find_question(asked).answers_since == 0
    assert find_question(again).answers_since == 2


def test_items_differ_by_whatever_comes_before_the_answer() -> None:
    """The persona may stand in the system prompt, the question be the same for all."""
    keys = {
        find_question(turns).key
        for turns in (
            [user("왜?")],
            [Turn("system", "페르소나: 하나"), user("왜?")],
            [Turn("system", "페르소나: 둘"), user("왜?")],
            [user("페르소나: 둘"), user("왜?")],
        )
    }
    assert len(keys) == 4
    assert all(len(key) == 16 for key in keys)


@pytest.mark.parametrize("kind", ["label", "persona", "text"])
def test_wrong_answers_are_known_again(kind: Kind) -> None:
    drawn = {wrong_answer(kind, "1", "", 0, number) for number in range(200)}
    assert drawn == set(_WRONG[kind])
    assert all(is_wrong(kind, answer) for answer in drawn)
    assert not any(is_wrong(kind, right) for right in ("0", "1", "2", "글쎄요."))


@pytest.mark.parametrize("latex", [r"\frac{1}{2}", "x", "12", "", r"\sqrt{x}\ "])
def test_a_wrong_latex_is_never_the_right_one(latex: str) -> None:
    drawn = {wrong_answer("mathml", latex, X, 0, number) for number in range(200)}
    assert len(drawn) >= 4
    assert latex == "" or latex not in drawn
