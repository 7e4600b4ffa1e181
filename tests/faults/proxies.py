"""A proxy, and a server's certificate: what stands between here and the provider."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from faults.rude import http, listening

USER, PASSWORD = "proxy-user", "pr0xy-Passw0rd"


def serving(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@dataclass(slots=True)
class Proxy:
    """What a proxy was asked for."""

    url: str = ""
    heads: list[bytes] = field(default_factory=list)


@asynccontextmanager
async def proxy(to: str, *refusals: bytes, demands: bytes = b"") -> AsyncIterator[Proxy]:
    """A proxy that leads every tunnel and every request to one server.

    Args:
        to: Base URL of that server.
        refusals: Said to the first requests, in order.
        demands: Credentials without which 407 is the answer.
    """
    made, left = Proxy(), list(refusals)
    port = int(to.split(":")[2].partition("/")[0])

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        made.heads.append(head)
        refusal = left.pop(0) if left else b""
        if demands not in head:
            refusal = http(407, b"", 'Proxy-Authenticate: Basic realm="office"')
        if refusal:
            writer.write(refusal)
            return
        there, back = await asyncio.open_connection("127.0.0.1", port)
        if head.startswith(b"CONNECT"):
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            back.write(head)
        await asyncio.gather(_pour(reader, back), _pour(there, writer))

    async with listening(serve) as url:
        made.url = url.removesuffix("/v1").replace("//", f"//{USER}:{PASSWORD}@")
        yield made


async def _pour(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    try:
        with suppress(ConnectionError):
            while data := await source.read(65_536):
                sink.write(data)
                await sink.drain()
    finally:
        sink.close()
