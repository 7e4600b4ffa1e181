"""What is concluded when the provider refuses what rows choose for themselves."""

from typing import Any

import pytest

from processor.direct.breaker import SAME_COMPLAINTS
from processor.direct.choices import Choice, Refusals, choice_of
from processor.items import Usage
from processor.verdict import Kind, Verdict

OWN = "gpt-6-luna"
NONE: Choice = ()
SOL: Choice = (("model", "gpt-6-sol"),)
ODD: Choice = (("model", "gpt-odd"),)
HOT: Choice = (("temperature", "2"),)
HOT_ODD: Choice = (*ODD, *HOT)

OK = Verdict(kind=Kind.OK, answer="yes", usage=Usage(prompt_tokens=1, completion_tokens=1))
CUT = Verdict(kind=Kind.ITEM, code="truncated", usage=OK.usage)
BUSY = Verdict(kind=Kind.RETRY, code="rate_limited")
MISSING = Verdict(kind=Kind.FATAL, code="model_not_found", message="no such model")
NO_ROUTE = Verdict(kind=Kind.FATAL, code="not_found")
REFUSED = Verdict(kind=Kind.FATAL, code="refused_parameter", message="no temperature")
DAY_OVER = Verdict(kind=Kind.FATAL, code="daily_limit", message="per day")
BAD_KEY = Verdict(kind=Kind.FATAL, code="auth")


def model_of(choice: Choice) -> str:
    return dict(choice).get("model", OWN)


def rule(refusals: Refusals, verdict: Verdict, choice: Choice) -> Kind:
    return refusals.rule(verdict, choice, model_of(choice)).kind


@pytest.mark.parametrize(
    ("chosen", "choice"),
    [
        ({}, NONE),
        ({"model": OWN}, NONE),
        ({"model": "gpt-odd"}, ODD),
        ({"model": OWN, "temperature": 2}, HOT),
        ({"temperature": 2, "model": "gpt-odd"}, HOT_ODD),
        ({"seed": 1, "a": "b"}, (("a", "b"), ("seed", "1"))),
    ],
)
def test_a_choice_is_what_differs_from_the_task(chosen: dict[str, Any], choice: Choice) -> None:
    assert choice_of(chosen, OWN) == choice


@pytest.mark.parametrize(
    ("before", "verdict", "choice", "kind"),
    [
        # What the task itself says concerns the job, whatever else works.
        ([], MISSING, NONE, Kind.FATAL),
        ([(OK, SOL)], MISSING, NONE, Kind.FATAL),
        ([(OK, SOL)], MISSING, HOT, Kind.FATAL),
        ([(OK, SOL)], REFUSED, NONE, Kind.FATAL),
        # What a row chose is its own fault, once any other model has answered.
        ([(OK, NONE)], MISSING, ODD, Kind.ITEM),
        ([(OK, SOL)], MISSING, ODD, Kind.ITEM),
        ([(CUT, SOL)], MISSING, ODD, Kind.ITEM),
        ([(OK, NONE)], NO_ROUTE, ODD, Kind.ITEM),
        ([(OK, NONE)], REFUSED, ODD, Kind.ITEM),
        ([(OK, NONE)], REFUSED, HOT, Kind.ITEM),
        ([(OK, ODD)], REFUSED, HOT_ODD, Kind.ITEM),
        # Until then it is open.
        ([], MISSING, ODD, Kind.OPEN),
        ([], REFUSED, HOT, Kind.OPEN),
        ([(BUSY, NONE)], MISSING, ODD, Kind.OPEN),
        ([(OK, ODD)], MISSING, ODD, Kind.OPEN),
        ([(OK, SOL), (MISSING, SOL)], MISSING, ODD, Kind.OPEN),
        # The limit of a day is one of its model, whoever named it.
        ([(OK, SOL)], DAY_OVER, NONE, Kind.OPEN),
        ([], DAY_OVER, ODD, Kind.OPEN),
        # Everything else is what it is.
        ([(OK, NONE)], BAD_KEY, ODD, Kind.FATAL),
        ([], BUSY, ODD, Kind.RETRY),
        ([], OK, ODD, Kind.OK),
    ],
)
def test_whom_a_refusal_concerns(
    before: list[tuple[Verdict, Choice]], verdict: Verdict, choice: Choice, kind: Kind
) -> None:
    refusals = Refusals()
    for earlier, of in before:
        rule(refusals, earlier, of)
    assert rule(refusals, verdict, choice) is kind


@pytest.mark.parametrize(
    ("seen", "choice", "kind"),
    [
        ([], ODD, None),
        ([(MISSING, ODD)], ODD, Kind.OPEN),
        ([(MISSING, ODD)], HOT_ODD, Kind.OPEN),
        ([(MISSING, ODD)], SOL, None),
        ([(MISSING, ODD)], NONE, None),
        ([(OK, NONE), (MISSING, ODD)], HOT_ODD, Kind.ITEM),
        ([(MISSING, ODD), (OK, NONE)], ODD, Kind.ITEM),
        ([(REFUSED, HOT_ODD)], HOT_ODD, Kind.OPEN),
        ([(REFUSED, HOT_ODD)], ODD, None),
        ([(REFUSED, HOT_ODD)], HOT, None),
        ([(REFUSED, ODD)], ODD, Kind.OPEN),
        ([(MISSING, ODD), (OK, ODD)], ODD, None),  # it was missing for a moment
        ([(MISSING, NONE)], NONE, None),
    ],
)
def test_no_more_is_sent_of_what_was_refused(
    seen: list[tuple[Verdict, Choice]], choice: Choice, kind: Kind | None
) -> None:
    refusals = Refusals()
    for verdict, of in seen:
        rule(refusals, verdict, of)
    found = refusals.on(choice)
    assert (found.kind if found else None) is kind


def test_many_refused_models_and_none_that_answers_is_about_the_job() -> None:
    refusals = Refusals()
    kinds = [rule(refusals, MISSING, (("model", str(n)),)) for n in range(SAME_COMPLAINTS + 1)]
    assert kinds == [Kind.OPEN] * SAME_COMPLAINTS + [Kind.FATAL]


def test_as_many_are_remembered_as_matter() -> None:
    refusals = Refusals()
    rule(refusals, OK, NONE)
    choices = [(("model", str(number)),) for number in range(5_000)]
    for choice in choices:
        assert rule(refusals, MISSING, choice) is Kind.ITEM
    assert refusals.on(choices[0]) is not None
    assert refusals.on(choices[-1]) is None


def test_a_model_rests_for_the_day_whatever_still_comes_of_it() -> None:
    refusals = Refusals()
    rule(refusals, OK, SOL)
    rule(refusals, DAY_OVER, SOL)
    rule(refusals, OK, SOL)  # a call that had gone before
    assert refusals.rests("gpt-6-sol")
    assert not refusals.rests(OWN)
    assert not refusals.decided
    assert rule(refusals, MISSING, ODD) is Kind.OPEN
