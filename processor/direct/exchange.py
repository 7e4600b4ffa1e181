"""One HTTP exchange over aiohttp's connections, without what its session does for every call.

The session builds URL, headers, cookies, redirects and timers anew for each request, which costs
about as much CPU as everything else in the lane. All our requests differ in their body alone, so
the head is built once; names, connecting and TLS stay aiohttp's.
"""

import asyncio
from collections import deque
from collections.abc import Mapping

import aiohttp
from yarl import URL

from processor.direct.wire import Response, Wire

# Shorter than servers keep a connection (most for five seconds and more): a request must not meet
# a connection that is being closed, because nobody could tell whether it was read and charged.
_KEEPALIVE_S = 4.0


class Exchange:
    """Posts bodies to one address; `close` it at the end.

    A connection that was closed or has idled for seconds is replaced before anything is sent on
    it. Nothing is ever sent twice: a lost connection is the caller's to judge.

    Args:
        session: Whose connector and time-outs are used; open as long as this is used.
        url: The address.
        headers: Sent with every request, besides `Host` and `Content-Length`.

    Raises:
        ValueError: The address cannot be one.
    """

    def __init__(
        self, session: aiohttp.ClientSession, url: URL, headers: Mapping[str, str]
    ) -> None:
        if url.user is not None or url.password is not None:
            raise ValueError("the address holds a password")
        # It is never sent: it tells the connector where to connect to.
        self._target = aiohttp.ClientRequest(
            "POST",
            url,
            headers=headers,
            skip_auto_headers=(aiohttp.hdrs.ACCEPT_ENCODING,),
            loop=asyncio.get_running_loop(),
            session=session,
        )
        connector = session.connector
        assert connector is not None
        self._connector = connector
        self._timeout = session.timeout
        lines = [
            f"{name}: {value}"
            for name, value in self._target.headers.items()
            if name.lower() not in _PER_REQUEST
        ]
        head = "\r\n".join([f"POST {url.raw_path_qs} HTTP/1.1", *lines, "Content-Length: "])
        if any(mark in line for line in lines for mark in "\r\n\0"):
            raise ValueError("a header holds a line break")
        self._head = head.encode()
        self._loop = asyncio.get_running_loop()
        self._idle: deque[Wire] = deque()  # the longest idle first

    async def post(self, body: bytes) -> Response:
        """Send a body and read the answer to its end.

        Raises:
            aiohttp.ClientError: No whole answer came.
            OSError: The same.
        """
        wire = self._take_idle() or await self._connect()
        try:
            answer = await wire.call(b"%b%d\r\n\r\n%b" % (self._head, len(body), body))
        except BaseException:
            wire.close()
            raise
        wire.idle_since_s = self._loop.time()
        self._idle.append(wire)
        return answer

    def close(self) -> None:
        """Close the connections that idle."""
        while self._idle:
            self._idle.pop().close()

    def _take_idle(self) -> Wire | None:
        """The connection that was used last and may be used again."""
        rested_s = self._loop.time() - _KEEPALIVE_S
        while self._idle and self._idle[0].idle_since_s < rested_s:
            self._idle.popleft().close()
        while self._idle:
            wire = self._idle.pop()
            if wire.is_usable and wire.is_quiet:
                return wire
            wire.close()
        return None

    async def _connect(self) -> Wire:
        try:
            async with asyncio.timeout(self._timeout.sock_connect):  # the name's look-up included
                connection = await self._connector.connect(self._target, [], self._timeout)
        except TimeoutError as error:
            raise aiohttp.ConnectionTimeoutError("no connection in time") from error
        try:
            wire = Wire(connection, self._loop)
        except BaseException:
            connection.close()
            raise
        if not wire.is_usable:
            wire.close()
            raise aiohttp.ServerDisconnectedError
        return wire


_PER_REQUEST = frozenset({"content-length", "transfer-encoding"})
