"""FAULTS.md 41-55: a status of 200 is not a success."""

import asyncio
from typing import Any

import orjson
import pytest
from lane_bench import CHOOSE, GREET, bench, items

from faults.rude import Asked, Say, completion, http, rude, rude_bench
from processor.direct.retry import RetryPolicy
from processor.direct.rules import LaneRules
from processor.items import Usage
from processor.plan.prices import Prices

ONCE = "match=word3.,times=1"


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        pytest.param("html", "malformed", marks=pytest.mark.fault(41)),
        pytest.param("null", "malformed", marks=pytest.mark.fault(42)),
        pytest.param("empty", "malformed", marks=pytest.mark.fault(42)),
        pytest.param("truncated_json", "malformed", marks=pytest.mark.fault(43)),
        pytest.param("error_object", "server_error", marks=pytest.mark.fault(43)),
        pytest.param("no_choices", "malformed", marks=pytest.mark.fault(45)),
    ],
)
@pytest.mark.parametrize("times", [1, 9])
def test_an_answer_that_cannot_be_read_is_asked_for_again(
    fault: str, code: str, times: int
) -> None:
    async def main() -> None:
        rules = LaneRules(retry=RetryPolicy(attempts_max=3), keep_bodies="all")
        spec = f"{fault}:match=word3.,times={times}"
        async with bench(items(9), rules=rules, faults=[spec]) as it:
            await it.run()
            bad = min(times, 3)
            assert it.codes == {seq: code if seq == 3 and bad == 3 else "" for seq in range(1, 10)}
            attempts = [attempt for attempt in it.attempts if attempt.item.seq == 3]
            assert [attempt.code for attempt in attempts] == [code] * min(bad, 2)
            assert it.outcomes[3].attempts == min(times + 1, 3)
            assert all(attempt.message for attempt in attempts)
            # A success that nobody can read may have been charged; an error was not.
            assert {attempt.answered for attempt in attempts} == {code == "malformed"}

    asyncio.run(main())


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        pytest.param("length", "truncated", marks=pytest.mark.fault(46)),
        pytest.param("content_filter", "filtered", marks=pytest.mark.fault(47)),
        pytest.param("refusal:message=I would rather not.", "refused", marks=pytest.mark.fault(48)),
    ],
)
def test_an_answer_that_is_none_fails_its_item_once_and_is_paid_for(fault: str, code: str) -> None:
    async def main() -> None:
        spec = fault + ("," if ":" in fault else ":") + "match=word3."
        async with bench(items(9), faults=[spec]) as it:
            await it.run()
            assert it.codes == {seq: code if seq == 3 else "" for seq in range(1, 10)}
            outcome = it.outcomes[3]
            assert outcome.attempts == 1
            assert outcome.usage is not None
            assert outcome.failure is not None
            assert not outcome.failure.retryable
            assert code != "refused" or "I would rather not." in outcome.failure.message
            assert outcome.body is not None  # to be looked at

    asyncio.run(main())


@pytest.mark.fault(49)
@pytest.mark.parametrize(("times", "code"), [(1, ""), (2, ""), (3, "invalid")])
def test_f49_an_answer_that_fails_its_check_is_asked_again_as_configured(
    times: int, code: str
) -> None:
    """Twice, by the task; each time it is shown what was wrong, and each answer is paid for."""

    async def main() -> None:
        faults = [f"content:content=7,match=word3.,times={times}"]
        async with bench(items(5), text=CHOOSE, faults=faults) as it:
            await it.run()
            assert it.codes == {seq: code if seq == 3 else "" for seq in range(1, 6)}
            assert it.outcomes[3].attempts == min(times + 1, 3)
            assert [attempt.answer for attempt in it.attempts] == ["7"] * min(times, 2)
            assert all(attempt.problem and attempt.usage for attempt in it.attempts)
            assert (await it.api.stats())["paid"] == 4 + min(times + 1, 3)

    asyncio.run(main())


def response(status: str, *parts: dict[str, str], **fields: Any) -> bytes:
    message = {"type": "message", "role": "assistant", "content": parts}
    usage = {"input_tokens": 7, "output_tokens": 2, "input_tokens_details": {"cached_tokens": 3}}
    output = [{"type": "reasoning", "summary": []}, message]
    return orjson.dumps({"status": status, "output": output, "usage": usage, **fields})


WORDS = {"type": "output_text", "text": "Hello."}
NO = {"type": "refusal", "refusal": "I would rather not."}


@pytest.mark.fault(51)
@pytest.mark.parametrize(
    ("body", "code"),
    [
        (response("completed", WORDS), ""),
        (
            response("incomplete", WORDS, incomplete_details={"reason": "max_output_tokens"}),
            "truncated",
        ),
        (response("incomplete", incomplete_details={"reason": "content_filter"}), "filtered"),
        (response("incomplete", WORDS, incomplete_details=None), "malformed"),
        (response("completed", NO), "refused"),
        (response("completed"), "malformed"),
        (response("in_progress", WORDS), "malformed"),
        (response("failed", error={"code": "server_error", "message": "x"}), "server_error"),
    ],
)
def test_f51_a_response_that_is_incomplete_is_no_success(body: bytes, code: str) -> None:
    async def main() -> None:
        async with rude(lambda _: Say(data=http(200, body))) as server:
            rules = LaneRules(retry=RetryPolicy(attempts_max=2))
            text = 'endpoint = "/v1/responses"\n' + GREET
            async with bench(items(2), url=server.url, rules=rules, text=text) as it:
                await it.run()
                assert set(it.codes.values()) == {code}
                assert {asked.head.split()[1] for asked in server.asked} == {b"/v1/responses"}
                if code != "server_error":
                    usage = Usage(prompt_tokens=7, completion_tokens=2, cached_tokens=3)
                    assert it.outcomes[1].usage == usage

    asyncio.run(main())


@pytest.mark.parametrize(
    "usage",
    [
        None,
        {},
        [],
        "7",
        {"prompt_tokens": 7},
        {"prompt_tokens": -7, "completion_tokens": 2},
        {"prompt_tokens": "7", "completion_tokens": "2"},
        {"prompt_tokens": 7.5, "completion_tokens": 2},
        {"prompt_tokens": 2**60, "completion_tokens": 2},
        {"prompt_tokens": True, "completion_tokens": 2},
    ],
)
@pytest.mark.fault(52)
def test_f52_a_usage_that_is_missing_or_absurd_is_unknown_and_not_nothing(usage: Any) -> None:
    async def main() -> None:
        said = http(200, completion(usage=usage))
        async with rude_bench(lambda _: Say(data=said), 3) as (it, _):
            await it.run()
            assert set(it.codes.values()) == {""}
            assert {outcome.usage for outcome in it.outcomes.values()} == {None}
            assert all(outcome.answered for outcome in it.outcomes.values())

    asyncio.run(main())


@pytest.mark.fault(53)
@pytest.mark.parametrize(
    ("fields", "model", "tier"),
    [
        ({"model": "gpt-6-sol"}, "gpt-6-sol", None),
        ({"service_tier": "flex"}, "gpt-6-luna", "flex"),
        ({"service_tier": "priority"}, "gpt-6-luna", "priority"),
        ({"service_tier": None, "model": None}, None, None),
        ({"service_tier": 7, "model": ["gpt-6-luna"]}, None, None),
    ],
)
def test_f53_model_and_tier_are_those_that_the_answer_names(
    fields: dict[str, Any], model: str | None, tier: str | None
) -> None:
    async def main() -> None:
        said = http(200, completion(**fields))
        async with rude_bench(lambda _: Say(data=said), 2) as (it, _):
            await it.run()
            assert {(o.model, o.tier) for o in it.outcomes.values()} == {(model, tier)}

    asyncio.run(main())


@pytest.mark.fault(53)
def test_f53_the_bill_follows_the_answer() -> None:
    usage = Usage(prompt_tokens=10_000, completion_tokens=0)
    cost_usd = Prices("openai", "https://api.openai.com/v1").cost_usd
    asked, named = (
        cost_usd("gpt-6-luna", None, "direct", usage),
        cost_usd("gpt-6-sol", None, "direct", usage),
    )
    assert (asked, named) == pytest.approx((0.001, 0.02))
    assert cost_usd("gpt-6-luna", "flex", "direct", usage) == pytest.approx(0.0005)
    assert cost_usd(None, None, "direct", usage) is None
    assert cost_usd("some-model-nobody-priced", None, "direct", usage) is None


@pytest.mark.fault(55)
def test_f55_fields_that_nobody_knows_are_kept_with_the_body() -> None:
    async def main() -> None:
        rules = LaneRules(keep_bodies="all")
        async with bench(items(3), rules=rules, faults=["extra_fields"]) as it:
            await it.run()
            assert set(it.codes.values()) == {""}
            for outcome in it.outcomes.values():
                body = orjson.loads(outcome.body or "")
                assert body["x_new_field"] == {"nested": [1, None, "새 필드"]}
                assert body["choices"][0]["message"]["x_new_field"] is True

    asyncio.run(main())


LIMITED = {"code": "rate_limit_exceeded", "message": "Slower."}
QUOTA = {"code": "insufficient_quota", "message": "No credit."}


@pytest.mark.parametrize(
    ("body", "codes", "stop"),
    [
        pytest.param({"error": "nope"}, {"malformed"}, None, id="text"),
        pytest.param({"error": True}, {"malformed"}, None, id="true"),
        pytest.param({"error": LIMITED}, {"rate_limited"}, None, id="rate limit"),
        pytest.param({"error": QUOTA}, set(), "quota_exhausted", id="quota"),
        pytest.param({"error": {"code": 502, "message": "x"}}, {"server_error"}, None, id="502"),
    ],
)
def test_an_error_inside_a_200_is_that_error(body: Any, codes: set[str], stop: str | None) -> None:
    async def main() -> None:
        def answer(asked: Asked) -> Say:
            bad = b"word3." in asked.body and asked.number <= 4
            return Say(data=http(200, orjson.dumps(body) if bad else completion()))

        rules = LaneRules(concurrency=1)
        async with rude_bench(answer, 4, rules) as (it, _):
            await it.run()
            assert (it.lane.stopped.code if it.lane.stopped else None) == stop
            if stop is None:
                assert {attempt.code for attempt in it.attempts} == codes
                assert set(it.codes.values()) == {""}

    asyncio.run(main())
