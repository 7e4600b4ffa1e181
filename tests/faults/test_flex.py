"""FAULTS.md 28: flex without room, for a while, for ever, for some; and flex that is refused."""

import asyncio
from collections import Counter
from math import inf
from typing import Any

import pytest
from lane_bench import GREET, Bench, bench, items, let_pass, naming
from msgspec.structs import replace

from processor.direct.rules import LaneRules, TierRules
from processor.direct.tier import ASK_AGAIN_S, FULL_AFTER

PATIENCE_S = 90.0
AT_FLEX = f"{GREET}[parameters]\nservice_tier = 'flex'\n"
BY_ROW = f"{GREET}[overrides]\nmodel = 'model'\nparameters = {{ service_tier = 'tier' }}\n"
FULL = "flex_unavailable"


def rules(*, falls: bool = True, patience_s: float = PATIENCE_S, **others: Any) -> LaneRules:
    return LaneRules(tier=TierRules(name="flex", patience_s=patience_s, falls=falls), **others)


def tiers(it: Bench) -> Counter[str | None]:
    """How many items were answered at each tier; None for those that were not."""
    return Counter(outcome.tier for outcome in it.outcomes.values())


async def paid(it: Bench) -> dict[str, int]:
    stats = await it.api.stats()
    assert stats["items"]["paid_twice"] == 0
    found: dict[str, int] = stats["paid_by_tier"]
    return found


@pytest.mark.fault(28)
@pytest.mark.parametrize("falls", [True, False])
def test_without_room_for_a_while_everything_waits_and_goes_at_flex(*, falls: bool) -> None:
    async def main() -> None:
        async with bench(items(300), rules=rules(falls=falls), faults=[f"{FULL}:until=100"]) as it:
            await it.run()
            assert tiers(it) == {"flex": 300}
            assert await paid(it) == {"flex": 300}
            assert len(it.attempts) == 100
            assert {attempt.code for attempt in it.attempts} == {FULL}
            assert not any(attempt.answered for attempt in it.attempts)
            assert it.clock.monotonic() < PATIENCE_S
            assert it.events() == ["flex_full", "flex_again"]

    asyncio.run(main())


def test_while_there_is_no_room_nothing_more_is_begun() -> None:
    async def main() -> None:
        async with bench(items(2_000), rules=rules(concurrency=20), faults=[FULL]) as it:
            asking = asyncio.ensure_future(it.lane.run())
            await let_pass(it.clock, asking, until_s=PATIENCE_S - 1)
            assert FULL_AFTER <= it.pulled <= FULL_AFTER + 20
            it.lane.abort()
            await asking

    asyncio.run(main())


def test_without_room_for_ever_the_rest_goes_at_the_standard_tier() -> None:
    async def main() -> None:
        async with bench(items(2_000), rules=rules(), faults=[FULL]) as it:
            await it.run()
            assert await paid(it) == {"default": 2_000} == dict(tiers(it))
            asked = (await it.api.stats())["by_fault"][FULL]
            # Those that waited did so at the same time; nobody waited after them.
            assert it.clock.monotonic() < PATIENCE_S + 60
            assert asked == len(it.attempts) < 300
            assert it.events() == ["flex_full", "flex_given_up"]

    asyncio.run(main())


def test_it_is_asked_now_and_then_whether_there_is_room_again() -> None:
    async def main() -> None:
        slow: dict[str, Any] = {"latency_ms": 1_000, "latency_sigma": 0}
        limited = rules(concurrency=2)
        async with bench(items(1_000), rules=limited, faults=[FULL], **slow) as it:

            def open_up(_: object) -> None:
                if it.clock.monotonic() > PATIENCE_S + 2 * ASK_AGAIN_S + 30 and it.begun:
                    it.on_record = lambda _: None
                    opening.append(asyncio.ensure_future(it.fault()))

            opening: list[asyncio.Future[None]] = []
            it.on_record = open_up
            await it.run()
            await opening[0]
            found = await paid(it)
            assert set(found) == {"default", "flex"}
            # Two a second: those of three minutes or four, until it was asked again.
            assert 300 < found["default"] < 600
            assert it.events() == ["flex_full", "flex_given_up", "flex_again"]

    asyncio.run(main())


def test_without_room_for_ever_the_job_stops_where_nothing_may_fall() -> None:
    async def main() -> None:
        async with bench(items(500), rules=rules(falls=False), faults=[FULL]) as it:
            await it.run()
            assert it.lane.stopped is not None
            assert it.lane.stopped.code == FULL
            assert "nobody was served for 90 s. --fallback direct" in it.lane.stopped.message
            assert not it.outcomes
            assert (await it.api.stats())["paid"] == 0
            assert PATIENCE_S <= it.clock.monotonic() < PATIENCE_S + 1

    asyncio.run(main())


def test_while_slow_answers_are_on_their_way_there_is_room() -> None:
    async def main() -> None:
        faults = [f"{FULL}:match=word7.", f"{FULL}:rate=0.5,times=1"]
        slow: dict[str, Any] = {"latency_ms": 60_000, "latency_sigma": 0}
        limited = rules(falls=False, patience_s=30.0, concurrency=100)
        async with bench(items(300), rules=limited, faults=faults, **slow) as it:
            await it.run()
            assert it.lane.stopped is None
            assert it.codes == {seq: FULL if seq == 7 else "" for seq in range(1, 301)}
            assert it.clock.monotonic() < 5 * 60
            assert it.events() == []

    asyncio.run(main())


@pytest.mark.parametrize(("falls", "code", "tier"), [(True, "", "default"), (False, FULL, None)])
def test_without_room_for_one_item_it_alone_waits(*, falls: bool, code: str, tier: str) -> None:
    async def main() -> None:
        faults = [f"{FULL}:match=word7."]
        async with bench(items(40), rules=rules(falls=falls), faults=faults) as it:
            await it.run()
            assert it.codes == {seq: code if seq == 7 else "" for seq in range(1, 41)}
            assert tiers(it) == {"flex": 39, tier: 1}
            waits_s = [attempt.wait_s for attempt in it.attempts]
            assert sum(waits_s) == pytest.approx(PATIENCE_S)
            assert it.clock.monotonic() == pytest.approx(PATIENCE_S)

    asyncio.run(main())


@pytest.mark.parametrize(("falls", "code"), [(True, ""), (False, FULL)])
def test_patience_of_nothing_never_waits(*, falls: bool, code: str) -> None:
    async def main() -> None:
        faults = [f"{FULL}:match=word7."]
        async with bench(items(40), rules=rules(falls=falls, patience_s=0), faults=faults) as it:
            await it.run()
            assert it.codes == {seq: code if seq == 7 else "" for seq in range(1, 41)}
            assert it.clock.monotonic() == 0
            assert it.lane.stopped is None

    asyncio.run(main())


def test_who_is_told_to_wait_for_longer_than_that_does_not_wait_at_all() -> None:
    async def main() -> None:
        async with bench(
            items(9), rules=rules(), faults=[f"{FULL}:match=word7.,retry-after=86400"]
        ) as it:
            await it.run()
            assert tiers(it) == {"flex": 8, "default": 1}
            assert it.clock.monotonic() == 0

    asyncio.run(main())


def test_an_item_whose_retries_are_used_up_still_waits_for_room() -> None:
    async def main() -> None:
        faults = [f"{FULL}:match=word7.,times=6", "server_error:match=word7.,times=8"]
        async with bench(items(9), rules=rules(), faults=faults) as it:
            await it.run()
            assert tiers(it) == {"flex": 9}
            assert it.outcomes[7].attempts == 9

    asyncio.run(main())


@pytest.mark.parametrize("name", ["flex", None])
def test_a_task_that_names_flex_itself_does_not_fall(name: str | None) -> None:
    async def main() -> None:
        tier = TierRules(name=name, patience_s=PATIENCE_S, falls=True)
        faults = [f"{FULL}:match=word7."]
        async with bench(items(40), text=AT_FLEX, rules=LaneRules(tier=tier), faults=faults) as it:
            await it.run()
            assert it.codes == {seq: FULL if seq == 7 else "" for seq in range(1, 41)}
            assert it.clock.monotonic() == pytest.approx(PATIENCE_S)

    asyncio.run(main())


def test_a_row_that_names_its_tier_keeps_it() -> None:
    async def main() -> None:
        rows = naming(*[""] * 6)
        for n, one in enumerate(list(rows)):
            fields = {**one.item.fields, "tier": ["", "default", "priority"][n % 3]}
            rows[n] = replace(one, item=replace(one.item, fields=fields))
        async with bench(rows, text=BY_ROW, rules=rules()) as it:
            await it.run()
            assert tiers(it) == {"flex": 2, "default": 2, "priority": 2}

    asyncio.run(main())


@pytest.mark.parametrize(
    "reply",
    [
        "bad_request:message=Invalid service_tier argument,param=service_tier",
        "bad_request:message=Flex is not available for it.,param=service_tier",
        "bad_request:status=422,message=No such Service Tier,param=service_tier",
    ],
)
def test_a_refused_tier_ends_the_job_and_names_the_way_out(reply: str) -> None:
    async def main() -> None:
        async with bench(items(50), rules=rules(), faults=[reply]) as it:
            await it.run()
            assert it.lane.stopped is not None
            assert it.lane.stopped.code == "refused_parameter"
            assert "--route flex asks for that tier; --route direct goes" in it.lane.stopped.message
            assert not it.outcomes
            assert it.begun == 2

    asyncio.run(main())


def test_a_model_without_flex_ends_the_job() -> None:
    async def main() -> None:
        text = GREET.replace("gpt-6-luna", "gpt-4o-mini")
        async with bench(items(50), text=text, rules=rules()) as it:
            await it.run()
            assert it.lane.stopped is not None
            assert "--route direct" in it.lane.stopped.message

    asyncio.run(main())


def test_where_rows_name_models_only_those_without_flex_fail() -> None:
    async def main() -> None:
        text = f"{GREET}[overrides]\nmodel = 'model'\n"
        rows = naming(*["", "gpt-4o-mini", "gpt-6-sol"] * 5)
        async with bench(rows, text=text, rules=rules()) as it:
            await it.run()
            failed = {seq for seq, code in it.codes.items() if code == "refused_parameter"}
            assert failed == {2, 5, 8, 11, 14}
            assert tiers(it) == {"flex": 10, None: 5}

    asyncio.run(main())


@pytest.mark.fault(53)
def test_a_tier_that_answers_in_place_of_flex_is_recorded_as_it_is() -> None:
    async def main() -> None:
        faults = ["other_tier:match=word3.,tier=default"]
        async with bench(items(9), rules=rules(), faults=faults) as it:
            await it.run()
            assert tiers(it) == {"flex": 8, "default": 1}
            assert it.events() == []

    asyncio.run(main())


def test_other_troubles_are_what_they_are_at_any_tier() -> None:
    async def main() -> None:
        faults = [
            "rate_limit:match=word3.,times=2",
            "server_error:match=word5.,times=1",
            "length:match=word9.",
        ]
        async with bench(items(20), rules=rules(), faults=faults) as it:
            await it.run()
            codes = Counter(attempt.code for attempt in it.attempts)
            assert codes == {"rate_limited": 2, "server_error": 1}
            assert it.codes[9] == "truncated"
            assert it.clock.monotonic() < inf

    asyncio.run(main())
