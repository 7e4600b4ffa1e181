"""What a call will cost, before it is made. Pure.

Until enough answers came, a call is taken for the dearest that it can be: a token holds at least
a byte, so a prompt has no more tokens than its request has bytes, and an answer fills its cap.
From then on it is taken for what 99 of 100 answers cost: input by the byte, output by the answer,
so that a long item is expected to cost more than a short one.
"""

from collections import deque
from collections.abc import Callable, Mapping
from math import ceil
from typing import Any, NamedTuple

from msgspec import Struct

from processor.items import Usage

# Of a request without a cap. Only a guess: such an answer may be longer.
OUTPUT_TOKENS_ASSUMED = 1_000
LEARNT_AFTER = 50

_CAPS = frozenset({"max_completion_tokens", "max_output_tokens", "max_tokens"})
_BOUNDING = _CAPS | {"n", "service_tier"}
_REMEMBERED = 1_000
_THOUSAND = Usage(prompt_tokens=1_000, completion_tokens=1_000)
_SHARE = 0.99

PriceOf = Callable[[str | None, Usage], float | None]
"""(service tier, tokens) to US dollars, for the model that is asked; None when unknown."""


class Size(Struct, frozen=True, kw_only=True, gc=False):
    """What bounds the cost of a request.

    Attributes:
        input_bytes: Of the whole request.
        output_tokens: The most that its answer may have, or what is assumed without a cap.
        tier: Service tier that it asks for.
    """

    input_bytes: int
    output_tokens: int = OUTPUT_TOKENS_ASSUMED
    tier: str | None = None


def size_of(body: Mapping[str, Any], input_bytes: int) -> Size:
    """The size of a request, from its body and the length of that as JSON."""
    if _BOUNDING.isdisjoint(body):
        return Size(input_bytes=input_bytes)
    cap = output_cap(body)
    tier = body.get("service_tier")
    return Size(
        input_bytes=input_bytes,
        output_tokens=(OUTPUT_TOKENS_ASSUMED if cap is None else cap) * choices_of(body),
        tier=tier if isinstance(tier, str) else None,
    )


def output_cap(body: Mapping[str, Any]) -> int | None:
    """The most tokens that an answer to a request may have; None without a cap."""
    if _CAPS.isdisjoint(body):
        return None
    return min((body[name] for name in _CAPS if _is_count(body.get(name))), default=None)


def choices_of(body: Mapping[str, Any]) -> int:
    """How many answers a request asks for."""
    return body["n"] if _is_count(body.get("n")) else 1


class Learnt(NamedTuple):
    """What 99 of 100 answers do not exceed, in US dollars.

    Attributes:
        input_usd: For a byte of the request, at the standard tier.
        output_usd: For an answer, at the same.
        list_usd: The list price at which that was so, of a thousand tokens in and out.
    """

    input_usd: float
    output_usd: float
    list_usd: float


class Estimator:
    """Learns from answers what calls cost.

    Args:
        price: List prices of the model that is asked.
        learnt: By an earlier start; forgotten when prices are others now.
    """

    def __init__(self, price: PriceOf, learnt: Learnt | None = None) -> None:
        self._price = price
        self._input = _Percentile()
        self._output = _Percentile()
        self._sum_usd = 0.0
        self._shares: dict[str | None, float] = {None: 1.0}
        self._list_usd = price(None, _THOUSAND)
        same = learnt is not None and learnt.list_usd == self._list_usd
        self._before = learnt if same else None

    @property
    def learnt(self) -> Learnt | None:
        """For the next start; None until enough answers came."""
        if self._output.count < LEARNT_AFTER or self._list_usd is None:
            return self._before
        return Learnt(self._input.value, self._output.value, self._list_usd)

    @property
    def average_usd(self) -> float | None:
        """Of an answer; None before the first."""
        return self._sum_usd / self._output.count if self._output.count else None

    def call_usd(self, size: Size) -> float:
        """What a request of this size will hardly cost more than."""
        if self._output.count >= LEARNT_AFTER:
            input_usd, output_usd = self._input.value, self._output.value
        elif self._before is not None:
            input_usd, output_usd = self._before.input_usd, self._before.output_usd
        else:
            return self.most_usd(size)
        return (size.input_bytes * input_usd + output_usd) * self._share(size.tier)

    def most_usd(self, size: Size) -> float:
        """The bound that needs no experience."""
        usage = Usage(prompt_tokens=size.input_bytes, completion_tokens=size.output_tokens)
        usd = self._price(size.tier, usage)
        if usd is None:  # the tier has no price of its own
            usd = self._price(None, usage)
        assert usd is not None, "a budget needs a price, which is seen to before anything is sent"
        return usd

    def learn(self, size: Size, *, input_usd: float, output_usd: float) -> None:
        """Take note of what an answer cost.

        What a call at a cheaper tier cost tells what the same costs at the standard one: calls that
        find no room there go on at this. An answer that the provider served at a dearer tier than
        it was asked for makes all estimates dearer.
        """
        share = self._share(size.tier)
        self._input.add(input_usd / share / max(1, size.input_bytes))
        self._output.add(output_usd / share)
        self._sum_usd += input_usd + output_usd

    def _share(self, tier: str | None) -> float:
        """What a tier costs of the standard one, as it is listed; 1 where that is not known."""
        found = self._shares.get(tier)
        if found is None:
            usd, list_usd = self._price(tier, _THOUSAND), self._list_usd
            found = self._shares[tier] = usd / list_usd if usd and list_usd else 1.0
        return found


class Estimators(dict[str, Estimator]):
    """Model to what its calls cost; each begins when it is first asked for.

    Args:
        begin: Makes the one of a model.
    """

    _KEPT = 1_000  # rows may name any number of models; what is dropped is learnt anew

    def __init__(self, begin: Callable[[str], Estimator]) -> None:
        super().__init__()
        self._begin = begin

    def __missing__(self, model: str) -> Estimator:
        if len(self) >= self._KEPT:
            del self[next(iter(self))]
        estimator = self[model] = self._begin(model)
        return estimator


class _Percentile:
    """What 99 of 100 of the latest values do not exceed."""

    __slots__ = ("_latest", "count", "value")

    def __init__(self) -> None:
        self._latest: deque[float] = deque(maxlen=_REMEMBERED)
        self.count = 0
        self.value = 0.0

    def add(self, value: float) -> None:
        """Count a value; `value` follows every 50 of them."""
        self._latest.append(value)
        self.count += 1
        if self.count % LEARNT_AFTER == 0:
            ranked = sorted(self._latest)
            self.value = ranked[ceil(_SHARE * len(ranked)) - 1]


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0
