"""What goes wrong below HTTP, as a value: on both event loops that runs are made in."""

import asyncio
import socket
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from processor.access import Access
from processor.codes import cause_of
from processor.direct.transport import Reply, Transport, TransportError
from processor.loop import run_in_loop
from processor.verdict import Fault, TransportFault, judge, judge_failure

KEY = "sk-test-0123456789"
PATH = "/v1/chat/completions"

Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Runner = Callable[[Coroutine[Any, Any, None]], None]

both_loops = pytest.mark.parametrize("run", [asyncio.run, run_in_loop], ids=["asyncio", "uvloop"])


@asynccontextmanager
async def listening(answer: Answer, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A server that answers as told; yields its port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await answer(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def fault_of(url: str, *, trust_env: bool = False) -> TransportFault:
    async with Transport(Access(base_url=url, api_key=KEY), trust_env=trust_env) as transport:
        with pytest.raises(TransportError) as caught:
            await transport.post(PATH, b"{}")
    assert KEY not in str(caught.value)
    return caught.value.fault


async def reply_of(url: str, *, trust_env: bool = False) -> Reply:
    async with Transport(Access(base_url=url, api_key=KEY), trust_env=trust_env) as transport:
        return await transport.post(PATH, b"{}")


def saying(text: str) -> Answer:
    """Reads the request's head, then says this and hangs up."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(text.replace("\n", "\r\n").encode())
        await writer.drain()

    return answer


async def hang_up(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    """Closes what it accepted."""


async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    raw = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    writer.transport.abort()


@both_loops
@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("http://127.0.0.1:1/v1", Fault.REFUSED),
        ("https://127.0.0.1:1/v1", Fault.REFUSED),
        ("http://nonexistent.invalid/v1", Fault.DNS),
        (f"http://{'a' * 70}.invalid/v1", Fault.DNS),
        ("http://a..invalid/v1", Fault.DNS),
        ("http://127.0.0.1:99999/v1", Fault.OTHER),
        ("http://name:secret@127.0.0.1:1/v1", Fault.OTHER),
    ],
)
def test_an_address_that_leads_nowhere_is_unreachable(run: Runner, url: str, fault: Fault) -> None:
    async def main() -> None:
        found = await fault_of(url)
        assert (found.fault, found.sent) == (fault, False)
        verdict = judge_failure(found)
        assert verdict.unreachable
        assert "secret" not in verdict.message

    run(main())


@both_loops
@pytest.mark.parametrize(
    "answer",
    [
        saying(""),
        saying("HTTP/1.1 200 OK\nContent-Length: 100\n\n{"),
        saying("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n5\n{"),
        reset,
    ],
    ids=["before the headers", "in the body", "in a chunk", "reset"],
)
def test_a_call_cut_off_may_have_been_charged(run: Runner, answer: Answer) -> None:
    async def main() -> None:
        async with listening(answer) as port:
            found = await fault_of(f"http://127.0.0.1:{port}/v1")
        assert (found.fault, found.sent) == (Fault.RESET, True)

    run(main())


@both_loops
def test_an_answer_that_is_no_http_is_a_fault_of_the_call(run: Runner) -> None:
    async def main() -> None:
        async with listening(saying("SSH-2.0-OpenSSH_9.9\n")) as port:
            found = await fault_of(f"http://127.0.0.1:{port}/v1")
        assert judge_failure(found).code == "connection"

    run(main())


@both_loops
def test_a_certificate_nobody_trusts_is_fatal_and_names_the_way_out(
    run: Runner, certificate: Path
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    async def main() -> None:
        async with listening(saying("HTTP/1.1 200 OK\nContent-Length: 2\n\n{}"), context) as port:
            found = await fault_of(f"https://127.0.0.1:{port}/v1")
        verdict = judge_failure(found)
        assert (verdict.code, verdict.kind) == ("tls", "fatal")
        assert "SSL_CERT_FILE" in cause_of("tls").remedy
        assert "trust store" in cause_of("tls").remedy

    run(main())


def test_a_certificate_named_in_ssl_cert_file_is_trusted(certificate: Path) -> None:
    """In a process of its own: the client reads the variable once."""
    program = """\
import asyncio, ssl, sys
sys.path.insert(0, sys.argv[2])
from test_transport import listening, reply_of, saying
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1])
async def main():
    answer = saying("HTTP/1.1 200 OK\\nContent-Length: 2\\n\\n{}")
    async with listening(answer, context) as port:
        print((await reply_of(f"https://127.0.0.1:{port}/v1")).status)
asyncio.run(main())
"""
    ended = subprocess.run(
        [sys.executable, "-c", program, str(certificate), str(Path(__file__).parent)],
        env={"SSL_CERT_FILE": str(certificate)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.stdout, ended.returncode) == ("200\n", 0), ended.stderr


@both_loops
def test_https_to_a_server_without_tls_is_fatal(run: Runner) -> None:
    async def main() -> None:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(1)
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            await writer.drain()

        async with listening(answer) as port:
            found = await fault_of(f"https://127.0.0.1:{port}/v1")
        assert found.fault is Fault.TLS

    run(main())


@both_loops
def test_hanging_up_during_the_handshake_is_no_question_of_trust(run: Runner) -> None:
    async def main() -> None:
        async with listening(hang_up) as port:
            found = await fault_of(f"https://127.0.0.1:{port}/v1")
        verdict = judge_failure(found)
        assert verdict.kind == "retry"

    run(main())


@both_loops
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_told_and_not_followed(run: Runner, status: int) -> None:
    async def main() -> None:
        calls = 0

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal calls
            calls += 1
            head = (
                f"HTTP/1.1 {status} Elsewhere\nLocation: https://me:pw12@elsewhere.example/v1?k=1\n"
            )
            await saying(head + "Content-Length: 0\n\n")(reader, writer)

        async with listening(answer) as port:
            verdict = judge_failure(await fault_of(f"http://127.0.0.1:{port}/v1"))
        assert (verdict.code, verdict.barred) == ("redirect", True)
        assert "elsewhere.example/v1" in verdict.message
        assert "pw12" not in verdict.message
        assert calls == 1

    run(main())


@both_loops
@pytest.mark.parametrize(
    ("status", "code", "kind"), [(407, "proxy_auth", "fatal"), (502, "proxy", "retry")]
)
def test_a_proxy_that_refuses_the_tunnel(
    run: Runner, status: int, code: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        heads = []

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            heads.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(f"HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n".encode())
            await writer.drain()

        async with listening(answer) as port:
            monkeypatch.setenv("HTTPS_PROXY", f"http://name:pw12@127.0.0.1:{port}")
            monkeypatch.delenv("NO_PROXY", raising=False)
            monkeypatch.delenv("no_proxy", raising=False)
            monkeypatch.delenv("https_proxy", raising=False)
            found = await fault_of("https://api.example.invalid/v1", trust_env=True)
        (head,) = heads
        assert head.startswith(b"CONNECT api.example.invalid:443")
        assert b"proxy-authorization: basic" in head.lower()
        assert KEY.encode() not in head
        verdict = judge_failure(found)
        assert (verdict.code, verdict.kind) == (code, kind)
        assert "pw12" not in verdict.message

    run(main())


@both_loops
@pytest.mark.parametrize("proxy", ["http://127.0.0.1:1", "socks5://127.0.0.1:1", "127.0.0.1:1"])
def test_a_proxy_that_is_not_there_or_of_another_kind(
    run: Runner, proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    monkeypatch.setenv("https_proxy", proxy)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)

    async def main() -> None:
        verdict = judge_failure(await fault_of("https://api.example.invalid/v1", trust_env=True))
        assert verdict.unreachable
        assert verdict.code in {"proxy", "connection", "unreachable"}

    run(main())


def test_a_netrc_neither_replaces_the_key_nor_breaks_the_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login name password pw12\n")
    monkeypatch.setenv("NETRC", str(netrc))

    async def main() -> None:
        heads = []

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            heads.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
            await writer.drain()

        async with listening(answer) as port:
            assert (await reply_of(f"http://127.0.0.1:{port}/v1", trust_env=True)).status == 200
        assert f"Authorization: Bearer {KEY}".encode() in heads[0]

    asyncio.run(main())


@pytest.mark.parametrize(
    ("status", "kind", "masked"),
    [
        (400, "application/json", True),
        (200, "text/html", True),
        (200, "application/json", False),
    ],
)
def test_the_key_is_masked_where_no_model_speaks(status: int, kind: str, *, masked: bool) -> None:
    body = f'{{"error": "you sent {KEY}"}}'

    async def main() -> None:
        head = f"HTTP/1.1 {status} X\nContent-Type: {kind}\nContent-Length: {len(body)}\n\n"
        async with listening(saying(head + body)) as port:
            reply = await reply_of(f"http://127.0.0.1:{port}/v1")
        assert (KEY.encode() not in reply.body) == masked
        assert judge(status, reply.body).kind is not None

    asyncio.run(main())


@pytest.mark.parametrize("status", [200, 400])
def test_an_answer_keeps_what_a_header_says_of_who_asks(status: int) -> None:
    """A row may be about the very site that a router wants to be told; a key it is not about."""
    site, key = "https://www.our-company.example.org", "gateway-key-0123456789"
    body = f'{{"choices": "{site} {key}"}}'
    head = f"HTTP/1.1 {status} X\nContent-Type: application/json\nContent-Length: {len(body)}\n\n"

    async def main() -> None:
        async with listening(saying(head + body)) as port:
            headers = (("HTTP-Referer", site), ("X-Gateway", key))
            access = Access(base_url=f"http://127.0.0.1:{port}/v1", headers=headers)
            async with Transport(access, trust_env=False) as transport:
                reply = await transport.post(PATH, b"{}")
        assert (site.encode() in reply.body) == (status == 200)
        assert key.encode() not in reply.body

    asyncio.run(main())


@both_loops
def test_a_body_that_ends_with_the_connection_is_read(run: Runner) -> None:
    """Without a length; it was paid for."""

    async def main() -> None:
        async with listening(saying("HTTP/1.1 200 OK\n\nwhole")) as port:
            reply = await reply_of(f"http://127.0.0.1:{port}/v1")
        assert (reply.status, reply.body) == (200, b"whole")

    run(main())
