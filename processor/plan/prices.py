"""What tokens cost, offline. An unknown price is None, never 0."""

from dataclasses import dataclass
from functools import lru_cache

from processor.items import Usage

# Beyond this many prompt tokens some models have a dearer tier, which rates per token do not know.
_LINEAR_PROMPT_TOKENS = 100_000
_PROBE_TOKENS = 1_000
OPENAI = "openai"
SANDBOX = "sandbox"
FLEX = "flex"  # the service tier that costs what a batch costs


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """US dollars per token."""

    prompt: float
    cached: float
    completion: float

    @classmethod
    def per_million(cls, prompt: float, cached: float, completion: float) -> "Rates":
        """From US dollars for a million tokens, as providers list them."""
        return cls(prompt=prompt / 1e6, cached=cached / 1e6, completion=completion / 1e6)

    def cost_usd(self, usage: Usage) -> float:
        """What an answer costs."""
        cached = min(usage.cached_tokens, usage.prompt_tokens)  # some providers count amiss
        return (
            (usage.prompt_tokens - cached) * self.prompt
            + cached * self.cached
            + usage.completion_tokens * self.completion
        )


class Prices:
    """Prices of one provider.

    Args:
        provider: `openai`; `sandbox`, which asks OpenAI's prices and charges nothing; or another
            name, whose prices are found by its address.
        base_url: Address of the API.
        own: What the user says that it costs, whichever model answers; batch is half.
        own_flex: Share of that which an answer at the flex tier costs; not every provider makes it
            cheaper.
    """

    def __init__(
        self, provider: str, base_url: str, *, own: Rates | None = None, own_flex: float = 1.0
    ) -> None:
        self._provider = OPENAI if provider == SANDBOX else provider
        self._base_url = base_url
        self._own = own
        self._own_flex = own_flex
        self._rates = lru_cache(maxsize=64)(self._find_rates)

    def cost_usd(
        self, model: str | None, tier: str | None, lane: str, usage: Usage
    ) -> float | None:
        """What an answer costs in US dollars; None when the price is unknown.

        Args:
            model: As the answer names it.
            tier: Service tier that the answer reports; flex and priority change the price.
            lane: Batch costs half.
            usage: Its tokens.
        """
        if self._own is not None:
            share = 0.5 if lane == "batch" else self._own_flex if tier == FLEX else 1.0
            return self._own.cost_usd(usage) * share
        if model is None:
            return None
        if usage.prompt_tokens > _LINEAR_PROMPT_TOKENS:
            return self._ask(model, tier, lane, usage)
        rates = self._rates(model, tier, lane)
        return None if rates is None else rates.cost_usd(usage)

    def _find_rates(self, model: str, tier: str | None, lane: str) -> Rates | None:
        probes = (
            Usage(prompt_tokens=_PROBE_TOKENS, completion_tokens=0),
            Usage(prompt_tokens=_PROBE_TOKENS, completion_tokens=0, cached_tokens=_PROBE_TOKENS),
            Usage(prompt_tokens=0, completion_tokens=_PROBE_TOKENS),
        )
        costs = [self._ask(model, tier, lane, probe) for probe in probes]
        prompt, cached, completion = (
            None if cost is None else cost / _PROBE_TOKENS for cost in costs
        )
        if prompt is None or cached is None or completion is None:
            return None
        return Rates(prompt=prompt, cached=cached, completion=completion)

    def _ask(self, model: str, tier: str | None, lane: str, usage: Usage) -> float | None:
        from genai_prices import Usage as PricedUsage, calc_price  # noqa: PLC0415 - takes 0.1 s

        context = {"processing": "batch"} if lane == "batch" else {}
        if tier in (FLEX, "priority"):
            context["service_tier"] = tier
        priced = PricedUsage(
            input_tokens=usage.prompt_tokens,
            cache_read_tokens=min(usage.cached_tokens, usage.prompt_tokens),
            output_tokens=usage.completion_tokens,
        )
        try:
            if self._provider == OPENAI:
                price = calc_price(priced, model, provider_id=OPENAI, price_context=context)
            else:
                price = calc_price(
                    priced, model, provider_api_url=self._base_url, price_context=context
                )
        except LookupError:
            return None
        return float(price.total_price)


def dollars(usd: float) -> str:
    """`$2.00`, `$0.0162`, `$0.000031`, `$1,234.50`: as many digits as it takes."""
    if 0 < usd < 0.01:
        return f"${usd:.6f}"
    text = f"${usd:,.4f}"
    return f"${usd:,.2f}" if usd >= 100 or text.endswith("00") else text
