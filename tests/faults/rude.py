"""A server that knows no manners: it reads a request and says exactly the bytes that it is told."""

import asyncio
import itertools
import socket
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
from lane_bench import Bench, bench, items

from processor.direct.rules import LaneRules

_RESET_ON_CLOSE = b"\1\0\0\0\0\0\0\0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request as it came.

    Attributes:
        number: Which request of the server it is, from 1.
        on_connection: Which request of its connection it is, from 1.
        at_s: When it came, by the server's clock.
    """

    number: int
    on_connection: int
    at_s: float
    head: bytes
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Say:
    """What is said to a request, and what becomes of the connection.

    Attributes:
        then: `keep` it for the next request, `close` it, `reset` it, or `hang` with it.
    """

    data: bytes
    then: str = "keep"


Rude = Callable[[Asked], Say]


@dataclass(slots=True)
class Server:
    """What the server has seen.

    Attributes:
        url: Its base URL.
        now: Its clock.
    """

    url: str = ""
    now: Callable[[], float] = time.monotonic
    connections: int = 0
    asked: list[Asked] = field(default_factory=list)


def http(
    status: int, body: bytes = b"", *lines: str, version: str = "1.1", length: bool = True
) -> bytes:
    """A whole response; `lines` are further header lines."""
    told = [f"Content-Length: {len(body)}"] if length else []
    head = [f"HTTP/{version} {status} Said", *told, *lines]
    return "\r\n".join([*head, "", ""]).encode("utf-8", "surrogateescape") + body


def completion(content: Any = "Hello.", **fields: Any) -> bytes:
    """The body of a chat completion."""
    choice = {
        "index": 0,
        "finish_reason": "stop",
        "message": {"role": "assistant", "content": content},
    }
    usage = {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9}
    body = {"id": "c1", "object": "chat.completion", "model": "gpt-6-luna", "choices": [choice]}
    return orjson.dumps({**body, "usage": usage, **fields})


def chunked(body: bytes, *, end: bytes = b"0\r\n\r\n") -> bytes:
    """A response in chunks."""
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    half = len(body) // 2
    parts = (b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:half], body[half:]))
    return head + b"".join(parts) + end


GOOD = http(200, completion(), "Content-Type: application/json")


@asynccontextmanager
async def rude(
    answer: Rude, *, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1"
) -> AsyncIterator[Server]:
    """A server that answers as told."""
    server = Server()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server.connections += 1
        for on_connection in itertools.count(1):
            head, body = await _read(reader)
            asked = Asked(
                number=len(server.asked) + 1,
                on_connection=on_connection,
                at_s=server.now(),
                head=head,
                body=body,
            )
            server.asked.append(asked)
            said = answer(asked)
            writer.write(said.data)
            await writer.drain()
            if said.then != "keep":
                return await _leave(reader, writer, said.then)
        return None

    async with listening(serve, tls=tls, host=host) as server.url:
        yield server


@asynccontextmanager
async def listening(
    serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
    *,
    tls: ssl.SSLContext | None = None,
    host: str = "127.0.0.1",
) -> AsyncIterator[str]:
    """A server's base URL; each connection is closed when it has been served."""

    async def to_its_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            return  # the client left
        finally:
            writer.close()

    listener = await asyncio.start_server(to_its_end, host, 0, ssl=tls)
    name = f"[{host}]" if ":" in host else host
    try:
        yield f"http{'s' if tls else ''}://{name}:{listener.sockets[0].getsockname()[1]}/v1"
    finally:
        listener.close()


@asynccontextmanager
async def rude_bench(
    answer: Rude, count: int, rules: LaneRules | None = None
) -> AsyncIterator[tuple[Bench, Server]]:
    """A lane in front of such a server, both on one clock."""
    async with rude(answer) as server, bench(items(count), url=server.url, rules=rules) as it:
        server.now = it.clock.monotonic
        yield it, server


async def _read(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    length = 0
    for line in head.lower().split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name == b"content-length":
            length = int(value)
    return head, await reader.readexactly(length)


async def _leave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, how: str) -> None:
    if how == "reset":
        raw: socket.socket = writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        writer.transport.abort()
    elif how == "hang":
        await reader.read()
