"""What labels cost, to the cent that users know, and how long they take."""

import pytest
from hypothesis import given, strategies as st

from processor.items import Usage
from processor.labelling import cost
from processor.labelling.cost import Cost, Hours, cost_of, expected, hours
from processor.plan.prices import Prices, Rates

OPENAI = Prices("openai", "https://api.openai.com/v1")


def test_the_users_example_comes_out() -> None:
    """300 articles, 500 tokens of text and 200 of instructions, 5 of an answer."""
    found = expected(300, 500 + 200, "gpt-4o-mini", OPENAI)
    assert (found.input_tokens, found.output_tokens) == (210_000, 1_500)
    assert found.batch_usd == pytest.approx(0.0162)
    assert found.direct_usd == pytest.approx(0.0324)


def test_a_price_that_nobody_knows_is_none() -> None:
    found = expected(3, 100, "nobody-knows", OPENAI)
    assert found == Cost(input_tokens=300, output_tokens=15, batch_usd=None, direct_usd=None)


@given(prompt=st.integers(0, 10**9), share=st.floats(0, 1), completion=st.integers(0, 10**9))
def test_batch_is_half_whatever_is_asked(prompt: int, share: float, completion: int) -> None:
    usage = Usage(
        prompt_tokens=prompt, completion_tokens=completion, cached_tokens=int(prompt * share)
    )
    prices = Prices("own", "http://own.example", own=Rates.per_million(1, 0.1, 5))
    found = cost_of(usage, "own", prices)
    assert found.batch_usd is not None
    assert found.direct_usd == pytest.approx(2 * found.batch_usd)
    assert found.direct_usd == pytest.approx(Rates.per_million(1, 0.1, 5).cost_usd(usage))


@pytest.mark.parametrize(
    ("rows", "wanted"),
    [
        (1, Hours(1, 3)),
        (100, Hours(1, 3)),
        (101, Hours(2, 6)),
        (300, Hours(2, 6)),
        (1_000, Hours(4, 12)),
        (10_000, Hours(8, 24)),
        (10_001, Hours(8, 24, is_open=True)),
    ],
)
def test_times_are_those_that_users_know(rows: int, wanted: Hours) -> None:
    assert hours(rows) == wanted


def test_an_answer_is_a_digit() -> None:
    assert cost.ANSWER_TOKENS == 5
