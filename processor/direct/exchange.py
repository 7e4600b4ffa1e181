"""One HTTP exchange over aiohttp's connections, without what its session does for every call.

The session builds URL, headers, cookies, redirects and timers anew for each request, which costs
about as much CPU as everything else in the lane. All our requests differ in their body alone, so
the head is built once; connecting, pooling, TLS and parsing stay aiohttp's.
"""

import asyncio

import aiohttp
from aiohttp.http import HttpProcessingError
from multidict import CIMultiDictProxy
from yarl import URL

Response = tuple[int, CIMultiDictProxy[str], bytes]
"""Status, headers, body."""


class Exchange:
    """Posts bodies to one address.

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

    async def post(self, body: bytes) -> Response:
        """Send a body and read the answer to its end.

        Raises:
            aiohttp.ClientError: No whole answer came.
            OSError: The same.
        """
        connection = await self._connector.connect(self._target, [], self._timeout)
        try:
            protocol = connection.protocol
            if protocol is None or protocol.transport is None:
                raise aiohttp.ServerDisconnectedError  # noqa: TRY301 - closed below like the rest
            protocol.set_response_params(read_until_eof=True)
            protocol.transport.write(b"%b%d\r\n\r\n%b" % (self._head, len(body), body))
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
        connection.release()
        return message.code, message.headers, answer


_PER_REQUEST = frozenset({"content-length", "transfer-encoding"})
