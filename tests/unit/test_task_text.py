"""Bounds of free texts."""

import pytest

from processor.errors import TaskError
from processor.items import Accepted, Invalid, Item
from processor.tasks.output import Output
from processor.tasks.text import TextCheck

ITEM = Item(seq=1, chunk=1, id=1, fields={})


def checked(answer: str, **bounds: object) -> Accepted | Invalid:
    return TextCheck(Output(**bounds), where="f")(ITEM, answer)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("answer", "bounds"),
    [
        ("hi", {}),
        ("hi", {"min_chars": 2, "max_chars": 2}),
        ("한글", {"max_chars": 2}),
        ("a1", {"pattern": r"\d"}),
        ("12", {"pattern": r"^\d+$"}),
        ("fine", {"forbid": ("sorry",)}),
    ],
)
def test_a_text_within_its_bounds(answer: str, bounds: dict[str, object]) -> None:
    assert checked(f" {answer}\n", **bounds) == Accepted(result=answer)


@pytest.mark.parametrize(
    ("answer", "bounds", "said"),
    [
        (" \n", {}, "is empty"),
        ("a", {"min_chars": 2}, "length is 1. Answer with 2 characters or more."),
        (
            "a" * 1_001,
            {"max_chars": 1_000},
            "length is 1,001. Answer with 1,000 characters at most.",
        ),
        ("abc", {"pattern": r"^\d+$"}, r"does not match '^\\d+$'"),
        ("As an AI model", {"forbid": ("as an ai",)}, "says 'as an ai'"),
        ("죄송합니다만", {"forbid": ("no", "죄송")}, "says '죄송'"),
    ],
)
def test_a_text_out_of_its_bounds(answer: str, bounds: dict[str, object], said: str) -> None:
    found = checked(answer, **bounds)
    assert isinstance(found, Invalid)
    assert said in found.problem


def test_a_pattern_takes_no_longer_than_its_text() -> None:
    assert isinstance(checked("a" * 100_000 + "!", pattern="^(a|aa)+$"), Invalid)


@pytest.mark.parametrize("pattern", ["(a", "(?=a)", r"(a)\1", "(a{1000}){1000}"])
def test_a_pattern_that_cannot_be(pattern: str) -> None:
    with pytest.raises(TaskError, match=r"^f: pattern: no regular expression: .* no look-around"):
        TextCheck(Output(pattern=pattern), where="f")
