"""What the sandbox refuses, in OpenAI's words."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import orjson
import pytest
from sandbox_http import MODEL, Api, Reply, sandbox, user

from processor.sandbox import SandboxConfig, running

MESSAGES = [user("hello")]
OLD = "gpt-4o-mini"


def post(body: Any, **options: Any) -> Reply:
    async def main() -> Reply:
        async with sandbox(**options) as api:
            return await api.post(body)

    return asyncio.run(main())


def send(method: str, path: str, **options: Any) -> Reply:
    async def main() -> Reply:
        async with sandbox(max_body_bytes=5000) as api:
            return await api.send(method, path, **options)

    return asyncio.run(main())


@pytest.mark.parametrize(
    ("changes", "status", "param", "code", "words"),
    [
        ({"model": None}, 400, None, None, "you must provide a model parameter"),
        ({"model": 5}, 400, "model", "invalid_type", "expected a string, but got an integer"),
        ({"model": "gpt-9"}, 404, None, "model_not_found", "`gpt-9` does not exist"),
        ({"model": "gpt-4-turbo-preview"}, 404, None, "model_not_found", "has been deprecated"),
        ({"model": "o4-mini-2025-04-16"}, 404, None, "model_not_found", "has been deprecated"),
        ({"model": "gpt-4.1-nano"}, 404, None, "model_not_found", "has been deprecated"),
        ({"messages": None}, 400, "messages", "missing_required_parameter", "'messages'"),
        ({"messages": []}, 400, "messages", "empty_array", "minimum length 1"),
        ({"messages": "hi"}, 400, "messages", "invalid_type", "an array, but got a string"),
        ({"messages": ["hi"]}, 400, "messages[0]", "invalid_type", "an object"),
        ({"messages": [{}]}, 400, "messages[0].role", "missing_required_parameter", "role"),
        (
            {"messages": [{"role": "robot", "content": ""}]},
            400,
            "messages[0].role",
            "invalid_value",
            "'system', 'assistant', 'user', 'function', 'tool', and 'developer'",
        ),
        (
            {"messages": [*MESSAGES, {"role": "user"}]},
            400,
            "messages[1].content",
            "missing_required_parameter",
            "",
        ),
        (
            {"messages": [{"role": "user", "content": None}]},
            400,
            "messages[0].content",
            "invalid_type",
            "expected a string, got null",
        ),
        (
            {"messages": [{"role": "user", "content": 5}]},
            400,
            "messages[0].content",
            "invalid_type",
            "one of a string or array of objects",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "smell"}]}]},
            400,
            "messages[0].content[0].type",
            "invalid_value",
            "'smell'",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "text"}]}]},
            400,
            "messages[0].content[0].text",
            "missing_required_parameter",
            "",
        ),
        (
            {"messages": [{"role": "user", "content": "hi", "id": 1}]},
            400,
            "messages[0].id",
            "unknown_parameter",
            "",
        ),
        (
            {"messages": [{"role": "tool", "content": "hi"}]},
            400,
            "messages[0].tool_call_id",
            "missing_required_parameter",
            "",
        ),
        *(
            (
                {"messages": [{"role": "user", "content": "hi", "name": name}]},
                400,
                "messages[0].name",
                "invalid_value",
                r"matches the pattern '^[^\s<|\\/>]+$'",
            )
            for name in ("the boss", "", "a/b", "a\n")
        ),
        (
            {"messages": [{"role": "assistant", "content": "hi", "tool_calls": []}]},
            400,
            "messages[0].tool_calls",
            "empty_array",
            "minimum length 1",
        ),
        ({"tools": []}, 400, "tools", "empty_array", "minimum length 1"),
        ({"tool_choice": "none"}, 400, "tool_choice", None, "only allowed when 'tools'"),
        (
            {"parallel_tool_calls": False},
            400,
            "parallel_tool_calls",
            None,
            "only allowed when 'tools'",
        ),
        (
            {"response_format": {"type": "json_object"}},
            400,
            "messages",
            None,
            "must contain the word 'json'",
        ),
        ({"modalities": ["text", "audio"]}, 400, "modalities", "unsupported_value", "'audio'"),
        ({"modalities": ["text", "smell"]}, 400, "modalities[1]", "invalid_value", "'smell'"),
        ({"stop": list("abcde")}, 400, "stop", "array_above_max_length", "length 4, but got"),
        ({"foo": 1}, 400, "foo", "unknown_parameter", "Unknown parameter: 'foo'."),
        (
            {"stream_options": {"include_usage": True}},
            *(400, "stream_options", None, "only allowed when 'stream' is enabled"),
        ),
        ({"n": 0}, 400, "n", "integer_below_min_value", ">= 1, but got 0"),
        ({"n": 1.5}, 400, "n", "invalid_type", "expected an integer, but got a decimal"),
        ({"n": True}, 400, "n", "invalid_type", "but got a boolean"),
        ({"seed": 2**70}, 400, "seed", "invalid_type", ""),
        ({"stop": 3}, 400, "stop", "invalid_type", ""),
        ({"user": 3}, 400, "user", "invalid_type", ""),
        ({"service_tier": "cheap"}, 400, "service_tier", "invalid_value", "'cheap'"),
        ({"response_format": "json"}, 400, "response_format", "invalid_type", "an object"),
        ({"response_format": {"type": "xml"}}, 400, "response_format.type", "invalid_value", ""),
        (
            {"response_format": {"type": "json_schema"}},
            400,
            "response_format.json_schema",
            "missing_required_parameter",
            "",
        ),
        ({"metadata": {"a": 1}}, 400, "metadata.a", "invalid_type", ""),
        ({"metadata": {"a": "b" * 513}}, 400, "metadata.a", "string_above_max_length", ""),
        (
            {"metadata": {str(number): "" for number in range(17)}},
            400,
            "metadata",
            "object_above_max_properties",
            "",
        ),
        # Reasoning models.
        ({"temperature": 0}, 400, "temperature", "unsupported_value", "default (1)"),
        ({"top_p": 0.5}, 400, "top_p", "unsupported_value", ""),
        ({"logprobs": True}, 400, "logprobs", "unsupported_parameter", ""),
        (
            {"max_tokens": 5},
            400,
            "max_tokens",
            "unsupported_parameter",
            "Use 'max_completion_tokens' instead.",
        ),
        # Others.
        (
            {"model": OLD, "temperature": 2.1},
            400,
            "temperature",
            "decimal_above_max_value",
            "<= 2, but got 2.1",
        ),
        ({"model": OLD, "temperature": "0"}, 400, "temperature", "invalid_type", "a decimal"),
        ({"model": OLD, "top_p": -1}, 400, "top_p", "decimal_below_min_value", ""),
        ({"model": OLD, "max_tokens": 0}, 400, "max_tokens", "integer_below_min_value", ""),
        (
            {"model": OLD, "max_tokens": 5, "max_completion_tokens": 5},
            400,
            None,
            "invalid_parameter_combination",
            "at the same time",
        ),
        (
            {"model": OLD, "reasoning_effort": "low"},
            400,
            "reasoning_effort",
            "unsupported_parameter",
            "",
        ),
        (
            {"model": OLD, "messages": [user("word " * 200_000)]},
            400,
            "messages",
            "context_length_exceeded",
            "maximum context length is 128000 tokens. However, your messages resulted in 250006",
        ),
    ],
)
def test_a_request_that_openai_refuses(
    changes: dict[str, Any], status: int, param: str | None, code: str | None, words: str
) -> None:
    reply = post({"model": MODEL, "messages": MESSAGES, **changes})
    assert reply.status == status
    assert (reply.error["param"], reply.error["code"]) == (param, code)
    assert reply.error["type"] == "invalid_request_error"
    assert words in reply.error["message"]


@pytest.mark.parametrize(
    "changes",
    [
        {"temperature": 1, "top_p": 1, "max_completion_tokens": 5, "reasoning_effort": "low"},
        {"model": OLD, "temperature": 0.2, "max_tokens": 5, "stop": ["a"], "logprobs": True},
        {"model": "gpt-4o-mini-2024-07-18", "user": "me", "metadata": {"a": "b"}},
        {"temperature": None, "stop": None, "seed": 7, "store": False},
        {"stop": list("abcd"), "modalities": ["text"], "tool_choice": None},
        {"tools": [{"type": "function"}], "tool_choice": "none", "parallel_tool_calls": False},
        {"response_format": {"type": "json_object"}, "messages": [user("Answer in Json.")]},
        {
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "loose", "schema": {"type": "object"}},
            }
        },
        # Seen to be accepted, against the reference: openai/openai-python issue 1812.
        {"messages": [{"role": "system", "content": []}, *MESSAGES]},
        {
            "messages": [
                {"role": "developer", "content": "Be brief.", "name": "사장.1"},
                {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]},
                {"role": "assistant", "content": None, "tool_calls": [{"id": "a"}]},
                {"role": "tool", "content": "42", "tool_call_id": "a"},
            ]
        },
    ],
)
def test_a_request_that_openai_accepts(changes: dict[str, Any]) -> None:
    assert post({"model": MODEL, "messages": MESSAGES, **changes}).status == 200


def test_the_context_length_and_the_models_are_options() -> None:
    body = {"model": "mine", "messages": [user("word " * 20)]}
    options: dict[str, Any] = {"models": ("mine",), "context_tokens": 30}
    assert post(body, **options).error["code"] == "context_length_exceeded"
    assert post({**body, "messages": MESSAGES}, **options).status == 200
    assert post({**body, "model": MODEL}, **options).error["code"] == "model_not_found"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b'{"model": NaN}',
        b'{"model": "\\ud800"}',
        b'{"model": "\xff"}',
        b"\xef\xbb\xbf{}",
        b"{}{}",
    ],
)
def test_what_is_no_json(raw: bytes) -> None:
    headers = {"content-type": "application/json"}
    reply = send("POST", "/chat/completions", data=raw, headers=headers)
    assert reply.status == 400
    assert "could not parse the JSON body" in reply.error["message"]


@pytest.mark.parametrize(
    ("method", "path", "options", "status", "code"),
    [
        ("POST", "/chat/completions", {"json": []}, 400, None),
        ("POST", "/chat/completions", {"json": None}, 400, "unsupported_content_type"),
        ("POST", "/chat/completions", {"data": "a"}, 400, "unsupported_content_type"),
        ("POST", "/chat/completions", {"json": "x" * 6000}, 413, None),
        ("GET", "/embeddings", {}, 405, "method_not_supported"),
        ("PUT", "/batches", {}, 405, "method_not_supported"),
        ("GET", "/chat/completions/none", {}, 404, None),
        ("POST", "/models", {"json": {}}, 405, "method_not_supported"),
        ("GET", "/nowhere", {}, 404, None),
        ("GET", "/models/gpt-9", {}, 404, "model_not_found"),
        ("GET", "/models/gpt-4", {}, 404, "model_not_found"),
        ("GET", "/models/%ff%0a", {}, 404, "model_not_found"),
    ],
)
def test_what_goes_nowhere(
    method: str, path: str, options: dict[str, Any], status: int, code: str | None
) -> None:
    reply = send(method, path, **options)
    assert (reply.status, reply.error["code"]) == (status, code)
    assert reply.error["type"] == "invalid_request_error"


@pytest.mark.parametrize(
    ("pack", "encoding", "status"),
    [
        (bytes, None, 200),
        (bytes, "identity", 200),
        (bytes, "gzip", 400),
        (gzip.compress, "gzip", 400),
        (gzip.compress, None, 400),
    ],
)
def test_a_body_that_is_packed_or_says_so(
    pack: Callable[[bytes], bytes], encoding: str | None, status: int
) -> None:
    headers = {"content-type": "application/json"}
    if encoding is not None:
        headers["content-encoding"] = encoding
    raw = pack(orjson.dumps({"model": MODEL, "messages": MESSAGES}))
    reply = send("POST", "/chat/completions", data=raw, headers=headers)
    assert reply.status == status
    assert (b"could not parse the JSON body" in reply.raw) == (status == 400)


@asynccontextmanager
async def knocking(header: str | None, *, demanded: str | None) -> AsyncIterator[Api]:
    """A client with that authorization header, or without one."""
    headers = {} if header is None else {"authorization": header}
    async with (
        running(SandboxConfig(latency_ms=0, api_key=demanded)) as url,
        aiohttp.ClientSession(headers=headers) as session,
    ):
        yield Api(url, session)


@pytest.mark.parametrize("header", [None, "", "Bearer", "Basic sk-test", "Bearer anything"])
def test_without_a_demanded_key_any_will_do_and_none(header: str | None) -> None:
    async def main() -> None:
        async with knocking(header, demanded=None) as api:
            assert (await api.ask("hello")).status == 200
            assert (await api.send("GET", "/models")).status == 200

    asyncio.run(main())


@pytest.mark.parametrize(
    ("header", "status", "code", "words"),
    [
        (None, 401, None, "You didn't provide an API key."),
        ("", 401, None, "You didn't provide an API key."),
        ("Bearer", 401, None, "You didn't provide an API key."),
        ("Bearer  ", 401, None, "You didn't provide an API key."),
        ("Basic sk-secret", 401, None, "You didn't provide an API key."),
        ("Bearer sk-other", 401, "invalid_api_key", "Incorrect API key provided: ***."),
        (
            "Bearer sk-proj-0123456789abcdef",
            401,
            "invalid_api_key",
            "Incorrect API key provided: sk-***cdef.",
        ),
        ("Bearer 열쇠", 401, "invalid_api_key", "Incorrect API key provided: ***."),
        ("bearer sk-secret", 400, None, "you must provide a model parameter"),
    ],
)
def test_a_demanded_key(header: str | None, status: int, code: str | None, words: str) -> None:
    async def main() -> None:
        async with knocking(header, demanded="sk-secret") as api:
            reply = await api.post({})
            assert (reply.status, reply.error["code"]) == (status, code)
            assert reply.error["message"].startswith(words)
            stats = await api.stats()
            assert (stats["received"], stats["by_status"]) == (1, {str(status): 1})

    asyncio.run(main())


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("/config", {"rpm": 0}, "rpm must be at least 1"),
        ("/config", {"rpm": "60"}, "rpm must be at least 1"),
        ("/config", {"colour": 1}, "no option 'colour'"),
        ("/config", {"seed": 1}, "no option 'seed'"),
        ("/config", {"models": [5]}, "models must be texts"),
        ("/config", {"other_client": 1}, "other_client must be a share"),
        ("/config", {"limit_kind": "hour"}, "limit_kind must be"),
        ("/config", {"latency_ms": -1}, "latency_ms must be 0 or more"),
        ("/clock", {"advance_s": 1}, "the system's"),
        ("/faults", {"set": ["nope"]}, "no fault 'nope'"),
        ("/faults", {"set": [{"rate": 1}]}, "'kind'"),
        ("/faults", {"add": []}, "Unknown parameter: 'add'"),
        ("/faults", {"clear": 1}, "Invalid type for 'clear'"),
        ("/faults", [], "expected an object"),
    ],
)
def test_the_admin_routes_refuse_what_cannot_be(path: str, body: Any, words: str) -> None:
    async def main() -> None:
        async with sandbox() as api:
            reply = await api.admin(path, body)
            assert reply.status == 400
            assert words in reply.error["message"]
            assert (await api.ask("hello")).status == 200

    asyncio.run(main())
