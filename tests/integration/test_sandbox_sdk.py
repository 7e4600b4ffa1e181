"""OpenAI's own client, unchanged, against the sandbox."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Literal

import openai
import pytest
from openai import AsyncOpenAI
from pydantic import BaseModel

from processor.sandbox import Fault, SandboxConfig, parse_fault, running


def walk(
    visit: Callable[[AsyncOpenAI], Awaitable[None]],
    *faults: Fault,
    key: str = "sk-test",
) -> None:
    async def main() -> None:
        config = SandboxConfig(latency_ms=0, api_key="sk-test", faults=faults)
        async with (
            running(config) as url,
            AsyncOpenAI(base_url=url, api_key=key, max_retries=0, timeout=10) as client,
        ):
            await visit(client)

    asyncio.run(main())


async def ask(client: AsyncOpenAI, model: str = "gpt-6-luna") -> None:
    completion = await client.chat.completions.create(
        model=model,
        messages=[
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [{"type": "text", "text": "hello"}]},
        ],
        max_completion_tokens=100,
        metadata={"run": "one"},
    )
    assert completion.object == "chat.completion"
    assert completion.choices[0].finish_reason == "stop"
    assert completion.choices[0].message.content
    assert completion.choices[0].message.refusal is None
    assert completion.usage is not None
    assert completion.usage.total_tokens == (
        completion.usage.prompt_tokens + completion.usage.completion_tokens
    )
    assert completion.model == model
    assert completion._request_id is not None


def test_a_chat_call() -> None:
    walk(ask)


class Fruit(BaseModel):
    name: str
    ripe: bool | None
    parts: list[Literal["skin", "stone"]]


class Basket(BaseModel):
    fruits: list[Fruit]
    weight_g: int


def test_structured_output_of_the_models_that_programs_declare() -> None:
    async def visit(client: AsyncOpenAI) -> None:
        completion = await client.chat.completions.parse(
            model="gpt-6-luna",
            messages=[{"role": "user", "content": "What is in it?"}],
            response_format=Basket,
        )
        assert isinstance(completion.choices[0].message.parsed, Basket)
        response = await client.responses.parse(
            model="gpt-6-luna", input="What is in it?", text_format=Basket
        )
        assert isinstance(response.output_parsed, Basket)

    walk(visit)


def test_a_response() -> None:
    async def visit(client: AsyncOpenAI) -> None:
        response = await client.responses.create(
            model="gpt-6-luna",
            instructions="Be brief.",
            input=[{"role": "user", "content": "hello"}],
            max_output_tokens=100,
            reasoning={"effort": "low"},
            text={"verbosity": "low"},
            metadata={"run": "one"},
        )
        assert (response.object, response.status) == ("response", "completed")
        assert response.output_text
        assert [item.type for item in response.output] == ["reasoning", "message"]
        assert response.usage is not None
        assert response.usage.total_tokens == (
            response.usage.input_tokens + response.usage.output_tokens
        )
        assert response.reasoning is not None
        assert response.reasoning.effort == "low"
        kept = await client.responses.retrieve(response.id)
        assert kept.output_text == response.output_text
        await client.responses.delete(response.id)
        with pytest.raises(openai.NotFoundError):
            await client.responses.retrieve(response.id)

    walk(visit)


@pytest.mark.parametrize("encoding", ["float", "base64", None])
def test_embeddings(encoding: Literal["float", "base64"] | None) -> None:
    async def visit(client: AsyncOpenAI) -> None:
        answer = await client.embeddings.create(
            model="text-embedding-3-small",
            input=["hello", "world", "hello"],
            dimensions=64,
            encoding_format=encoding or openai.omit,
        )
        assert (answer.object, answer.model) == ("list", "text-embedding-3-small")
        assert [entry.index for entry in answer.data] == [0, 1, 2]
        one, other, again = (entry.embedding for entry in answer.data)
        assert one == again != other
        assert answer.usage.prompt_tokens == answer.usage.total_tokens == 6
        if encoding != "base64":  # otherwise the client leaves it as it came
            assert len(one) == 64
            assert sum(number * number for number in one) == pytest.approx(1)

    walk(visit)


def test_models() -> None:
    async def visit(client: AsyncOpenAI) -> None:
        names = [model.id async for model in client.models.list()]
        assert "gpt-6-luna" in names
        assert "gpt-4" not in names
        model = await client.models.retrieve("gpt-6-luna")
        assert (model.id, model.object, model.owned_by) == ("gpt-6-luna", "model", "system")
        with pytest.raises(openai.NotFoundError):
            await client.models.retrieve("gpt-4")

    walk(visit)


def test_rate_limit_headers_reach_the_client() -> None:
    async def visit(client: AsyncOpenAI) -> None:
        response = await client.chat.completions.with_raw_response.create(
            model="gpt-6-luna", messages=[{"role": "user", "content": "hello"}]
        )
        assert response.headers["openai-version"] == "2020-10-01"
        assert response.parse().choices[0].message.content

    walk(visit)


@pytest.mark.parametrize(
    ("fault", "error", "code"),
    [
        ("bad_request:code=x", openai.BadRequestError, "x"),
        ("context_length", openai.BadRequestError, "context_length_exceeded"),
        ("bad_key", openai.AuthenticationError, "invalid_api_key"),
        ("region", openai.PermissionDeniedError, "unsupported_country_region_territory"),
        ("model_not_found", openai.NotFoundError, "model_not_found"),
        ("request_timeout", openai.APIStatusError, None),
        ("conflict", openai.ConflictError, None),
        ("too_large", openai.APIStatusError, None),
        ("unprocessable", openai.UnprocessableEntityError, None),
        ("rate_limit", openai.RateLimitError, "rate_limit_exceeded"),
        ("insufficient_quota", openai.RateLimitError, "insufficient_quota"),
        ("server_error", openai.InternalServerError, None),
        ("bad_gateway", openai.InternalServerError, None),
        ("overloaded", openai.InternalServerError, "server_is_overloaded"),
        ("gateway_timeout", openai.InternalServerError, None),
    ],
)
def test_errors_are_those_of_the_real_one(
    fault: str, error: type[openai.APIStatusError], code: str | None
) -> None:
    async def visit(client: AsyncOpenAI) -> None:
        with pytest.raises(error) as caught:
            await ask(client)
        assert caught.value.code == code
        assert caught.value.request_id is not None

    walk(visit, parse_fault(fault))


@pytest.mark.parametrize("fault", ["rate_limit", "bad_key", "server_error", "too_large"])
def test_errors_are_the_same_for_every_endpoint(fault: str) -> None:
    async def visit(client: AsyncOpenAI) -> None:
        found = []
        for call in (
            ask(client),
            client.responses.create(model="gpt-6-luna", input="hello"),
            client.embeddings.create(model="text-embedding-3-small", input="hello"),
        ):
            with pytest.raises(openai.APIStatusError) as caught:
                await call
            assert caught.value.request_id is not None
            found.append((type(caught.value), caught.value.code, caught.value.status_code))
        assert len(set(found)) == 1

    walk(visit, parse_fault(fault))


def test_a_response_that_failed_is_a_200_to_the_client() -> None:
    async def visit(client: AsyncOpenAI) -> None:
        response = await client.responses.create(model="gpt-6-luna", input="hello")
        assert response.status == "failed"
        assert response.error is not None
        assert (response.error.code, response.output_text) == ("server_error", "")

    walk(visit, parse_fault("failed"))


def test_refusals_of_the_other_endpoints() -> None:
    async def visit(client: AsyncOpenAI) -> None:
        with pytest.raises(openai.BadRequestError) as caught:
            await client.responses.create(model="gpt-6-luna", input="hi", max_output_tokens=1)
        assert (caught.value.param, caught.value.code) == (
            "max_output_tokens",
            "integer_below_min_value",
        )
        with pytest.raises(openai.PermissionDeniedError, match="not allowed"):
            await client.embeddings.create(model="gpt-6-luna", input="hi")
        with pytest.raises(openai.BadRequestError, match="input' is invalid"):
            await client.embeddings.create(model="text-embedding-3-small", input="")

    walk(visit)


def test_a_reset_is_a_connection_error() -> None:
    async def visit(client: AsyncOpenAI) -> None:
        with pytest.raises(openai.APIConnectionError):
            await ask(client)

    walk(visit, parse_fault("reset"))


def test_refusals_of_the_sandbox_itself() -> None:
    async def visit(client: AsyncOpenAI) -> None:
        with pytest.raises(openai.NotFoundError, match="deprecated"):
            await ask(client, "gpt-4-turbo")
        with pytest.raises(openai.BadRequestError) as caught:
            await client.chat.completions.create(
                model="gpt-6-luna", messages=[{"role": "user", "content": "hi"}], max_tokens=5
            )
        assert (caught.value.param, caught.value.code) == ("max_tokens", "unsupported_parameter")

    walk(visit)


def test_a_wrong_key() -> None:
    async def visit(client: AsyncOpenAI) -> None:
        with pytest.raises(openai.AuthenticationError) as caught:
            await ask(client)
        assert caught.value.code == "invalid_api_key"

    walk(visit, key="sk-other")
