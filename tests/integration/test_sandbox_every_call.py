"""Every call that OpenAI's own client has for chat, files and batches, unchanged."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import openai
import pytest
from batch_api import CHAT, MODEL, chat_lines, jsonl
from openai import AsyncOpenAI
from openai.resources.batches import AsyncBatches
from openai.resources.chat.completions import AsyncCompletions
from openai.resources.chat.completions.messages import AsyncMessages
from openai.resources.files import AsyncFiles
from openai.types.chat import ChatCompletionMessageParam
from pydantic import BaseModel

from processor.sandbox import SandboxConfig, parse_fault, running

Visit = Callable[[AsyncOpenAI], Awaitable[None]]
HELLO: list[ChatCompletionMessageParam] = [{"role": "user", "content": "hello"}]
INPUT = jsonl(chat_lines(2))
# The same calls in other clothes.
CLOTHES = {"with_raw_response", "with_streaming_response", "messages"}


def walk(visit: Visit, *faults: str) -> None:
    async def main() -> None:
        config = SandboxConfig(latency_ms=0, faults=tuple(map(parse_fault, faults)))
        async with (
            running(config) as url,
            AsyncOpenAI(base_url=url, api_key="sk-test") as client,
        ):
            await visit(client)

    asyncio.run(main())


class Word(BaseModel):
    word: str


async def _chat_create(client: AsyncOpenAI) -> None:
    whole = await client.chat.completions.create(model=MODEL, messages=HELLO)
    pieces = await client.chat.completions.create(
        model=MODEL, messages=HELLO, stream=True, stream_options={"include_usage": True}
    )
    text, usages, reasons = "", [], []
    async for chunk in pieces:
        usages.append(chunk.usage)
        for choice in chunk.choices:
            text += choice.delta.content or ""
            reasons.append(choice.finish_reason)
    assert text == whole.choices[0].message.content
    assert usages[-1] == whole.usage
    assert set(usages[:-1]) == {None}
    assert reasons[-1] == "stop"


async def _chat_parse(client: AsyncOpenAI) -> None:
    answer = await client.chat.completions.parse(model=MODEL, messages=HELLO, response_format=Word)
    assert isinstance(answer.choices[0].message.parsed, Word)


async def _chat_stream(client: AsyncOpenAI) -> None:
    async with client.chat.completions.stream(model=MODEL, messages=HELLO) as stream:
        kinds = [event.type async for event in stream]
        final = await stream.get_final_completion()
    assert kinds[-1] == "content.done"
    whole = await client.chat.completions.create(model=MODEL, messages=HELLO)
    assert final.choices[0].message.content == whole.choices[0].message.content


async def _stored(client: AsyncOpenAI, run: str = "one") -> str:
    metadata = {"run": run}
    return (
        await client.chat.completions.create(
            model=MODEL, messages=HELLO, store=True, metadata=metadata
        )
    ).id


async def _chat_retrieve(client: AsyncOpenAI) -> None:
    name = await _stored(client)
    assert (await client.chat.completions.retrieve(name)).id == name
    kept = await client.chat.completions.create(model=MODEL, messages=HELLO)
    with pytest.raises(openai.NotFoundError):
        await client.chat.completions.retrieve(kept.id)


async def _chat_update(client: AsyncOpenAI) -> None:
    name = await _stored(client)
    await client.chat.completions.update(name, metadata={"run": "two"})
    listed = client.chat.completions.list(metadata={"run": "two"})
    assert [one.id async for one in listed] == [name]
    with pytest.raises(openai.BadRequestError):
        await client.chat.completions.update(name, metadata={"run": "x" * 513})


async def _chat_list(client: AsyncOpenAI) -> None:
    names = [await _stored(client, run) for run in ("one", "two", "one")]
    completions = client.chat.completions
    assert [one.id async for one in completions.list(limit=2)] == names
    assert [one.id async for one in completions.list(order="desc", limit=1)] == names[::-1]
    found = completions.list(metadata={"run": "one"}, model=MODEL)
    assert [one.id async for one in found] == names[::2]
    assert [one.id async for one in completions.list(model="gpt-6-sol")] == []


async def _chat_delete(client: AsyncOpenAI) -> None:
    name = await _stored(client)
    gone = await client.chat.completions.delete(name)
    assert (gone.id, gone.deleted) == (name, True)
    assert [one.id async for one in client.chat.completions.list()] == []


async def _messages_list(client: AsyncOpenAI) -> None:
    messages = client.chat.completions.messages.list(await _stored(client))
    assert [(one.role, one.content) async for one in messages] == [("user", "hello")]


async def _upload(client: AsyncOpenAI) -> str:
    return (await client.files.create(file=("in.jsonl", INPUT), purpose="batch")).id


async def _files_create(client: AsyncOpenAI) -> None:
    assert (await _upload(client)).startswith("file-")


async def _files_retrieve(client: AsyncOpenAI) -> None:
    name = await _upload(client)
    assert (await client.files.retrieve(name)).bytes == len(INPUT)


async def _files_list(client: AsyncOpenAI) -> None:
    names = [await _upload(client) for _ in range(3)]
    assert [one.id async for one in client.files.list(limit=2, order="asc")] == names


async def _files_delete(client: AsyncOpenAI) -> None:
    assert (await client.files.delete(await _upload(client))).deleted


async def _files_content(client: AsyncOpenAI) -> None:
    name = await _upload(client)
    assert (await client.files.content(name)).content == INPUT
    async with client.files.with_streaming_response.content(name) as response:
        assert b"".join([block async for block in response.iter_bytes(7)]) == INPUT


async def _files_retrieve_content(client: AsyncOpenAI) -> None:
    name = await _upload(client)
    with pytest.warns(DeprecationWarning, match="content"):
        content: Any = await client.files.retrieve_content(name)
    assert content.encode() == INPUT


async def _files_wait(client: AsyncOpenAI) -> None:
    name = await _upload(client)
    assert (await client.files.wait_for_processing(name)).status == "processed"


async def _create(client: AsyncOpenAI) -> str:
    file = await _upload(client)
    batch = await client.batches.create(input_file_id=file, endpoint=CHAT, completion_window="24h")
    return batch.id


async def _batches_create(client: AsyncOpenAI) -> None:
    reply = await client.batches.with_raw_response.create(
        input_file_id=await _upload(client), endpoint=CHAT, completion_window="24h"
    )
    assert reply.headers["x-request-id"]
    assert reply.headers["x-ratelimit-limit-requests"] == "2000"
    assert reply.parse().status == "validating"


async def _batches_retrieve(client: AsyncOpenAI) -> None:
    """By the machine's clock, to the end."""
    name, seen = await _create(client), set()
    while "completed" not in seen:
        batch = await client.batches.retrieve(name)
        seen.add(batch.status)
    assert seen <= {"validating", "in_progress", "finalizing", "completed"}
    content = await client.files.content(str(batch.output_file_id))
    assert content.content.count(b"\n") == 2


async def _batches_list(client: AsyncOpenAI) -> None:
    names = [await _create(client) for _ in range(3)]
    assert [one.id async for one in client.batches.list(limit=2)] == names[::-1]


async def _batches_cancel(client: AsyncOpenAI) -> None:
    name = await _create(client)
    assert (await client.batches.cancel(name)).status == "cancelling"


CALLS: dict[type, dict[str, Visit]] = {
    AsyncCompletions: {
        "create": _chat_create,
        "parse": _chat_parse,
        "stream": _chat_stream,
        "retrieve": _chat_retrieve,
        "update": _chat_update,
        "list": _chat_list,
        "delete": _chat_delete,
    },
    AsyncMessages: {"list": _messages_list},
    AsyncFiles: {
        "create": _files_create,
        "retrieve": _files_retrieve,
        "list": _files_list,
        "delete": _files_delete,
        "content": _files_content,
        "retrieve_content": _files_retrieve_content,
        "wait_for_processing": _files_wait,
    },
    AsyncBatches: {
        "create": _batches_create,
        "retrieve": _batches_retrieve,
        "list": _batches_list,
        "cancel": _batches_cancel,
    },
}


@pytest.mark.parametrize("resource", CALLS)
def test_no_call_of_the_client_is_left_out(resource: type) -> None:
    assert (
        CALLS[resource].keys()
        == {name for name in vars(resource) if not name.startswith("_")} - CLOTHES
    )


@pytest.mark.parametrize(
    "visit",
    [
        pytest.param(visit, id=f"{resource.__name__}.{name}")
        for resource, calls in CALLS.items()
        for name, visit in calls.items()
    ],
)
def test_a_call(visit: Visit) -> None:
    walk(visit)


def test_a_stream_that_breaks() -> None:
    async def visit(client: AsyncOpenAI) -> None:
        stream = await client.chat.completions.create(model=MODEL, messages=HELLO, stream=True)
        with pytest.raises(openai.APIConnectionError):
            [chunk async for chunk in stream]

    walk(visit, "reset_in_body")
