"""Rows of several models in one run: each model has limits, a window and holds of its own."""

import asyncio
from itertools import cycle, islice
from typing import Any

import pytest
from lane_bench import BY_ROW, Bench, bench, let_pass, naming

from processor.direct.rules import LaneRules

LUNA = "gpt-6-luna"
SOL = "gpt-6-sol"
OWN = ""
MINUTE_S = 60
SETTLED_S = 10


async def calls_per_s(it: Bench, until_s: int) -> dict[str, float]:
    """Of each model, as the server let them through once limits were known."""
    told: Any = (await it.api.admin("/limits")).body
    return {
        model: sum(one["admitted"] for one in timeline if SETTLED_S <= one["second"] < until_s)
        / (until_s - SETTLED_S)
        for model, timeline in told["models"].items()
    }


async def run_until(it: Bench, until_s: int) -> dict[str, float]:
    work = asyncio.ensure_future(it.lane.run())
    await let_pass(it.clock, work, until_s=until_s)
    assert not work.done()
    found = await calls_per_s(it, until_s)
    it.lane.abort()
    await work
    return found


@pytest.mark.parametrize(
    "order",
    [[OWN, SOL], [OWN, OWN, OWN, SOL], [OWN] * 200 + [SOL] * 200],
    ids=["1:1", "3:1", "200"],
)
def test_the_limits_of_all_models_are_used(order: list[str]) -> None:
    async def main() -> None:
        models = list(islice(cycle(order), 2_400))
        async with bench(
            naming(*models, chunk_size=100), text=BY_ROW, rpm=600, latency_ms=300
        ) as it:
            found = await run_until(it, 40)
            stats = await it.api.stats()
            assert set(found) == {LUNA, SOL}
            assert min(found.values()) >= 0.97 * 600 / MINUTE_S
            assert stats["by_status"].get("429", 0) == 0

    asyncio.run(main())


def test_a_model_that_asks_to_wait_holds_no_other() -> None:
    async def main() -> None:
        models = [OWN, SOL] * 50
        dead = "x-ratelimit-limit-requests=9,x-ratelimit-remaining-requests=0"
        fault = f"rate_limit:retry-after=100,match={SOL},count=1,{dead}"
        async with bench(
            naming(*models), text=BY_ROW, rules=LaneRules(concurrency=4), latency_ms=100
        ) as it:
            await it.fault(fault + ",x-ratelimit-reset-requests=100s")
            work = asyncio.ensure_future(it.lane.run())
            await let_pass(it.clock, work, until_s=50)
            assert {seq for seq in it.outcomes if models[seq - 1] == OWN} == set(range(1, 100, 2))
            (told,) = it.notices
            assert told.facts == {"code": "rate_limited", "wait_s": 100.0, "model": SOL}
            await let_pass(it.clock, work)
            assert len(it.outcomes) == 100
            assert set(it.codes.values()) == {""}
            assert it.clock.monotonic() < 130

    asyncio.run(main())


def test_what_the_user_allows_is_for_all_models_together() -> None:
    async def main() -> None:
        models = [OWN, SOL] * 600
        rules = LaneRules(rpm=600, concurrency=5)
        async with bench(naming(*models), text=BY_ROW, rules=rules, latency_ms=100) as it:
            found = await run_until(it, 40)
            assert 0.97 * 10 <= sum(found.values()) <= 10
            assert min(found.values()) > 3
            assert (await it.api.stats())["max_concurrent"] <= 5

    asyncio.run(main())


def test_tokens_that_the_user_allows_are_for_all_models_together() -> None:
    async def main() -> None:
        models = [OWN, SOL] * 900
        async with bench(
            naming(*models), text=BY_ROW, rules=LaneRules(tpm=18_000), latency_ms=100
        ) as it:
            found = await run_until(it, 40)
            guess = len('{"model":"gpt-6-sol","messages":[{"role":"user","content":"Say w  ."}]}')
            assert 0.8 <= sum(found.values()) * guess / 4 / 300 <= 1

    asyncio.run(main())


@pytest.mark.parametrize("wait_s", [0.0, 5.0])
def test_every_item_of_many_models_is_answered_once(wait_s: float) -> None:
    async def main() -> None:
        names = [OWN, SOL, "gpt-5.4", "gpt-5.4-mini", "gpt-4.1", "gpt-4.1-mini"]
        models = list(islice(cycle(names), 300))
        faults = ["server_error:rate=0.1", "rate_limit:rate=0.1", "reset:rate=0.05"]
        rules = LaneRules(concurrency=12, wait_s=wait_s)
        async with bench(
            naming(*models), text=BY_ROW, rules=rules, faults=faults, rpm=300, latency_ms=200
        ) as it:
            await it.run()
            assert sorted(it.outcomes) == list(range(1, 301))
            assert set(it.codes.values()) == {""}
            assert (await it.api.stats())["max_concurrent"] <= 12

    asyncio.run(main())


@pytest.mark.parametrize(
    ("models", "left"),
    [
        ([OWN, SOL] * 30 + [OWN] * 70, {OWN: 50, SOL: 0}),
        ([SOL] * 60 + [OWN] * 20, {OWN: 0, SOL: 10}),
        ([OWN] * 1_500, {OWN: 1_450}),
    ],
    ids=["own", "named", "no other"],
)
def test_a_limit_of_a_day_rests_one_model_and_the_others_go_on(
    models: list[str], left: dict[str, int]
) -> None:
    async def main() -> None:
        rules = LaneRules(concurrency=4)
        async with bench(naming(*models), text=BY_ROW, rules=rules, rpd=50) as it:
            await it.run()
            assert it.lane.stopped is not None
            assert it.lane.stopped.code == "daily_limit"
            assert set(it.codes.values()) == {""}
            pending = [model for seq, model in enumerate(models, 1) if seq not in it.outcomes]
            assert {model: pending.count(model) for model in left} == left
            assert (await it.api.stats())["by_status"]["429"] <= 4
            assert len(it.written) == it.begun

    asyncio.run(main())


@pytest.mark.parametrize(
    "models",
    [[OWN, SOL] * 30, [SOL, OWN] * 30, [SOL] * 40, [OWN] * 10 + ["gpt-99-nova"] + [SOL]],
)
def test_a_model_that_asks_for_days_rests_and_the_others_go_on(models: list[str]) -> None:
    async def main() -> None:
        faults = [f"rate_limit:retry-after=864000,match={SOL}"]
        rules = LaneRules(concurrency=4)
        async with bench(naming(*models), text=BY_ROW, rules=rules, faults=faults) as it:
            await it.run()
            assert it.lane.stopped is not None
            assert it.lane.stopped.code == "blocked"
            assert set(it.codes.values()) <= {"", "model_not_found"}
            assert {models[seq - 1] for seq in it.outcomes} == set(models) - {SOL}
            assert len(it.outcomes) == len(models) - models.count(SOL)
            assert it.clock.monotonic() < 60
            assert len(it.written) == it.begun

    asyncio.run(main())


def test_rows_may_name_more_models_than_are_remembered() -> None:
    async def main() -> None:
        models = [
            f"gpt-6-luna-20{day // 100:02}-{day % 100 // 10:02}-1{day % 10}" for day in range(250)
        ]
        rules = LaneRules(concurrency=200)
        async with bench(naming(*models * 2), text=BY_ROW, rules=rules, latency_ms=500) as it:
            await it.run()
            assert sorted(it.outcomes) == list(range(1, 501))
            assert set(it.codes.values()) == {""}
            assert (await it.api.stats())["max_concurrent"] > 100

    asyncio.run(main())
