"""Files and batches by Azure's two ways, as Azure's own differ from OpenAI's."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import openai
import pytest
from batch_api import MODEL, chat_lines, jsonl
from openai import AsyncAzureOpenAI, AsyncOpenAI

from processor.sandbox import ManualClock, SandboxConfig, running

KEY = "azure-0123456789"
# Azure names its endpoints without the version.
ENDPOINT: Any = "/chat/completions"


def walk(
    way: str, visit: Callable[[AsyncOpenAI, ManualClock], Awaitable[None]], **options: Any
) -> None:
    async def main() -> None:
        clock = ManualClock()
        async with running(SandboxConfig(latency_ms=0, api_key=KEY, **options), clock) as url:
            root = url.removesuffix("/v1")
            client: AsyncOpenAI = AsyncOpenAI(base_url=f"{root}/openai/v1", api_key=KEY)
            if way == "dated":
                client = AsyncAzureOpenAI(
                    azure_endpoint=root, api_version="2024-10-21", api_key=KEY, max_retries=0
                )
            async with client:
                await visit(client, clock)

    asyncio.run(main())


async def submit(client: AsyncOpenAI, lines: list[dict[str, Any]]) -> str:
    raw = jsonl([{**line, "url": ENDPOINT} for line in lines])
    file = await client.files.create(file=("in.jsonl", raw), purpose="batch")
    return (
        await client.batches.create(
            input_file_id=file.id, endpoint=ENDPOINT, completion_window="24h"
        )
    ).id


async def until(client: AsyncOpenAI, clock: ManualClock, name: str, status: str) -> Any:
    """The batch, once it is there: the clock moves before each look."""
    while (batch := await client.batches.retrieve(name)).status != status:
        assert batch.status not in ("failed", "expired"), batch
        clock.advance(0.1)
    return batch


@pytest.mark.parametrize("way", ["dated", "v1"])
def test_a_batch_of_azure_s(way: str) -> None:
    async def visit(client: AsyncOpenAI, clock: ManualClock) -> None:
        name = await submit(client, chat_lines(4))
        batch = await client.batches.retrieve(name)
        assert (batch.output_file_id, batch.error_file_id) == ("", "")
        assert (batch.request_counts, batch.expires_at) == (None, None)
        batch = await until(client, clock, name, "completed")
        assert (batch.model, batch.request_counts.completed) == (MODEL, 4)
        assert batch.endpoint == ENDPOINT
        assert (await client.files.content(batch.error_file_id)).content == b""
        assert (await client.files.retrieve(batch.error_file_id)).bytes == 0
        assert (await client.files.content(batch.output_file_id)).content.count(b"\n") == 4
        assert [one.id async for one in client.batches.list()] == [name]
        with pytest.raises(openai.NotFoundError, match="Resource not found"):
            await client.batches.retrieve("batch_none")

    walk(way, visit)


def test_it_does_not_expire_and_takes_more_lines() -> None:
    async def visit(client: AsyncOpenAI, clock: ManualClock) -> None:
        name = await submit(client, chat_lines(4))
        await until(client, clock, name, "in_progress")
        clock.advance(150_000)
        batch = await until(client, clock, name, "in_progress")
        assert batch.expired_at is None
        clock.advance(150_000)
        await until(client, clock, name, "completed")

    walk("dated", visit, in_progress_s=200_000, batch_lines=2)
