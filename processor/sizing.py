"""What items are in tokens and money before they are sent: rendered, counted and priced."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from math import ceil

import orjson

from processor.direct.backlog import Work
from processor.direct.request import BYTES_PER_TOKEN, fill_in
from processor.items import Failure, Request, Usage
from processor.ledger.pending import Pending
from processor.plan.answers import NOTHING as WITHOUT_OUTPUT, Expected, Usual, expected
from processor.plan.estimate import choices_of, output_cap
from processor.plan.prices import FLEX, Prices
from processor.plan.route import Lane
from processor.plan.tokens import count, encoding_of, holds_more
from processor.tasks.task import Task
from processor.watch.snapshot import Snapshot

BY_LENGTH = "length"
_SLICE_ITEMS = 500  # counted in one call, which takes 25 µs by itself
_SURE = frozenset({"measured", WITHOUT_OUTPUT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What would be sent, about.

    Attributes:
        items: Requests, retries and re-asks not counted.
        input_tokens: Counted, or a guess from their length.
        output_tokens: What answers have had so far; before any, what is assumed.
        direct_usd: At list price; None when it is not known.
        flex_usd: The same at the flex tier; None where that has no price of its own, too.
        batch_usd: By batch.
        least_usd: Directly, without what is only assumed: how long answers are before there are
            any.
        most_usd: What a budget holds for it directly, before there are any.
    """

    items: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    direct_usd: float | None = 0.0
    flex_usd: float | None = 0.0
    batch_usd: float | None = 0.0
    least_usd: float | None = 0.0
    most_usd: float | None = 0.0

    def __add__(self, other: "Load") -> "Load":
        return Load(
            items=self.items + other.items,
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            direct_usd=_sum(self.direct_usd, other.direct_usd),
            flex_usd=_sum(self.flex_usd, other.flex_usd),
            batch_usd=_sum(self.batch_usd, other.batch_usd),
            least_usd=_sum(self.least_usd, other.least_usd),
            most_usd=_sum(self.most_usd, other.most_usd),
        )

    def cost_usd(self, lane: Lane) -> float | None:
        """By this lane; None when it is not known. Flex without a price costs as directly."""
        if lane is Lane.FLEX and self.flex_usd is not None:
            return self.flex_usd
        return self.batch_usd if lane is Lane.BATCH else self.direct_usd

    def of(self, items: int) -> "Load":
        """What so many items like these are."""
        if not self.items:
            return replace(_UNPRICED, items=items)
        times = items / self.items
        return Load(
            items=items,
            input_tokens=ceil(self.input_tokens * times),
            output_tokens=ceil(self.output_tokens * times),
            direct_usd=_times(self.direct_usd, times),
            flex_usd=_times(self.flex_usd, times),
            batch_usd=_times(self.batch_usd, times),
            least_usd=_times(self.least_usd, times),
            most_usd=_times(self.most_usd, times),
        )


NOTHING = Load()
_UNPRICED = Load(direct_usd=None, flex_usd=None, batch_usd=None, least_usd=None, most_usd=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """What loads were told from.

    Attributes:
        input_by: Encodings of tokenizers; `length` where a model's is not known.
        output_by: How it is known how long answers will be; several where requests differ.
        pictured: Requests with pictures, sound or files, whose tokens are not in.
    """

    input_by: Sequence[str] = ()
    output_by: Sequence[Expected] = ()
    pictured: int = 0


class Scales:
    """Weighs items.

    Args:
        task: Renders them.
        prices: Of the provider.
        usual: Of answers so far; None before any.
        counts: Whether tokens are counted where a model's tokenizer is known; otherwise they are
            told from the length of requests, which is done in a moment.
        tier: Service tier at which they would go; None for the standard one.
    """

    def __init__(
        self,
        task: Task,
        prices: Prices,
        usual: Usual | None,
        *,
        counts: bool = False,
        tier: str | None = None,
    ) -> None:
        self._task = task
        self._tier = tier
        self._prices = prices
        self._usual = usual
        self._encoding_of = lru_cache(maxsize=1_000)(encoding_of) if counts else _no_encoding
        self._expected = lru_cache(maxsize=1_000)(
            lambda cap: expected(task.kind, cap, usual)  # caps are few
        )
        self._input_by: set[str] = set()
        self._output_by: set[Expected] = set()
        self._pictured = 0

    @property
    def basis(self) -> Basis:
        """Of all that was weighed so far."""
        return Basis(
            input_by=sorted(self._input_by),
            output_by=sorted(self._output_by, key=lambda each: -each.tokens),
            pictured=self._pictured,
        )

    def total(self, several: Iterable[Pending]) -> Load:
        """Of those that can be sent."""
        found = (load for _, load in self.weigh(several))
        return sum((load for load in found if isinstance(load, Load)), NOTHING)

    def weigh(self, several: Iterable[Pending]) -> Iterator[tuple[Work, Load | Failure]]:
        """Each item as it would be sent, and what it is; or why it cannot be sent."""
        rest = iter(several)
        while part := list(islice(rest, _SLICE_ITEMS)):
            works = [
                Work(item=each.item, attempts=each.attempts, invalid=each.invalid) for each in part
            ]
            failures = [fill_in(work, self._task, self._tier) for work in works]
            loads = iter(self._loads([work for work in works if work.body is not None]))
            for work, failure in zip(works, failures, strict=True):
                yield work, next(loads) if failure is None else failure

    def _loads(self, works: Sequence[Work]) -> Iterator[Load]:
        requests = [_request_of(work) for work in works]
        for work, request, tokens in zip(
            works, requests, self._input_tokens(works, requests), strict=True
        ):
            answers = self._expected(output_cap(request.body))
            self._output_by.add(answers)
            self._pictured += holds_more(request.body)
            yield self._priced(work, answers, tokens, choices_of(request.body))

    def _input_tokens(self, works: Sequence[Work], requests: Sequence[Request]) -> list[int]:
        """Of each request; those for the same tokenizer are counted together."""
        alike: dict[str | None, list[int]] = {}
        for place, work in enumerate(works):
            alike.setdefault(self._encoding_of(work.model), []).append(place)
        found = [len(work.body or b"") // BYTES_PER_TOKEN for work in works]
        for encoding, places in alike.items():
            self._input_by.add(encoding or BY_LENGTH)
            if encoding is not None:
                counts = count([requests[place] for place in places], encoding)
                for place, tokens in zip(places, counts, strict=True):
                    found[place] = tokens
        return found

    def _priced(self, work: Work, answers: Expected, input_tokens: int, choices: int) -> Load:
        several = 1 if answers.basis in _SURE else choices  # what was measured is of all of them
        usage = Usage(prompt_tokens=input_tokens, completion_tokens=answers.tokens * several)
        size = work.size
        assert size is not None
        asked = None if work.tier is not None else size.tier
        sure = (
            usage
            if answers.basis in _SURE
            else Usage(prompt_tokens=input_tokens, completion_tokens=0)
        )
        most = Usage(prompt_tokens=size.input_bytes, completion_tokens=size.output_tokens)
        ask = self._prices.cost_usd
        direct_usd = ask(work.model, asked, Lane.DIRECT, usage)
        flex_usd = ask(work.model, asked or FLEX, Lane.DIRECT, usage)
        has_flex = flex_usd != ask(work.model, None, Lane.DIRECT, usage)
        return Load(
            items=1,
            input_tokens=input_tokens,
            output_tokens=usage.completion_tokens,
            direct_usd=direct_usd,
            flex_usd=flex_usd if has_flex else None,
            batch_usd=ask(work.model, asked, Lane.BATCH, usage),
            least_usd=ask(work.model, asked, Lane.DIRECT, sure),
            most_usd=ask(work.model, asked, Lane.DIRECT, most),
        )


def usual_of(shot: Snapshot) -> Usual | None:
    """Of the answers that a run has; None without any."""
    if not shot.succeeded or not shot.overall.completion_tokens:
        return None
    return Usual(shot.overall.completion_tokens / shot.finished, shot.finished)


def _no_encoding(_model: str) -> None:
    return None


def _request_of(work: Work) -> Request:
    assert work.body is not None
    return Request(endpoint=work.endpoint, body=orjson.loads(work.body))


def _times(usd: float | None, times: float) -> float | None:
    return None if usd is None else usd * times


def _sum(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one + other
