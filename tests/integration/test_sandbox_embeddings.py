"""`/v1/embeddings` of the sandbox: vectors that mean something, refusals as of the real one."""

import asyncio
import base64
import math
import struct
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import pytest
from sandbox_http import Api, Reply, sandbox

SMALL, LARGE, ADA = "text-embedding-3-small", "text-embedding-3-large", "text-embedding-ada-002"


def visit(walk: Callable[[Api], Awaitable[None]], **options: Any) -> None:
    async def main() -> None:
        async with sandbox(**options) as api:
            await walk(api)

    asyncio.run(main())


async def embed(api: Api, text: Any, *, model: str = SMALL, **parameters: Any) -> Reply:
    return await api.send("POST", "/embeddings", json={"model": model, "input": text, **parameters})


def vectors(reply: Reply) -> list[list[float]]:
    assert reply.status == 200, reply.raw
    found = [entry["embedding"] for entry in reply.body["data"]]
    return [unpacked(one) if isinstance(one, str) else one for one in found]


def unpacked(text: str) -> list[float]:
    return [number for (number,) in struct.iter_unpack("<f", base64.b64decode(text))]


def likeness(one: list[float], other: list[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


def test_an_answer_is_a_list_with_a_vector_of_length_one() -> None:
    async def walk(api: Api) -> None:
        body = (await embed(api, "hello")).body
        (entry,) = body.pop("data")
        vector = entry.pop("embedding")
        assert entry == {"object": "embedding", "index": 0}
        usage = {"prompt_tokens": 2, "total_tokens": 2}
        assert body == {"object": "list", "model": SMALL, "usage": usage}
        assert len(vector) == 1536
        assert math.isclose(likeness(vector, vector), 1)

    visit(walk)


def test_equal_texts_have_equal_vectors_and_near_texts_near_ones() -> None:
    async def walk(api: Api) -> None:
        texts = ["The cat sat on the mat.", "The cat sat on a mat.", "Gluons bind quarks."]
        cat, near, far = vectors(await embed(api, texts))
        assert vectors(await embed(api, texts[0])) == [cat]
        assert likeness(cat, near) > 0.8
        assert likeness(cat, far) < 0.3
        korean = ["고양이가 매트 위에 앉았다.", "고양이가 매트 위에 앉아 있다."]
        one, other = vectors(await embed(api, korean))
        assert likeness(one, other) > 0.6
        (elsewhere,) = vectors(await embed(api, texts[0], model=ADA))
        assert elsewhere != cat

    visit(walk)


def test_base64_holds_the_same_numbers() -> None:
    async def walk(api: Api) -> None:
        (floats,) = vectors(await embed(api, "hello"))
        reply = await embed(api, "hello", encoding_format="base64")
        assert isinstance(reply.body["data"][0]["embedding"], str)
        assert vectors(reply) == [pytest.approx(floats, rel=1e-6)]

    visit(walk)


@pytest.mark.parametrize(
    ("model", "asked", "length"),
    [(SMALL, None, 1536), (LARGE, None, 3072), (ADA, None, 1536), (SMALL, 8, 8), (LARGE, 256, 256)],
)
def test_a_shorter_vector_is_the_beginning_of_the_longer(
    model: str, asked: int | None, length: int
) -> None:
    async def walk(api: Api) -> None:
        parameters = {} if asked is None else {"dimensions": asked}
        (vector,) = vectors(await embed(api, "a", model=model, **parameters))
        (whole,) = vectors(await embed(api, "a", model=model))
        assert len(vector) == length
        assert math.isclose(likeness(vector, vector), 1)
        factor = vector[0] / whole[0]
        assert vector == pytest.approx([factor * number for number in whole[:length]])

    visit(walk)


def test_several_inputs_and_tokens() -> None:
    async def walk(api: Api) -> None:
        reply = await embed(api, ["a", "b", "a"])
        assert [entry["index"] for entry in reply.body["data"]] == [0, 1, 2]
        one, other, again = vectors(reply)
        assert one == again != other
        tokens = await embed(api, [[9906, 1917], [1]])
        assert len(vectors(tokens)) == 2
        assert tokens.body["usage"]["prompt_tokens"] == 3
        assert vectors(await embed(api, [9906, 1917])) == vectors(tokens)[:1]

    visit(walk)


INVALID = "'$.input' is invalid"


@pytest.mark.parametrize(
    ("change", "status", "said", "param", "code"),
    [
        ({"input": None}, 400, "Missing required parameter", "input", "missing_required_parameter"),
        ({"input": ""}, 400, INVALID, None, None),
        ({"input": []}, 400, INVALID, None, None),
        ({"input": [""]}, 400, INVALID, None, None),
        ({"input": ["a", ""]}, 400, INVALID, None, None),
        ({"input": ["a", 1]}, 400, INVALID, None, None),
        ({"input": [1, "a"]}, 400, INVALID, None, None),
        ({"input": [[]]}, 400, INVALID, None, None),
        ({"input": [[1], "a"]}, 400, INVALID, None, None),
        ({"input": [-1]}, 400, INVALID, None, None),
        ({"input": [True]}, 400, INVALID, None, None),
        ({"input": 7}, 400, INVALID, None, None),
        ({"input": {"a": 1}}, 400, INVALID, None, None),
        ({"input": ["a"] * 2049}, 400, "array too long", "input", "array_above_max_length"),
        ({"input": "a" * 40_000}, 400, "maximum context length is 8192 tokens", None, None),
        ({"model": None}, 400, "you must provide a model", None, None),
        ({"model": "text-embedding-9"}, 404, "does not exist", None, "model_not_found"),
        ({"model": "gpt-6-luna"}, 403, "not allowed to generate embeddings", None, None),
        ({"dimensions": 0}, 400, "below minimum", "dimensions", "integer_below_min_value"),
        ({"dimensions": 2000}, 400, "Must be less than or equal to 1536", None, None),
        ({"dimensions": "8"}, 400, "expected an integer", "dimensions", "invalid_type"),
        ({"model": ADA, "dimensions": 8}, 400, "does not support specifying", None, None),
        (
            {"encoding_format": "hex"},
            400,
            "'float', and 'base64'",
            "encoding_format",
            "invalid_value",
        ),
        ({"temperature": 1}, 400, "Unknown parameter", "temperature", "unknown_parameter"),
        ({"stream": True}, 400, "Unknown parameter", "stream", "unknown_parameter"),
    ],
)
def test_refusals(
    change: dict[str, Any], status: int, said: str, param: str | None, code: str | None
) -> None:
    async def walk(api: Api) -> None:
        body = {"model": SMALL, "input": "hello", **change}
        reply = await api.send("POST", "/embeddings", json=body)
        assert reply.status == status
        assert said in reply.error["message"]
        assert (reply.error["param"], reply.error["code"]) == (param, code)
        assert (await api.stats())["paid"] == 0

    visit(walk)


def test_all_inputs_of_a_request_have_a_bound_too() -> None:
    async def walk(api: Api) -> None:
        body = orjson.dumps({"model": SMALL, "input": [[1] * 8_000] * 40})
        headers = {"content-type": "application/json"}
        reply = await api.send("POST", "/embeddings", data=body, headers=headers)
        said = "Requested 320000 tokens, max 300000 tokens per request"
        assert (reply.status, reply.error["message"]) == (400, said)
        assert reply.error["type"] == reply.error["code"] == "max_tokens_per_request"

    visit(walk)


def test_models_of_one_endpoint_are_none_of_another() -> None:
    async def walk(api: Api) -> None:
        reply = await api.post({"model": SMALL, "messages": [{"role": "user", "content": "hi"}]})
        assert (reply.status, reply.error["param"]) == (404, "model")
        assert "not a chat model" in reply.error["message"]
        reply = await api.send("POST", "/responses", json={"model": SMALL, "input": "hi"})
        assert (reply.status, reply.error["param"]) == (400, "model")
        assert "Responses API" in reply.error["message"]

    visit(walk)


def test_limits_count_the_tokens_of_the_input() -> None:
    async def walk(api: Api) -> None:
        reply = await embed(api, "a" * 40)
        assert reply.headers["x-ratelimit-remaining-tokens"] == "15"
        refused = await embed(api, "a" * 80)
        assert refused.status == 429
        assert refused.error["code"] == "rate_limit_exceeded"
        assert int(refused.headers["retry-after-ms"]) > 0

    visit(walk, tpm=25)


@pytest.mark.parametrize(
    ("fault", "embedding"),
    [
        ("vector:how=zeros", [0.0] * 4),
        ("vector:how=short", None),
        ("vector:how=text", "these are no numbers"),
        ("vector:how=null", None),
        ("vector:how=nan", None),
        ("vector:how=infinity", None),
    ],
)
def test_vectors_that_are_spoiled(fault: str, embedding: Any) -> None:
    async def walk(api: Api) -> None:
        await api.admin("/faults", {"set": [fault]})
        (entry,) = (await embed(api, "hello", dimensions=4)).body["data"]
        if embedding is not None:
            assert entry["embedding"] == embedding
        packed = await embed(api, "hello", dimensions=4, encoding_format="base64")
        told = packed.body["data"][0]["embedding"]
        match fault.partition("=")[2]:
            case "short":
                assert len(unpacked(told)) == len(entry["embedding"]) == 2
            case "nan":
                assert math.isnan(unpacked(told)[0])
            case "infinity":
                assert math.isinf(unpacked(told)[0])
            case "zeros":
                assert unpacked(told) == [0.0] * 4
            case _:
                assert told == embedding
        assert (await api.stats())["paid"] == 2

    visit(walk)


def test_a_way_to_spoil_that_is_not_known_is_refused() -> None:
    async def walk(api: Api) -> None:
        reply = await api.admin("/faults", {"set": ["vector:how=sideways"]})
        assert reply.status == 400
        assert "sideways" in reply.error["message"]

    visit(walk)


@pytest.mark.parametrize("fault", ["length", "refusal", "content:content=x", "tool_call", "failed"])
def test_what_can_only_happen_to_words_does_nothing_to_vectors(fault: str) -> None:
    async def walk(api: Api) -> None:
        good = await embed(api, "hello")
        await api.admin("/faults", {"set": [fault]})
        assert (await embed(api, "hello")).body == good.body

    visit(walk)


def test_bad_answers_are_good_when_asked_again() -> None:
    async def walk(api: Api) -> None:
        assert vectors(await embed(api, "hello", dimensions=4)) == [[0.0] * 4]
        assert vectors(await embed(api, "hello", dimensions=4)) != [[0.0] * 4]
        stats = await api.stats()
        assert (stats["paid"], stats["paid_tokens"]) == (2, {"prompt": 4, "completion": 0})

    visit(walk, bad_answers=1.0)
