"""One HTTP exchange over aiohttp's connections, without what its session does for every call.

The session builds URL, headers, cookies, redirects and timers anew for each request, which costs
about as much CPU as everything else in the lane. All our requests differ in their body alone, so
the head is built once; connecting, pooling, TLS and parsing stay aiohttp's.
"""

import asyncio
from collections import deque
from typing import NamedTuple

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from aiohttp.http import HttpProcessingError
from multidict import CIMultiDictProxy
from yarl import URL

Response = tuple[int, CIMultiDictProxy[str], bytes]
"""Status, headers, body."""

# Shorter than servers keep a connection (most for five seconds and more): a request must not meet
# a connection that is being closed, because nobody could tell whether it was read and charged.
_KEEPALIVE_S = 4.0


class _Idle(NamedTuple):
    """A connection that waits for its next call."""

    connection: Connection
    protocol: ResponseHandler
    since_s: float


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

    def __init__(self, session: aiohttp.ClientSession, url: URL, headers: dict[str, str]) -> None:
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
        self._idle: deque[_Idle] = deque()  # the longest idle first

    async def post(self, body: bytes) -> Response:
        """Send a body and read the answer to its end.

        Raises:
            aiohttp.ClientError: No whole answer came.
            OSError: The same.
        """
        idle = self._take_idle()
        if idle is None:
            return await self._exchange(*await self._connect(), body)
        return await self._exchange(idle.connection, idle.protocol, body)

    def close(self) -> None:
        """Close the connections that idle."""
        while self._idle:
            self._idle.pop().connection.close()

    def _take_idle(self) -> _Idle | None:
        """The connection that was used last and may be used again."""
        self._drop_rested()
        while self._idle:
            idle = self._idle.pop()
            if idle.protocol.is_connected() and not idle.protocol.should_close:
                return idle
            idle.connection.close()
        return None

    def _drop_rested(self) -> None:
        since_s = self._loop.time() - _KEEPALIVE_S
        while self._idle and self._idle[0].since_s < since_s:
            self._idle.popleft().connection.close()

    def _put_idle(self, connection: Connection, protocol: ResponseHandler) -> None:
        self._drop_rested()
        self._idle.append(_Idle(connection, protocol, self._loop.time()))

    async def _connect(self) -> tuple[Connection, ResponseHandler]:
        try:
            async with asyncio.timeout(self._timeout.sock_connect):  # the name's look-up included
                connection = await self._connector.connect(self._target, [], self._timeout)
        except TimeoutError as error:
            raise aiohttp.ConnectionTimeoutError("no connection in time") from error
        protocol = connection.protocol
        if protocol is None:
            raise aiohttp.ServerDisconnectedError
        protocol.set_response_params(read_until_eof=True)  # for all answers of this connection
        return connection, protocol

    async def _exchange(
        self, connection: Connection, protocol: ResponseHandler, body: bytes
    ) -> Response:
        try:
            transport = protocol.transport
            if transport is None:
                raise aiohttp.ServerDisconnectedError  # noqa: TRY301 - closed below like the rest
            transport.write(b"%b%d\r\n\r\n%b" % (self._head, len(body), body))
            message, payload = await protocol.read()
            while 100 <= message.code < 200:
                message, payload = await protocol.read()
            answer = await payload.read()
        except HttpProcessingError as error:
            connection.close()
            raise aiohttp.ClientPayloadError(f"{error.code}, {error.message}") from error
        except BaseException:
            connection.close()
            raise
        if protocol.should_close:
            connection.close()
        else:
            self._put_idle(connection, protocol)
        return message.code, message.headers, answer


_PER_REQUEST = frozenset({"content-length", "transfer-encoding"})
