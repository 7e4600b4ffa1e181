"""`/v1/responses` of the sandbox: what chat answers, in another form, as strictly."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sandbox_http import MODEL, Api, Reply, assistant, sandbox, user


def visit(walk: Callable[[Api], Awaitable[None]], **options: Any) -> None:
    async def main() -> None:
        async with sandbox(**options) as api:
            await walk(api)

    asyncio.run(main())


async def respond(api: Api, said: Any, *, model: str = MODEL, **parameters: Any) -> Reply:
    return await api.send("POST", "/responses", json={"model": model, "input": said, **parameters})


def text_of(reply: Reply) -> Any:
    assert reply.status == 200, reply.raw
    return reply.body["output"][-1]["content"][0]["text"]


def test_an_answer_is_a_whole_response() -> None:
    async def walk(api: Api) -> None:
        body = (await respond(api, "hello", instructions="Be brief.", metadata={"a": "b"})).body
        assert re.fullmatch("resp_[0-9a-f]{32}", body.pop("id"))
        assert body.pop("created_at") > 1_700_000_000
        reasoning, message = body.pop("output")
        assert re.fullmatch("rs_[0-9a-f]{32}", reasoning.pop("id"))
        assert re.fullmatch("msg_[0-9a-f]{32}", message.pop("id"))
        assert reasoning == {"type": "reasoning", "summary": []}
        (part,) = message.pop("content")
        assert message == {"type": "message", "status": "completed", "role": "assistant"}
        assert part.pop("text").startswith("This is the sandbox's answer")
        assert part == {"type": "output_text", "annotations": [], "logprobs": []}
        assert body == {
            "object": "response",
            "status": "completed",
            "background": False,
            "error": None,
            "incomplete_details": None,
            "instructions": "Be brief.",
            "max_output_tokens": None,
            "max_tool_calls": None,
            "metadata": {"a": "b"},
            "model": MODEL,
            "parallel_tool_calls": True,
            "previous_response_id": None,
            "prompt_cache_key": None,
            "reasoning": {"effort": None, "summary": None},
            "safety_identifier": None,
            "service_tier": "default",
            "store": True,
            "temperature": 1.0,
            "text": {"format": {"type": "text"}, "verbosity": "medium"},
            "tool_choice": "auto",
            "tools": [],
            "top_logprobs": 0,
            "top_p": 1.0,
            "truncation": "disabled",
            "usage": {
                "input_tokens": 14,
                "input_tokens_details": {"cached_tokens": 0},
                "output_tokens": 11,
                "output_tokens_details": {"reasoning_tokens": 0},
                "total_tokens": 25,
            },
            "user": None,
        }

    visit(walk)


def test_the_same_is_answered_as_in_chat() -> None:
    async def walk(api: Api) -> None:
        system = {"role": "system", "content": "Be brief."}
        chat = await api.ask([system, user("hello")])
        assert text_of(await respond(api, "hello", instructions="Be brief.")) == chat.content
        assert text_of(await respond(api, [system, user("hello")])) == chat.content
        parts = [{"type": "input_text", "text": "hello"}]
        said = [{"type": "message", "role": "user", "content": parts}]
        assert text_of(await respond(api, said, instructions="Be brief.")) == chat.content
        stats = await api.stats()
        assert (stats["items"]["seen"], stats["paid"]) == (1, 4)

    visit(walk)


def test_a_model_that_does_not_reason_only_answers() -> None:
    async def walk(api: Api) -> None:
        reply = await respond(api, "hello", model="gpt-4o-mini", temperature=0)
        assert [item["type"] for item in reply.body["output"]] == ["message"]
        assert reply.body["temperature"] == 0

    visit(walk)


def test_a_long_answer_is_incomplete() -> None:
    async def walk(api: Api) -> None:
        question = "가" * 60
        whole = text_of(await respond(api, question))
        reply = await respond(api, question, max_output_tokens=16)
        assert reply.body["status"] == reply.body["output"][-1]["status"] == "incomplete"
        assert reply.body["incomplete_details"] == {"reason": "max_output_tokens"}
        assert reply.body["usage"]["output_tokens"] <= 16
        assert whole.startswith(text_of(reply))

    visit(walk)


def test_an_answer_is_asked_again_under_its_own_key() -> None:
    async def walk(api: Api) -> None:
        question = "기사의 라벨을 0, 1, 2 중 하나로: 시장은 협력 방안을 논의했다."
        wrong = text_of(await respond(api, question))
        again = [user(question), assistant(wrong), user("Answer with a digit.")]
        assert text_of(await respond(api, again)) in "012"
        assert (await api.stats())["items"]["received_twice"] == 1

    visit(walk, bad_answers=1.0)


@pytest.mark.parametrize("store", [None, True, False])
def test_a_response_is_kept_unless_told_otherwise(store: bool | None) -> None:
    async def walk(api: Api) -> None:
        body = (await respond(api, "hello", store=store)).body
        path = f"/responses/{body['id']}"
        kept = await api.send("GET", path)
        assert (kept.status == 200) == (store is not False)
        if store is False:
            assert "not found" in kept.error["message"]
            return
        assert kept.body == body
        gone = await api.send("DELETE", path)
        assert gone.body == {"id": body["id"], "object": "response", "deleted": True}
        assert (await api.send("GET", path)).status == 404
        assert (await api.send("DELETE", path)).status == 404

    visit(walk)


def part(kind: str, role: str = "user") -> dict[str, Any]:
    return {"role": role, "content": [{"type": kind, "text": "x"}]}


@pytest.mark.parametrize(
    ("change", "said", "param", "code"),
    [
        ({"input": None}, "Missing required", "input", "missing_required_parameter"),
        ({"input": []}, "empty array", "input", "empty_array"),
        ({"input": 7}, "one of a string or array", "input", "invalid_type"),
        ({"input": ["x"]}, "expected an object", "input[0]", "invalid_type"),
        ({"input": [{"content": "x"}]}, "Missing", "input[0].role", "missing_required_parameter"),
        (
            {"input": [{"role": "user"}]},
            "Missing",
            "input[0].content",
            "missing_required_parameter",
        ),
        ({"input": [{"role": "tool", "content": "x"}]}, "'user'", "input[0].role", "invalid_value"),
        ({"input": [{"type": "odd"}]}, "'message'", "input[0].type", "invalid_value"),
        ({"input": [user("x") | {"name": "y"}]}, "Unknown", "input[0].name", "unknown_parameter"),
        ({"input": [user("x") | {"content": 7}]}, "array of", "input[0].content", "invalid_type"),
        ({"input": [part("text")]}, "'input_text'", "input[0].content[0].type", "invalid_value"),
        (
            {"input": [part("input_text", "assistant")]},
            "'output_text', and 'refusal'",
            "input[0].content[0].type",
            "invalid_value",
        ),
        (
            {"input": [{"role": "user", "content": [{"type": "input_text"}]}]},
            "Missing",
            "input[0].content[0].text",
            "missing_required_parameter",
        ),
        ({"messages": []}, "has moved to 'input'", "messages", "unsupported_parameter"),
        ({"max_tokens": 5}, "'max_output_tokens'", "max_tokens", "unsupported_parameter"),
        ({"max_completion_tokens": 5}, "moved", "max_completion_tokens", "unsupported_parameter"),
        ({"response_format": {}}, "'text.format'", "response_format", "unsupported_parameter"),
        ({"reasoning_effort": "low"}, "moved", "reasoning_effort", "unsupported_parameter"),
        ({"n": 2}, "Unknown parameter", "n", "unknown_parameter"),
        (
            {"max_output_tokens": 15},
            "Expected a value >= 16",
            "max_output_tokens",
            "integer_below_min_value",
        ),
        ({"temperature": 0}, "Only the default (1)", "temperature", "unsupported_value"),
        ({"top_logprobs": 2}, "Unsupported", "top_logprobs", "unsupported_parameter"),
        ({"reasoning": {"effort": "much"}}, "'low'", "reasoning.effort", "invalid_value"),
        ({"reasoning": {"odd": 1}}, "Unknown", "reasoning.odd", "unknown_parameter"),
        (
            {"model": "gpt-4o", "reasoning": {"effort": "low"}},
            "Unsupported",
            "reasoning.effort",
            "unsupported_parameter",
        ),
        ({"text": {"format": {"type": "xml"}}}, "'text'", "text.format.type", "invalid_value"),
        ({"text": {"odd": 1}}, "Unknown", "text.odd", "unknown_parameter"),
        ({"text": {"format": {"type": "json_object"}}}, "the word 'json'", "input", None),
        ({"stream": True}, "does not stream", "stream", "unsupported_value"),
        ({"background": True}, "answers at once", "background", "unsupported_value"),
        ({"previous_response_id": "resp_1"}, "", "previous_response_id", "unsupported_parameter"),
        ({"instructions": 7}, "expected a string", "instructions", "invalid_type"),
        ({"store": "no"}, "expected a boolean", "store", "invalid_type"),
    ],
)
def test_refusals(change: dict[str, Any], said: str, param: str, code: str | None) -> None:
    async def walk(api: Api) -> None:
        body = {"model": MODEL, "input": "hello", **change}
        reply = await api.send("POST", "/responses", json=body)
        assert reply.status == 400
        assert said in reply.error["message"]
        assert (reply.error["param"], reply.error["code"]) == (param, code)
        assert (await api.stats())["paid"] == 0

    visit(walk)


def test_what_exceeds_the_window_is_refused() -> None:
    async def walk(api: Api) -> None:
        reply = await respond(api, "a" * 100)
        assert "context window" in reply.error["message"]
        assert (reply.error["param"], reply.error["code"]) == ("input", "context_length_exceeded")

    visit(walk, context_tokens=20)


@pytest.mark.parametrize(
    ("fault", "change"),
    [
        ("length", {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}),
        ("content_filter", {"status": "incomplete", "output": []}),
        ("no_choices", {"output": []}),
        ("other_model:model=m", {"model": "m"}),
        ("other_tier", {"service_tier": "priority"}),
        (
            "failed:code=rate_limit_exceeded,message=Slow.",
            {"status": "failed", "error": {"code": "rate_limit_exceeded", "message": "Slow."}},
        ),
    ],
)
def test_responses_that_are_spoiled(fault: str, change: dict[str, Any]) -> None:
    async def walk(api: Api) -> None:
        await api.admin("/faults", {"set": [fault]})
        body = (await respond(api, "hello")).body
        assert {**body, **change} == body
        assert (await api.stats())["paid"] == 1

    visit(walk)


def test_refusals_calls_and_other_words_stand_in_the_output() -> None:
    async def walk(api: Api) -> None:
        await api.admin("/faults", {"set": ["refusal:message=No.,match=one"]})
        await api.admin("/faults", {"set": ["tool_call:match=two"]})
        await api.admin("/faults", {"set": ["content:content=7,match=three"]})
        await api.admin("/faults", {"set": ["no_usage:match=four"]})
        refused = (await respond(api, "one")).body["output"][-1]["content"]
        assert refused == [{"type": "refusal", "refusal": "No."}]
        kinds = [item["type"] for item in (await respond(api, "two")).body["output"]]
        assert kinds == ["reasoning", "function_call"]
        assert text_of(await respond(api, "three")) == "7"
        assert "usage" not in (await respond(api, "four")).body

    visit(walk)
