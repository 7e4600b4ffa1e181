"""How a run stands, sent as it changes: server-sent events."""

import asyncio
import socket
import struct
import sys

from aiohttp import web

from processor.web.questions import number
from processor.web.replies import NoRunError, encoded
from processor.web.shared import SHARED, Beat, watch_of
from processor.web.watch import Frame, Watch

_RETRY_MS = 2_000
_LAST_POINT = 2**53
_AT_ONCE = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)


async def events(request: web.Request) -> web.StreamResponse:
    """A stream of looks at a run, with only the points that are new."""
    watch = watch_of(request)
    after = number(request, "after", 0, least=0, most=_LAST_POINT)
    frame = await watch.frame()
    if frame.is_gone:  # what a browser does not ask for again
        raise NoRunError(frame.problem)
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    try:
        beat = request.app[SHARED].beat
        await _Stream(response, _latest_seen(request, after), beat).follow(watch)
    except TimeoutError:
        _let_go(request)
    except ConnectionError:
        pass  # it has left
    return response


def _let_go(request: web.Request) -> None:
    """Close a connection at once, with what the system still holds for it."""
    transport = request.transport
    if transport is None:
        return
    connection = transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
    transport.abort()


def _latest_seen(request: web.Request, after: int) -> int:
    """The point that a browser had when it lost us, which it tells when it comes again."""
    told = request.headers.get("Last-Event-ID", "")
    return int(told) if told.isascii() and told.isdigit() and len(told) < 17 else after


class _Stream:
    def __init__(self, response: web.StreamResponse, after: int, beat: Beat) -> None:
        self._response = response
        self._beat = beat
        self._after = after
        self._version = 0

    async def follow(self, watch: Watch) -> None:
        """Send frames until the run is gone.

        Raises:
            TimeoutError: Nobody takes them.
            ConnectionError: Nobody is there.
        """
        await self._send(f"retry: {_RETRY_MS}\n\n".encode())
        ledger = None
        with watch.listening():
            while True:
                frame = await watch.newer(self._version, self._beat.heartbeat_s)
                if frame is None:  # no comment, which no page would see
                    await self._send(_event(b"beat", b"{}"))
                    continue
                if ledger not in (None, frame.stamp.ledger):
                    self._after = 0  # another run took its place
                ledger = frame.stamp.ledger
                await self._tell(frame)
                if frame.is_gone:
                    return

    async def _tell(self, frame: Frame) -> None:
        self._version = frame.version
        if frame.problem:
            name = b"gone" if frame.is_gone else b"problem"
            await self._send(_event(name, encoded({"error": frame.problem})))
            return
        told = frame.after(self._after)
        self._after = max(self._after, frame.last_point)
        await self._send(b"id: %d\n" % self._after + _event(b"look", told))

    async def _send(self, text: bytes) -> None:
        async with asyncio.timeout(self._beat.patience_s):
            await self._response.write(text)


def _event(name: bytes, data: bytes) -> bytes:
    return b"event: " + name + b"\ndata: " + data + b"\n\n"
