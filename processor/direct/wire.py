"""One connection, and the answers that come on it, each read whole.

aiohttp finds the address and opens the connection, httptools parses what comes. aiohttp's own
reader hands an answer over piece by piece through two queues, and keeps it in two kinds of
dictionaries, which costs a third of the CPU of a call.
"""

import asyncio
import select
import sys
import zlib
from collections.abc import Callable, Iterator, Mapping

import httptools
from aiohttp import ClientPayloadError, ServerDisconnectedError
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection

Response = tuple[int, Mapping[str, str], bytes]
"""Status, headers, body."""

_HEAD_MOST_BYTES = 2**18
# Who gave up waiting for an answer may pass it on all the same, when it is nobody's any more.
_ANSWERED_TOO_SOON = frozenset({408, 504})
_LENGTHS = frozenset({"content-length", "transfer-encoding"})
_PACKINGS = frozenset({"gzip", "x-gzip", "deflate"})
_PACKED = (b"\x1f\x8b", b"\x78")  # how these begin, and no JSON does
_ANY_WRAPPING = 32 + zlib.MAX_WBITS


class Wire(asyncio.Protocol):
    """Takes a fresh connection over from aiohttp; makes one call after another.

    Args:
        connection: As the connector gave it; closed by `close`.
        loop: The running loop.

    Attributes:
        idle_since_s: When it was put aside, by the loop's time; kept by its owner.

    Raises:
        aiohttp.ServerDisconnectedError: It was lost meanwhile.
    """

    def __init__(self, connection: Connection, loop: asyncio.AbstractEventLoop) -> None:
        handler, transport = connection.protocol, connection.transport
        if handler is None or transport is None:
            raise ServerDisconnectedError
        self._connection = connection
        self._handler: ResponseHandler = handler
        self._transport = transport
        self._loop = loop
        self._told: dict[bytes, bytes] = {}
        # The dictionary's own method, which no frame of Python stands behind: headers are many.
        self.on_header = self._told.__setitem__
        self._parser = httptools.HttpResponseParser(self)
        self._parser.set_dangerous_leniencies(
            lenient_headers=True,  # a careless server's control characters; nobody obeys them
            lenient_optional_cr_before_lf=True,
            lenient_spaces_after_chunk_size=True,
        )
        self._waiter: asyncio.Future[Response] | None = None
        self._spent = handler.should_close  # it speaks before it is spoken to
        self._looks_quiet = _quiet(transport)
        self.idle_since_s = 0.0
        self._begin()
        transport.set_protocol(self)

    @property
    def is_usable(self) -> bool:
        """Whether a call can be made on it."""
        return not (self._spent or self._transport.is_closing())

    @property
    def is_quiet(self) -> bool:
        """Whether the last request has gone whole, and nothing has come since its answer.

        The loop may not have looked since: a second answer would be taken for the next call's,
        and what is left of a request for the beginning of the next one.
        """
        return self._looks_quiet()

    def call(self, request: bytes) -> "asyncio.Future[Response]":
        """Send a request; the future is done when the answer has been read to its end.

        It raises what aiohttp does: ClientError or OSError.
        """
        waiter = self._waiter = self._loop.create_future()
        self._transport.write(request)
        return waiter

    def close(self) -> None:
        """Close the connection at once, whatever is under way on it."""
        self._spent = True
        self._waiter = None
        self._transport.abort()  # TLS would wait for a farewell, half a minute if none comes
        self._connection.close()

    # --- what the event loop calls ---

    def data_received(self, data: bytes) -> None:
        """Bytes came."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserCallbackError:
            raise  # a bug of ours
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._break(f"The answer is no HTTP: {error}")
            return
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > _HEAD_MOST_BYTES:
                self._break("The answer is no HTTP: its headers have no end")

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone; an answer that tells no length ends with it."""
        self._spent = True
        if exc is None and self._in_body and _LENGTHS.isdisjoint(self._headers):
            self.on_message_complete()
        self._fail(exc or ServerDisconnectedError())  # what is no OSError is a bug, and crashes
        self._handler.connection_lost(exc)

    # --- what the parser calls ---

    def on_message_begin(self) -> None:
        """The first byte of an answer."""
        self._in_head = True
        if self._waiter is None:  # nobody asked for it
            self._spent = True

    def on_headers_complete(self) -> None:
        """The body follows; what is told behind its last chunk is not kept."""
        self._in_head, self._in_body = False, True
        self._headers = Headers(self._told.copy())

    def on_body(self, body: bytes) -> None:
        """A part of the body."""
        self._parts.append(body)

    def on_message_complete(self) -> None:
        """The last byte of an answer, or of one that only says that it will come."""
        status = self._parser.get_status_code()
        headers, body = self._headers, b"".join(self._parts)
        self._begin()
        if 100 <= status < 200:
            return
        if status in _ANSWERED_TOO_SOON or not self._parser.should_keep_alive():
            self._spent = True
        waiter, self._waiter = self._waiter, None
        if waiter is None or waiter.done():
            return
        try:
            body = _unpacked(body, headers)
        except zlib.error as error:
            waiter.set_exception(ClientPayloadError(f"The body is not packed as it says: {error}"))
        else:
            waiter.set_result((status, headers, body))

    def _begin(self) -> None:
        """Expect the next answer."""
        self._told.clear()
        self._headers = _NO_HEADERS
        self._head_bytes = 0
        self._parts: list[bytes] = []
        self._in_head = self._in_body = False

    def _fail(self, failure: Exception) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_exception(failure)

    def _break(self, why: str) -> None:
        self._spent = True
        self._fail(ClientPayloadError(why))
        self._transport.abort()


class Headers(Mapping[str, str]):
    """The headers of an answer, by names in any case; few are ever looked for.

    Args:
        told: As they came; of those that came twice the last.
    """

    __slots__ = ("_folded", "_told")

    def __init__(self, told: Mapping[bytes, bytes]) -> None:
        self._told = told
        self._folded: Mapping[bytes, bytes] | None = None

    def __getitem__(self, name: str) -> str:
        wanted = name.encode()
        value = self._told.get(wanted)  # most servers write small letters, and so do we
        if value is None:
            value = self._by_small_letters()[wanted.lower()]
        return value.decode("utf-8", "surrogateescape")

    def __iter__(self) -> Iterator[str]:
        return (name.decode("latin-1") for name in self._by_small_letters())

    def __len__(self) -> int:
        return len(self._by_small_letters())

    def _by_small_letters(self) -> Mapping[bytes, bytes]:
        if self._folded is None:
            self._folded = {name.lower(): value for name, value in self._told.items()}
        return self._folded


_NO_HEADERS = Headers({})


def _quiet(transport: asyncio.Transport) -> Callable[[], bool]:
    """What tells whether a connection could be written to and not be read from."""
    raw = transport.get_extra_info("socket")
    if sys.platform == "win32":
        return lambda: select.select([raw], [raw], [], 0)[:2] == ([], [raw])
    poll = select.poll()
    poll.register(raw, select.POLLIN | select.POLLOUT)
    quiet = [(raw.fileno(), select.POLLOUT)]
    return lambda: poll.poll(0) == quiet


def _unpacked(body: bytes, headers: Headers) -> bytes:
    """The body, also when it came compressed although nobody asked for it.

    Raises:
        zlib.error: It is not what it says.
    """
    if not body.startswith(_PACKED) or headers.get("content-encoding", "").lower() not in _PACKINGS:
        return body
    return zlib.decompressobj(_ANY_WRAPPING).decompress(body)
