"""Rows that name a model or a parameter that the provider refuses."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
from lane_bench import BY_ROW, Bench, bench, naming

from processor.direct.rules import LaneRules

ODD = "gpt-99-nova"
SOL = "gpt-6-sol"
OWN = ""


async def ran(it: Bench) -> dict[str, Any]:
    """What the sandbox has seen when the lane has ended."""
    await it.run()
    seen: dict[str, Any] = await it.api.stats()
    return seen


def by_model(it: Bench, models: Sequence[str]) -> dict[str, Counter[str]]:
    """Model to how often each failure code came of it; empty text for a success."""
    found: dict[str, Counter[str]] = {model: Counter() for model in models}
    for seq, code in it.codes.items():
        found[models[seq - 1]][code] += 1
    return found


@pytest.mark.parametrize(
    "models",
    [
        [OWN, ODD] * 30,
        [ODD, SOL] * 30,
        [ODD] * 40 + [OWN] * 20,
        [OWN] * 40 + [ODD] * 20,
        [ODD] * 59 + [SOL],
    ],
)
def test_rows_of_a_model_that_is_not_there_fail_and_the_others_go_on(models: list[str]) -> None:
    async def main() -> None:
        rules = LaneRules(concurrency=6)
        async with bench(naming(*models), text=BY_ROW, rules=rules) as it:
            stats = await ran(it)
            assert it.lane.stopped is None
            assert by_model(it, models) == {
                model: Counter({"model_not_found" if model == ODD else "": models.count(model)})
                for model in models
            }
            asked = stats["received"] - (len(models) - models.count(ODD))
            assert 1 <= asked <= rules.concurrency  # what is known to be missing is not sent
            failed = [o for o in it.outcomes.values() if o.failure]
            assert {ODD in o.failure.message for o in failed if o.failure} == {True}
            assert sum(o.attempts for o in failed) == asked

    asyncio.run(main())


@pytest.mark.parametrize("wait_s", [0.0, 30.0])
@pytest.mark.parametrize("models", [[ODD], [ODD] * 60, [ODD] * 2_000, [ODD, "gpt-99-other"] * 20])
def test_without_another_model_that_answers_the_job_stops_and_no_item_fails(
    models: list[str], wait_s: float
) -> None:
    async def main() -> None:
        rules = LaneRules(concurrency=6, wait_s=wait_s)
        async with bench(naming(*models), text=BY_ROW, rules=rules) as it:
            stats = await ran(it)
            assert it.lane.stopped is not None
            assert it.lane.stopped.code == "model_not_found"
            assert ODD in it.lane.stopped.message
            assert it.outcomes == {}
            assert stats["received"] <= 4
            assert len(it.written) == it.begun == stats["received"]

    asyncio.run(main())


def test_the_tasks_own_model_still_stops_the_job() -> None:
    async def main() -> None:
        text = BY_ROW.replace('"gpt-6-luna"', f'"{ODD}"')
        models = [SOL] * 20 + [OWN] + [SOL] * 20
        async with bench(naming(*models), text=text, rules=LaneRules(concurrency=2)) as it:
            await it.run()
            assert it.lane.stopped is not None
            assert it.lane.stopped.code == "model_not_found"
            assert set(it.codes.values()) == {""}
            assert 21 not in it.outcomes

    asyncio.run(main())


def test_a_parameter_that_only_some_models_refuse_fails_their_rows() -> None:
    async def main() -> None:
        models = ["gpt-4.1-mini", SOL] * 20
        async with bench(naming(*models, heat="0.3"), text=BY_ROW) as it:
            await it.run()
            assert it.lane.stopped is None
            assert by_model(it, models) == {
                "gpt-4.1-mini": Counter({"": 20}),
                SOL: Counter({"refused_parameter": 20}),
            }

    asyncio.run(main())


def test_a_parameter_that_a_row_chose_for_the_tasks_own_model_is_its_fault() -> None:
    async def main() -> None:
        items = [*naming(*["gpt-6-luna"] * 10, heat="0.3"), *naming(*[OWN] * 30)[10:]]
        async with bench(items, text=BY_ROW) as it:
            await it.run()
            assert it.lane.stopped is None
            assert Counter(it.codes.values()) == {"": 20, "refused_parameter": 10}

    asyncio.run(main())


def test_what_waits_stays_pending_when_the_job_stops_for_something_else() -> None:
    async def main() -> None:
        models = [ODD] * 5 + [OWN] * 5
        faults = ["status:status=401,code=invalid_api_key,match=word6."]
        async with bench(
            naming(*models), text=BY_ROW, faults=faults, rules=LaneRules(concurrency=1)
        ) as it:
            await it.run()
            assert it.lane.stopped is not None
            assert it.lane.stopped.code == "auth"
            assert it.outcomes == {}

    asyncio.run(main())


def test_a_model_that_is_shut_down_in_the_middle_fails_its_rows_alone() -> None:
    async def main() -> None:
        models = [OWN, SOL] * 50
        rules = LaneRules(concurrency=4)
        async with bench(naming(*models), text=BY_ROW, rules=rules, latency_ms=10) as it:
            await it.fault(f"model_not_found:after=30,match={SOL}")
            await it.run()
            assert it.lane.stopped is None
            found = by_model(it, models)
            assert found[OWN] == {"": 50}
            assert found[SOL]["model_not_found"] > 20

    asyncio.run(main())
