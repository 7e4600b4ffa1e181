"""What labels cost and how long they take, before they are asked for. Pure.

The price is that of the Batch API, beside the normal one that a direct call has.
"""

from dataclasses import dataclass

from processor.items import Usage
from processor.plan.prices import Prices

ANSWER_TOKENS = 5
"""Of an answer that is a single digit."""

# Rows up to which a job took so many hours, as those who did it have seen.
_HOURS = ((100, 1, 3), (300, 2, 6), (1_000, 4, 12), (10_000, 8, 24))


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Tokens, and US dollars where the price is known.

    Attributes:
        batch_usd: By the Batch API; None when unknown.
        direct_usd: The same by direct calls.
    """

    input_tokens: int
    output_tokens: int
    batch_usd: float | None
    direct_usd: float | None


@dataclass(frozen=True, slots=True)
class Hours:
    """How long a job may take.

    Attributes:
        is_open: It may take longer: nobody has seen so large a one.
    """

    least: int
    most: int
    is_open: bool = False


def cost_of(usage: Usage, model: str, prices: Prices) -> Cost:
    """What tokens cost.

    Args:
        usage: All of them.
        model: That answers.
        prices: Of its provider.
    """
    # A request at a time is priced: a sum may stand in a dearer tier of long prompts.
    one = Usage(prompt_tokens=1_000, completion_tokens=0)
    other = Usage(prompt_tokens=0, completion_tokens=1_000)
    cached = Usage(prompt_tokens=1_000, completion_tokens=0, cached_tokens=1_000)
    whole = (
        (one, usage.prompt_tokens - usage.cached_tokens),
        (cached, usage.cached_tokens),
        (other, usage.completion_tokens),
    )

    def usd(lane: str) -> float | None:
        total = 0.0
        for thousand, tokens in whole:
            price = prices.cost_usd(model, None, lane, thousand)
            if price is None:
                return None
            total += price * tokens / 1_000
        return total

    return Cost(
        input_tokens=usage.prompt_tokens,
        output_tokens=usage.completion_tokens,
        batch_usd=usd("batch"),
        direct_usd=usd("direct"),
    )


def expected(rows: int, row_tokens: float, model: str, prices: Prices) -> Cost:
    """What labels of so many rows will cost.

    Args:
        rows: How many.
        row_tokens: Of a request, on the average: its text and its instructions.
        model: That answers.
        prices: Of its provider.
    """
    usage = Usage(prompt_tokens=round(rows * row_tokens), completion_tokens=rows * ANSWER_TOKENS)
    return cost_of(usage, model, prices)


def hours(rows: int) -> Hours:
    """How long a job of so many rows takes, as experience has it."""
    for most_rows, least, most in _HOURS:
        if rows <= most_rows:
            return Hours(least, most)
    return Hours(_HOURS[-1][1], _HOURS[-1][2], is_open=True)
