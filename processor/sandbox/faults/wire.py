"""Responses that break on the wire."""

import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from aiohttp import web

from processor.sandbox.faults.hit import Hit, Reader, seconds, share
from processor.sandbox.faults.places import CALL, OPERATIONS
from processor.sandbox.faults.replies import header_values

_ABORT_ON_CLOSE = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """A response that breaks on the wire.

    Attributes:
        send: Sends what is sent.
    """

    send: Callable[[Hit], Awaitable[web.StreamResponse]]
    paid: bool
    whole: bool = False
    places: tuple[str, ...] = (CALL, *OPERATIONS)
    params: Mapping[str, Reader] = field(default_factory=dict)

    async def respond(self, hit: Hit) -> web.StreamResponse:
        """Send it."""
        return await self.send(hit)


def reset_connection(request: web.Request) -> None:
    """Close the connection with a reset: what was not sent yet is thrown away."""
    transport = request.transport
    if transport is None:
        return
    connection = transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT_ON_CLOSE)
    transport.abort()


async def reset(hit: Hit) -> web.StreamResponse:
    """Reset before any byte of the response."""
    reset_connection(hit.request)
    return web.Response()


async def reset_in_body(hit: Hit) -> web.StreamResponse:
    """Headers, a `share` (0.5) of the body, reset."""
    response, body = await _begin(hit)
    await response.write(_begun(body, hit))
    reset_connection(hit.request)
    return response


async def cut_short(hit: Hit) -> web.StreamResponse:
    """A `share` (0.5) of the body, without its length; the end of the connection ends it."""
    response = web.StreamResponse(headers=header_values(hit.headers, hit.clock))
    response.content_type = hit.content_type
    response.force_close()
    response.enable_compression(web.ContentCoding.identity)
    await response.prepare(hit.request)
    await response.write(_begun(hit.sent, hit))
    await response.write_eof()
    return response


def _begun(body: bytes, hit: Hit) -> bytes:
    return body[: int(len(body) * share(hit.params.get("share", "0.5")))]


async def silence(hit: Hit) -> web.StreamResponse:
    """Headers, then nothing for `seconds` (600), then the connection closes."""
    response, _ = await _begin(hit)
    await hit.clock.sleep(seconds(hit.params.get("seconds", "600")))
    reset_connection(hit.request)
    return response


async def hang(hit: Hit) -> web.StreamResponse:
    """Nothing at all for `seconds` (600), then the connection closes."""
    await hit.clock.sleep(seconds(hit.params.get("seconds", "600")))
    reset_connection(hit.request)
    return web.Response()


async def drip(hit: Hit) -> web.StreamResponse:
    """One byte every `seconds` (0.4)."""
    response, body = await _begin(hit)
    pause_s = seconds(hit.params.get("seconds", "0.4"))
    for place in range(len(body)):
        await response.write(body[place : place + 1])
        await hit.clock.sleep(pause_s)
    await response.write_eof()
    return response


async def close(hit: Hit) -> web.StreamResponse:
    """The whole answer, as if the connection stayed open; then it closes."""
    response, body = await _begin(hit)
    await response.write(body)
    await response.write_eof()
    if hit.request.transport is not None:
        hit.request.transport.close()
    return response


async def announced_close(hit: Hit) -> web.StreamResponse:
    """The whole answer with `Connection: close`."""
    response = web.Response(
        body=hit.sent,
        content_type=hit.content_type,
        headers=header_values(hit.headers, hit.clock),
    )
    response.force_close()
    return response


async def redirect(hit: Hit) -> web.StreamResponse:
    """To the same place."""
    return web.Response(
        status=307,
        headers={"location": hit.request.path_qs, **header_values(hit.headers, hit.clock)},
    )


async def _begin(hit: Hit) -> tuple[web.StreamResponse, bytes]:
    body = hit.sent
    response = web.StreamResponse(headers=header_values(hit.headers, hit.clock))
    response.content_type = hit.content_type
    response.content_length = len(body)
    await response.prepare(hit.request)
    return response, body
