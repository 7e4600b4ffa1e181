"""One connection after the other, before a server that minds no rule: on both event loops, with TLS
and without."""

import asyncio
import gzip
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from threading import Event, Thread
from typing import Any

import aiohttp
import pytest
from hypothesis import given, strategies as st
from yarl import URL

from processor.direct.exchange import Exchange
from processor.direct.wire import Response, Wire
from processor.loop import run_in_loop

Runner = Callable[[Coroutine[Any, Any, None]], None]

FIRST = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nFirst"
WRONG = FIRST.replace(b"First", b"WRONG")
LARGE = b"x" * 20_000_000  # more than sockets hold
CHUNKED = (
    b"HTTP/1.1 100 Continue\r\n\r\n"
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-Empty:\r\n\r\n"
    b"2;a=b\r\nFi\r\n3\r\nrst\r\n0\r\nX-Empty: no longer\r\n\r\n"
)
_PACKED = gzip.compress(b"First", mtime=0)
_PACKED_HEAD = b"HTTP/1.1 200 OK\r\nContent-Encoding: GZIP\r\nContent-Length: %d\r\n\r\n"
PACKED = _PACKED_HEAD % len(_PACKED) + _PACKED

both_loops = pytest.mark.parametrize("run", [asyncio.run, run_in_loop], ids=["asyncio", "uvloop"])
with_and_without_tls = pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])


class Peer:
    """A server outside of the loop: each connection is answered once, then it is the test's.

    Attributes:
        connections: In the order in which they came.
        was_asked: Set once it has read a request.
    """

    def __init__(self, answer: bytes, certificate: Path | None) -> None:
        self.connections: list[socket.socket] = []
        self.was_asked = Event()
        self._answer = answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.trust: ssl.SSLContext | bool = True
        self._context: ssl.SSLContext | None = None
        if certificate is not None:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(certificate)
            self.trust = ssl.create_default_context(cafile=str(certificate))
        self._thread = Thread(target=self._serve)

    @contextmanager
    def serving(self) -> Iterator[None]:
        self._thread.start()
        try:
            yield
        finally:
            socket.create_connection(("127.0.0.1", self.port)).close()  # it stops at this one
            self._thread.join()
            self._listener.close()
            for connection in self.connections:
                connection.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.connections.append(connection)
                if self._context is not None:
                    connection = self._context.wrap_socket(connection, server_side=True)
                    self.connections[-1] = connection
                if not connection.recv(65_536):
                    return
                self.was_asked.set()
                connection.sendall(self._answer)


@asynccontextmanager
async def exchanging(peer: Peer) -> AsyncIterator[Exchange]:
    """An exchange with it, closed at the end as the transport closes its own."""
    scheme = "http" if peer.trust is True else "https"
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, ssl=peer.trust),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=20),
    ) as session:
        exchange = Exchange(session, URL(f"{scheme}://127.0.0.1:{peer.port}/v1"), {})
        try:
            yield exchange
        finally:
            exchange.close()


def talk(run: Runner, peer: Peer, test: Callable[[Exchange], Coroutine[Any, Any, None]]) -> None:
    async def main() -> None:
        async with asyncio.timeout(20), exchanging(peer) as exchange:
            await test(exchange)

    with peer.serving():
        run(main())


@both_loops
@with_and_without_tls
@pytest.mark.parametrize("then", ["answer", "end"])
def test_what_came_unseen_since_the_last_answer_is_noticed_before_the_next_request(
    run: Runner, certificate: Path, *, tls: bool, then: str
) -> None:
    """The loop has not looked: a second answer would be the next item's, an end a call in doubt."""
    peer = Peer(FIRST, certificate if tls else None)

    async def test(exchange: Exchange) -> None:
        assert (await exchange.post(b"1"))[2] == b"First"
        if then == "answer":
            peer.connections[0].sendall(WRONG)
        else:
            peer.connections[0].close()
        assert (await exchange.post(b"2"))[2] == b"First"
        assert len(peer.connections) == 2

    talk(run, peer, test)


@both_loops
@with_and_without_tls
def test_a_request_that_was_answered_before_it_had_gone_whole_is_the_last_of_its_connection(
    run: Runner, certificate: Path, *, tls: bool
) -> None:
    """What is left of it would be taken for the beginning of the next one."""
    peer = Peer(FIRST.replace(b"200 OK", b"413 Too much"), certificate if tls else None)

    async def test(exchange: Exchange) -> None:
        assert (await exchange.post(LARGE))[0] == 413
        assert (await exchange.post(b"2"))[0] == 413
        assert len(peer.connections) == 2

    talk(run, peer, test)


@both_loops
@with_and_without_tls
@pytest.mark.parametrize("cancelled", [False, True])
def test_nothing_stays_open_when_the_peer_takes_no_leave(
    run: Runner, certificate: Path, *, tls: bool, cancelled: bool
) -> None:
    """TLS would wait half a minute for its farewell; a loop that ends earlier finds it open."""
    peer = Peer(b"HTTP/1.1 200 OK\r\n" if cancelled else FIRST, certificate if tls else None)

    async def test(exchange: Exchange) -> None:
        call = asyncio.ensure_future(exchange.post(b"1"))
        await asyncio.to_thread(peer.was_asked.wait)
        if cancelled:
            call.cancel()
        await asyncio.wait([call])
        assert call.cancelled() == cancelled

    talk(run, peer, test)
    # Its sockets were closed with the loop, or the warning that they were not fails this test.


@both_loops
@pytest.mark.parametrize("status", [408, 504])
def test_who_gave_up_waiting_is_asked_nothing_more_on_that_connection(
    run: Runner, status: int
) -> None:
    """The answer that it waited for may still come."""
    peer = Peer(FIRST.replace(b"200", b"%d" % status), None)

    async def test(exchange: Exchange) -> None:
        assert (await exchange.post(b"1"))[0] == status
        assert (await exchange.post(b"2"))[0] == status
        assert len(peer.connections) == 2

    talk(run, peer, test)


async def answers_to(exchange: Exchange, *answers: Sequence[bytes]) -> list[Response]:
    """What a connection makes of answers that come in these pieces, one after another."""
    wire: Wire = await exchange._connect()
    try:
        read = []
        for pieces in answers:
            waiter = wire.call(b"")
            for piece in pieces:
                wire.data_received(piece)
            assert wire.is_usable
            read.append(await waiter)
        return read
    finally:
        wire.close()


@pytest.mark.parametrize("answer", [FIRST, CHUNKED, PACKED], ids=["plain", "chunks", "gzip"])
@given(data=st.data())
def test_an_answer_is_the_same_in_whatever_pieces_it_comes(
    answer: bytes, data: st.DataObject
) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(1, len(answer) - 1))))
    pieces = [answer[a:b] for a, b in zip([0, *cuts], [*cuts, len(answer)], strict=True)]
    each = [answer[at : at + 1] for at in range(len(answer))]
    peer = Peer(b"", None)

    async def test(exchange: Exchange) -> None:
        for status, headers, body in await answers_to(exchange, pieces, each, [answer]):
            assert (status, body) == (200, b"First")
            assert headers.get("x-empty", "") == ""

    talk(asyncio.run, peer, test)


def test_the_size_of_an_answer_does_not_count_against_the_headers_of_the_next() -> None:
    large = b"HTTP/1.1 200 OK\r\nContent-Length: 250000\r\n\r\n" + b"x" * 250_000
    head = FIRST.replace(b"\r\n\r\n", b"\r\nX-Long: " + b"y" * 100_000 + b"\r\n\r\n")
    peer = Peer(b"", None)

    async def test(exchange: Exchange) -> None:
        read = await answers_to(exchange, [large], [head[:50_000], head[50_000:]])
        assert [len(body) for _, _, body in read] == [250_000, 5]

    talk(asyncio.run, peer, test)
