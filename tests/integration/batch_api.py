"""OpenAI's own client in front of a sandbox whose clock stands still until it is moved."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import aiohttp
import orjson
from openai import AsyncOpenAI, DefaultAsyncHttpxClient
from openai.types import Batch

from processor.sandbox import ManualClock, SandboxConfig, parse_fault, running

CHAT: Final = "/v1/chat/completions"
MODEL = "gpt-6-luna"


def chat_line(custom_id: str, question: str = "hello", **body: Any) -> dict[str, Any]:
    """A line that asks for a chat completion."""
    asked = {"model": MODEL, "messages": [{"role": "user", "content": question}], **body}
    return {"custom_id": custom_id, "method": "POST", "url": CHAT, "body": asked}


def chat_lines(count: int) -> list[dict[str, Any]]:
    """So many lines, each with a question of its own."""
    return [chat_line(f"c{place}", f"question {place}") for place in range(count)]


def jsonl(lines: Sequence[Mapping[str, Any]]) -> bytes:
    """Lines, with their ends."""
    return b"".join(orjson.dumps(line) + b"\n" for line in lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """The client, and the sandbox's own routes."""

    client: AsyncOpenAI
    session: aiohttp.ClientSession
    url: str

    async def upload(
        self, lines: Sequence[Mapping[str, Any]] | bytes, name: str = "in.jsonl"
    ) -> str:
        """Upload an input; gives the id of the file."""
        raw = lines if isinstance(lines, bytes) else jsonl(lines)
        return (await self.client.files.create(file=(name, raw), purpose="batch")).id

    async def submit(self, lines: Sequence[Mapping[str, Any]] | bytes, **options: Any) -> Batch:
        """Upload an input and create its batch."""
        return await self.create(await self.upload(lines), **options)

    async def create(self, file: str, **options: Any) -> Batch:
        """Create a batch of a file."""
        given = {"endpoint": CHAT, "completion_window": "24h", **options}
        return await self.client.batches.create(input_file_id=file, **given)

    async def after(self, batch: Batch, seconds: float) -> Batch:
        """The batch, so many seconds later."""
        await self.advance(seconds)
        return await self.client.batches.retrieve(batch.id)

    async def done(self, batch: Batch) -> Batch:
        """The batch, once it has ended."""
        return await self.after(batch, 2)

    async def lines(self, file: str | None) -> list[Any]:
        """What stands in an output."""
        assert file is not None
        content = await self.client.files.content(file)
        return [json.loads(line) for line in content.content.split(b"\n") if line]

    async def advance(self, seconds: float) -> None:
        """Move the clock, and let happen what is due."""
        await self.admin("clock", {"advance_s": seconds})

    async def admin(self, path: str, body: Any = None) -> Any:
        """One of the sandbox's own routes."""
        address = f"{self.url.removesuffix('/v1')}/sandbox/{path}"
        method = "GET" if body is None else "POST"
        async with self.session.request(method, address, json=body) as response:
            told = await response.json()
            assert response.status == 200, told
            return told

    async def go_wrong(self, *faults: str | dict[str, Any]) -> None:
        """Put faults in force."""
        await self.admin("faults", {"set": list(faults)})


def walk(
    visit: Callable[[Bench], Awaitable[None]], *faults: str, clock: Any = None, **options: Any
) -> None:
    """Visit a sandbox."""

    async def main() -> None:
        config = SandboxConfig(
            **{"latency_ms": 0, "faults": tuple(map(parse_fault, faults)), **options}
        )
        async with (
            running(config, clock or ManualClock()) as url,
            # Nothing here is encrypted: reading the machine's certificates would take longest.
            DefaultAsyncHttpxClient(verify=False, timeout=20) as http,
            AsyncOpenAI(base_url=url, api_key="sk-test", max_retries=0, http_client=http) as client,
            aiohttp.ClientSession() as session,
        ):
            await visit(Bench(client=client, session=session, url=url))

    asyncio.run(main())
