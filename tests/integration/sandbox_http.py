"""A sandbox over a real socket, and a client that hides nothing."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson

from processor.sandbox import Clock, SandboxConfig, running

MODEL = "gpt-6-luna"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came back."""

    status: int
    headers: dict[str, str]
    raw: bytes

    @property
    def body(self) -> Any:
        return orjson.loads(self.raw)

    @property
    def error(self) -> Any:
        return self.body["error"]

    @property
    def content(self) -> Any:
        return self.body["choices"][0]["message"]["content"]


class Api:
    """Calls of one sandbox."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self.url = url
        self._session = session

    async def send(self, method: str, path: str, **options: Any) -> Reply:
        async with self._session.request(method, self.url + path, **options) as response:
            return Reply(
                status=response.status,
                headers={name.lower(): value for name, value in response.headers.items()},
                raw=await response.read(),
            )

    async def post(self, body: Any, **options: Any) -> Reply:
        return await self.send("POST", "/chat/completions", json=body, **options)

    async def ask(self, question: str | list[dict[str, Any]], **parameters: Any) -> Reply:
        messages = question if isinstance(question, list) else [user(question)]
        return await self.post({"model": MODEL, "messages": messages, **parameters})

    async def admin(self, path: str, body: Any = None) -> Reply:
        url = self.url.removesuffix("/v1") + "/sandbox" + path
        method = "GET" if body is None else "POST"
        async with self._session.request(method, url, json=body) as response:
            return Reply(status=response.status, headers={}, raw=await response.read())

    async def stats(self) -> Any:
        return (await self.admin("/stats?items=1")).body


def user(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}


def assistant(text: str) -> dict[str, str]:
    return {"role": "assistant", "content": text}


@asynccontextmanager
async def sandbox(
    clock: Clock | None = None, *, key: str = "sk-test", **options: Any
) -> AsyncIterator[Api]:
    """A sandbox that answers at once unless told otherwise."""
    config = SandboxConfig(**{"latency_ms": 0, **options})
    async with (
        running(config, clock) as url,
        aiohttp.ClientSession(headers={"authorization": f"Bearer {key}"}) as session,
    ):
        yield Api(url, session)
