"""What items are in tokens and money: rendered by a real task, counted, priced from the list."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from processor.items import Failure, Item
from processor.ledger.pending import Pending
from processor.plan.answers import Usual
from processor.plan.prices import Prices, Rates
from processor.sizing import BY_LENGTH, NOTHING, Load, Scales
from processor.tasks.prompt import PromptTask
from processor.tasks.toml import made_task

LISTED = Prices("openai", "https://api.openai.com/v1")


def task(*, n: int = 1, **keys: Any) -> PromptTask:
    made = {
        "name": "say",
        "model": "gpt-4o-mini",
        "id": "row",
        "prompt": "Say {{ word }}",
        "output": {"kind": "text"},
        "parameters": {} if n == 1 else {"n": n},
    }
    return made_task({**made, **keys}, model=None, max_output_tokens=None)


def items(*words: Any) -> Iterator[Pending]:
    for seq, word in enumerate(words, 1):
        fields: Mapping[str, Any] = {} if word is None else {"word": word}
        yield Pending(item=Item(seq=seq, chunk=1, id=seq, fields=fields))


def scales(made: PromptTask, usual: Usual | None = None, *, counts: bool = True) -> Scales:
    return Scales(made, LISTED, usual, counts=counts)


def test_tokens_are_counted_and_priced() -> None:
    load = scales(task()).total(items("hello", "hello"))
    assert (load.items, load.input_tokens, load.output_tokens) == (2, 2 * (2 + 7), 2 * 200)
    assert load.direct_usd == pytest.approx((18 * 0.15 + 400 * 0.60) / 1e6)
    assert load.batch_usd == pytest.approx((18 * 0.15 + 400 * 0.60) / 2e6)
    assert load.least_usd == pytest.approx(18 * 0.15 / 1e6)  # how long answers are is assumed
    assert load.flex_usd is None


def test_what_a_budget_holds_is_told_by_bytes_and_caps() -> None:
    load = scales(task()).total(items("hello"))
    assert load.most_usd is not None
    assert load.direct_usd is not None
    assert load.most_usd > (1_000 * 0.60) / 1e6 > load.direct_usd


def test_without_counting_it_is_told_from_the_length() -> None:
    way = scales(task(), counts=False)
    load = way.total(items("hello"))
    body = b'{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Say hello"}]}'
    assert load.input_tokens == len(body) // 4
    assert way.basis.input_by == [BY_LENGTH]


def test_what_answers_were_goes_before_what_is_assumed() -> None:
    way = scales(task(), Usual(tokens=41.6, answers=9))
    load = way.total(items("hello"))
    assert load.output_tokens == 42
    assert load.least_usd == load.direct_usd
    assert [each.words for each in way.basis.output_by] == ["measured over 9 answers"]


def test_several_answers_at_once() -> None:
    assert scales(task(n=3)).total(items("hello")).output_tokens == 3 * 200
    measured = scales(task(n=3), Usual(tokens=90.0, answers=9))
    assert measured.total(items("hello")).output_tokens == 90


def test_an_item_that_cannot_be_rendered_is_told_in_its_place() -> None:
    way = scales(task(prompt="Say {{ word.deep }}"))
    found = list(way.weigh(items({"deep": "a"}, {}, {"deep": "b"})))
    assert [work.item.seq for work, _ in found] == [1, 2, 3]
    assert isinstance(found[1][1], Failure)
    assert isinstance(found[0][1], Load)
    assert way.total(items({})) == NOTHING


def test_many_are_weighed_as_each_alone() -> None:
    words = [f"word {n}" * (n % 7) for n in range(1_200)]
    together = scales(task()).total(items(*words))
    alone = sum((scales(task()).total(items(word)) for word in words[:50]), NOTHING)
    first = scales(task()).total(items(*words[:50]))
    assert together.items == 1_200
    assert first.input_tokens == alone.input_tokens
    assert first.direct_usd == pytest.approx(alone.direct_usd)


def test_each_model_by_its_tokenizer() -> None:
    made = task(overrides={"model": "word"})
    way = scales(made)
    loads = {work.model: load for work, load in way.weigh(items("gpt-4", "mine", ""))}
    assert way.basis.input_by == ["cl100k_base", BY_LENGTH, "o200k_base"]
    unpriced = loads["mine"]
    assert isinstance(unpriced, Load)
    assert (unpriced.direct_usd, unpriced.batch_usd, unpriced.most_usd) == (None, None, None)


def test_prices_of_ones_own() -> None:
    own = Prices("mine", "http://127.0.0.1/v1", own=Rates.per_million(1.0, 1.0, 2.0))
    load = Scales(task(model="mine"), own, None, counts=True).total(items("hello"))
    assert load.direct_usd == pytest.approx((load.input_tokens + 2 * 200) / 1e6)
    assert load.flex_usd is None


def test_a_few_of_them_tell_of_all() -> None:
    few = scales(task()).total(items("hello", "hello"))
    all_ = few.of(1_000)
    assert (all_.items, all_.input_tokens) == (1_000, 9_000)
    assert all_.direct_usd == pytest.approx((few.direct_usd or 0) * 500)
    assert NOTHING.of(5).direct_usd is None
    assert NOTHING.of(5).most_usd is None
