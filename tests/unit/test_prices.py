import pytest

from processor.items import Usage
from processor.plan.prices import Prices, Rates

MILLION = 1_000_000
OPENAI = Prices("openai", "https://api.openai.com/v1")

# US dollars for a million tokens: input, cached input, output.
RATES = {
    "gpt-4o-mini": (0.15, 0.075, 0.60),
    "gpt-4.1-mini": (0.40, 0.10, 1.60),
    "gpt-5-mini": (0.25, 0.025, 2.00),
    "gpt-5-nano": (0.05, 0.005, 0.40),
    "gpt-5.4-mini": (0.75, 0.075, 4.50),
    "gpt-5.6-luna": (0.20, 0.02, 1.20),
    "gpt-6-luna": (0.10, 0.01, 0.50),
    "gpt-6-sol": (2.00, 0.20, 10.00),
    "gpt-6.1-terra": (1.00, 0.05, 5.00),
}
REASONING = [model for model in RATES if not model.startswith("gpt-4")]


def cost(
    model: str | None,
    usage: Usage,
    *,
    tier: str | None = None,
    lane: str = "direct",
    prices: Prices = OPENAI,
) -> float | None:
    return prices.cost_usd(model, tier, lane, usage)


def tokens(prompt: int, completion: int = 0, cached: int = 0) -> Usage:
    return Usage(prompt_tokens=prompt, completion_tokens=completion, cached_tokens=cached)


@pytest.mark.parametrize("model", RATES)
def test_a_model_costs_what_its_provider_says(model: str) -> None:
    fresh, cached, output = (rate / MILLION for rate in RATES[model])
    assert cost(model, tokens(1_000)) == pytest.approx(1_000 * fresh)
    assert cost(model, tokens(1_000, cached=400)) == pytest.approx(600 * fresh + 400 * cached)
    assert cost(model, tokens(0, 1_000)) == pytest.approx(1_000 * output)


@pytest.mark.parametrize("model", RATES)
def test_batch_is_half(model: str) -> None:
    usage = tokens(3_000, 500)
    direct = cost(model, usage)
    assert direct is not None
    assert cost(model, usage, lane="batch") == pytest.approx(direct / 2)


@pytest.mark.parametrize("model", REASONING)
@pytest.mark.parametrize("how", [{"lane": "batch"}, {"tier": "flex"}])
def test_newer_models_halve_cached_input_too(model: str, how: dict[str, str]) -> None:
    usage = tokens(3_000, 500, cached=2_000)
    direct = cost(model, usage)
    assert direct is not None
    assert cost(model, usage, **how) == pytest.approx(direct / 2)  # type: ignore[arg-type]  # mypy cannot tell the keys


def test_the_tier_of_the_answer_sets_the_price() -> None:
    usage = tokens(1_000, 100)
    default = cost("gpt-6-luna", usage, tier="default")
    priority = cost("gpt-6-luna", usage, tier="priority")
    assert default == cost("gpt-6-luna", usage)
    assert default is not None
    assert priority is not None
    assert priority > default


def test_the_users_own_example() -> None:
    """300 articles of 700 tokens in and 5 out: $0.0162 by batch, $0.0324 direct."""
    article = tokens(700, 5)
    direct = cost("gpt-4o-mini", article)
    batch = cost("gpt-4o-mini", article, lane="batch")
    assert direct is not None
    assert batch is not None
    assert (round(300 * direct, 4), round(300 * batch, 4)) == (0.0324, 0.0162)


@pytest.mark.parametrize("model", [None, "", "no-such-model"])
@pytest.mark.parametrize("usage", [tokens(10, 10), tokens(500_000, 10), tokens(0)])
def test_an_unknown_model_has_no_price(model: str | None, usage: Usage) -> None:
    assert cost(model, usage) is None


def test_an_unknown_provider_has_no_price() -> None:
    elsewhere = Prices("ours", "https://llm.example.org/v1")
    assert cost("gpt-6-luna", tokens(10, 10), prices=elsewhere) is None


@pytest.mark.parametrize(
    ("tier", "lane", "own_flex", "share"),
    [
        (None, "direct", 0.5, 1.0),
        ("default", "direct", 0.5, 1.0),
        ("flex", "direct", 0.5, 0.5),
        ("flex", "direct", 1.0, 1.0),  # a provider who sells it for the same
        ("flex", "batch", 0.5, 0.5),
    ],
)
def test_flex_at_a_price_of_ones_own(
    tier: str | None, lane: str, own_flex: float, share: float
) -> None:
    own = Rates.per_million(1.0, 1.0, 1.0)
    prices = Prices("openai", "https://api.openai.com/v1", own=own, own_flex=own_flex)
    assert prices.cost_usd("any", tier, lane, tokens(MILLION)) == share


def test_the_sandbox_asks_list_prices() -> None:
    sandbox = Prices("sandbox", "http://127.0.0.1:8000/v1")
    usage = tokens(1_000, 100)
    assert cost("gpt-6-luna", usage, prices=sandbox) == cost("gpt-6-luna", usage)


@pytest.mark.parametrize("prompt", [1_000, 500_000])
def test_more_cached_than_sent_is_taken_for_all(prompt: int) -> None:
    assert cost("gpt-6-luna", tokens(prompt, cached=2 * prompt)) == pytest.approx(
        cost("gpt-6-luna", tokens(prompt, cached=prompt))
    )


def test_no_tokens_cost_nothing() -> None:
    assert cost("gpt-6-luna", tokens(0)) == 0.0


def test_dated_models_cost_what_their_family_does() -> None:
    assert cost("gpt-4o-mini-2024-07-18", tokens(1_000)) == cost("gpt-4o-mini", tokens(1_000))


def test_a_long_prompt_may_cost_more_each_token() -> None:
    short, long = cost("gpt-6-luna", tokens(50_000)), cost("gpt-6-luna", tokens(MILLION))
    assert short is not None
    assert long is not None
    assert long > 20 * short
