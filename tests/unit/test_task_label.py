"""Which answers mean a label, and which are asked again."""

import pytest

from processor.items import Accepted, Invalid, Item
from processor.tasks.label import LabelCheck

STANCE = {"0": "옹호 (Support)", "1": "중립 (Neutral)", "2": "비판 (Oppose)"}
ITEM = Item(seq=1, chunk=1, id=1, fields={})


@pytest.mark.parametrize(
    ("answer", "key"),
    [
        ("1", "1"),
        (" 2\n", "2"),
        ("２", "2"),
        ('"0"', "0"),
        ("**1**", "1"),
        ("1.", "1"),
        ("(1)", "1"),
        ("답: 1", "1"),
        ("정답은 1번입니다.", "1"),
        ("Label = 2", "2"),
        ("라벨：０", "0"),
        ("1 (중립)", "1"),
        ("0: 옹호 (Support)", "0"),
        ("1, 중립. 비판은 아님", "1"),
        ("2\n2", "2"),
        ("2024년 기사의 라벨은 1", "1"),
        ("①", "1"),
        ("라벨 １입니다", "1"),
        ("２（비판）", "2"),
        ("중립 (Neutral)", "1"),
        ("중립(Neutral)", "1"),
        ("**Oppose (비판)**", "2"),
        ("분류: 옹호（Support）", "0"),
        ("중립", "1"),
        ("neutral", "1"),
        ("OPPOSE.", "2"),
        ("답: 옹호", "0"),
    ],
)
def test_means_one_label(answer: str, key: str) -> None:
    assert LabelCheck(STANCE)(ITEM, answer) == Accepted(result=key)


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "?",
        "3",
        "10",
        "-1",
        "1.5",
        "0,1",
        "1%",
        "0 또는 1",
        "0~2 중에서 1",
        "1/2",
        "1: 2",
        "0: 중립",
        "1 (비판)",
        "중립 또는 비판",
        "중립 (Oppose)",
        "중립(Neutral)입니다만",
        "2개의 문제가 있어 1",
        "1.0",
        "중립이 아니다",
        "비판하지 않는다",
        "모르겠습니다",
        "일",
    ],
)
def test_means_none_or_several(answer: str) -> None:
    found = LabelCheck(STANCE)(ITEM, answer)
    assert isinstance(found, Invalid)
    assert "exactly one of: 0, 1, 2" in found.problem


def test_keys_of_letters_must_stand_alone() -> None:
    check = LabelCheck({"A": "agree", "B": "disagree"})
    assert check(ITEM, "b") == Accepted(result="B")
    assert check(ITEM, "Answer: A") == Accepted(result="A")
    assert isinstance(check(ITEM, "A clear case"), Invalid)


def test_a_name_that_holds_another_is_no_contradiction() -> None:
    check = LabelCheck({"0": "agree", "1": "disagree"})
    assert check(ITEM, "1: disagree") == Accepted(result="1")
    assert check(ITEM, "disagree") == Accepted(result="1")


def test_a_half_of_a_name_that_two_labels_share_means_neither() -> None:
    check = LabelCheck({"0": "warm (mood)", "1": "cold (mood)"})
    assert check(ITEM, "cold") == Accepted(result="1")
    assert isinstance(check(ITEM, "mood"), Invalid)
    assert check(ITEM, "0: mood") == Accepted(result="0")


@pytest.mark.timeout(10)
@pytest.mark.parametrize("part", ["ㅋ", "ㅋ ", "1", "1,", "1%", "-1", "a:", "(", "```", '["'])
def test_endless_answers_do_not_stall(part: str) -> None:
    answer = part * 200_000
    assert isinstance(LabelCheck(STANCE)(ITEM, answer), Invalid)
