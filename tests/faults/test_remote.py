"""FAULTS.md, Transport, HTTP status and Files, met by calls for files and batches."""

import asyncio
import gzip
import itertools
import re
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest

from faults.rude import Asked, Rude, Say, http, listening, rude
from processor.access import Access
from processor.batch.remote import Remote
from processor.batch.remote_values import RemoteError, Trouble
from processor.errors import LedgerError

KEY = "sk-a-key-that-nobody-may-see"
SECRET = "a-secret-of-the-gateway"
JSON = "Content-Type: application/json"
PAGE = b"<html><head><title>Log in</title></head><body>portal</body></html>"
HALF_A_CHUNK = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"
LINE = b'{"custom_id":"item-1","response":{"status_code":200,"body":{"x":"\xea\xb0\x80"}}}\n'
CONTENT = LINE * 500
BIG_BYTES = 8_000_000

Call = Callable[[Remote], Awaitable[Any]]


def calls(path: Path) -> dict[str, Call]:
    """Every method, by its name."""
    return {
        "upload": lambda remote: remote.upload(path, "a.jsonl"),
        "files_named": lambda remote: remote.files_named("a.jsonl", 1, 0.0),
        "file": lambda remote: remote.file("file-1"),
        "create": lambda remote: remote.create("file-1", "/v1/chat/completions", {"run": "r"}),
        "retrieve": lambda remote: remote.retrieve("batch_1"),
        "batches": lambda remote: remote.batches(0.0),
        "cancel": lambda remote: remote.cancel("batch_1"),
        "download": lambda remote: remote.download("file-1", path.with_name("answers.jsonl")),
        "delete_file": lambda remote: remote.delete_file("file-1"),
    }


CHANGING = {"upload", "create", "cancel"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "shard.jsonl"
    found.write_bytes(CONTENT)
    return found


@asynccontextmanager
async def remote(
    url: str, *, timeout_s: float = 5.0, trust_env: bool = False, **access: Any
) -> AsyncIterator[Remote]:
    told = Access(base_url=url, api_key=KEY, headers=(("X-Gateway", SECRET),), **access)
    async with Remote(told, timeout_s=timeout_s, connect_s=2.0, trust_env=trust_env) as it:
        yield it


async def failure(call: Awaitable[Any]) -> RemoteError:
    with pytest.raises(RemoteError) as caught:
        await call
    error = caught.value
    assert str(error).isprintable()
    assert str(error)
    for secret in (KEY, SECRET):
        assert secret not in "".join(traceback.format_exception(error))
    return error


def failed(answer: Rude, call: Call, **options: Any) -> RemoteError:
    """How one call fails at one server."""

    async def main() -> RemoteError:
        async with rude(answer) as server, remote(server.url, **options) as it:
            return await failure(call(it))

    return asyncio.run(main())


def all_failed(answer: Rude, path: Path) -> dict[str, RemoteError]:
    """How every method fails at one server."""

    async def main() -> dict[str, RemoteError]:
        async with rude(answer) as server, remote(server.url) as it:
            return {name: await failure(call(it)) for name, call in calls(path).items()}

    return asyncio.run(main())


def saying(data: bytes, then: str = "close") -> Rude:
    return lambda _: Say(data=data, then=then)


def only_content(data: bytes, then: str = "close", told: bytes = b"{}") -> Rude:
    """A server with one file, of which it tells what it is told to."""

    def answer(asked: Asked) -> Say:
        if b"/content" in asked.head:
            return Say(data=data, then=then)
        return Say(data=http(200, told, JSON), then="close")

    return answer


def left(path: Path) -> list[str]:
    return sorted(each.name for each in path.parent.iterdir())


@pytest.mark.fault(4, 5, 30, 41, 42, 95)
@pytest.mark.parametrize(
    ("data", "trouble", "code", "unclear"),
    [
        (http(500, b'{"error":{"message":"boom"}}', JSON), Trouble.AGAIN, "server_error", True),
        (http(502, PAGE), Trouble.AGAIN, "server_error", True),
        (http(429, b"", "Retry-After: 3"), Trouble.AGAIN, "rate_limited", False),
        (http(401, f'{{"error":"not {KEY}"}}'.encode(), JSON), Trouble.FATAL, "auth", False),
        (http(403, f"{SECRET} is no key".encode()), Trouble.FATAL, "forbidden", False),
        (http(422, b'{"detail":"no"}', JSON), Trouble.REFUSED, "unprocessable", False),
        (http(404, b'{"detail":"Not Found"}', JSON), Trouble.GONE, "not_found", False),
        (http(302, b"", "Location: http://127.0.0.1:9/"), Trouble.FATAL, "redirect", False),
        (b"", Trouble.AGAIN, "connection", True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n{", Trouble.AGAIN, "connection", True),
        (HALF_A_CHUNK, Trouble.AGAIN, "connection", True),
        (b"SSH-2.0-OpenSSH_9\r\n\r\n", Trouble.AGAIN, "connection", True),
        (http(200, f"{SECRET}: {KEY}".encode()), Trouble.AGAIN, "malformed", True),
        (http(200, PAGE), Trouble.AGAIN, "malformed", True),
        (http(200), Trouble.AGAIN, "malformed", True),
        (http(200, b"null", JSON), Trouble.AGAIN, "malformed", True),
        (http(200, b'{"error":"Overloaded"}', JSON), Trouble.AGAIN, "malformed", True),
    ],
)
def test_an_answer_that_is_none(
    path: Path, data: bytes, trouble: Trouble, code: str, unclear: bool
) -> None:
    """The same for every call; in doubt only where something may have been done."""
    for method, error in all_failed(saying(data), path).items():
        if trouble is Trouble.REFUSED and method in {"batches", "files_named"}:
            assert error.trouble is Trouble.GONE, "a list that takes no questions is none"
            continue
        assert (error.trouble, error.code) == (trouble, code), method
        assert error.in_doubt is (unclear and method in CHANGING), method
        assert error.retry_after_s == (3.0 if code == "rate_limited" else None)
    assert left(path) == ["shard.jsonl"]


@pytest.mark.parametrize("method", ["upload", "file", "create", "retrieve", "cancel"])
def test_a_success_without_an_id(path: Path, method: str) -> None:
    error = failed(saying(http(200, b'{"id":""}', JSON)), calls(path)[method])
    assert (error.trouble, error.code) == (Trouble.AGAIN, "malformed")
    assert error.in_doubt is (method in CHANGING)


@pytest.mark.parametrize("data", [http(204), http(200, b'{"id":"file-1","deleted":true}', JSON)])
def test_a_file_is_deleted(data: bytes) -> None:
    async def main() -> None:
        async with rude(saying(data)) as server, remote(server.url) as it:
            await it.delete_file("file-1")
            assert server.asked[0].head.startswith(b"DELETE /v1/files/file-1 ")

    asyncio.run(main())


@pytest.mark.fault(1, 3)
@pytest.mark.parametrize(
    ("url", "code"),
    [("http://127.0.0.1:9/v1", "unreachable"), ("http://nowhere.invalid/v1", "dns")],
)
def test_nobody_there(path: Path, url: str, code: str) -> None:
    """Nothing was sent, so nothing is in doubt."""

    async def main() -> list[RemoteError]:
        async with remote(url) as it:
            return [await failure(call(it)) for call in calls(path).values()]

    for error in asyncio.run(main()):
        assert (error.trouble, error.code) == (Trouble.AGAIN, code)
        assert not error.in_doubt


def test_an_address_that_cannot_be() -> None:
    async def main() -> None:
        async with remote("http://xn--zz\u00e9/v1"):
            pass

    with pytest.raises(RemoteError) as caught:
        asyncio.run(main())
    assert (caught.value.trouble, caught.value.code) == (Trouble.AGAIN, "dns")


def drip(part: bytes = b"", data: bytes = b"") -> Callable[..., Awaitable[None]]:
    """A server that reads a head, and then says a byte at a time, for ever."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(part)
        for byte in itertools.cycle(data):
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0.02)
        await reader.read()

    return serve


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@pytest.mark.fault(6, 7)
@pytest.mark.parametrize(
    ("part", "data"),
    [
        pytest.param(b"", HEAD, id="a head byte by byte"),
        pytest.param(HEAD + b"\r\n", b" ", id="a body byte by byte"),
        pytest.param(HEAD + b"\r\n", b"", id="headers, then silence"),
    ],
)
def test_the_total_deadline(path: Path, part: bytes, data: bytes) -> None:
    """Reads that never time out by themselves."""

    async def main() -> dict[str, RemoteError]:
        async with listening(drip(part, data)) as url, remote(url, timeout_s=1) as it:
            tasks = {
                name: asyncio.create_task(failure(call(it))) for name, call in calls(path).items()
            }
            return {name: await asyncio.wait_for(task, 9) for name, task in tasks.items()}

    for method, error in asyncio.run(main()).items():
        assert (error.trouble, error.code) == (Trouble.AGAIN, "timeout")
        assert error.in_doubt is (method in CHANGING)
        assert str(error) == "No whole answer within 1 s"


def uploading(
    serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
    path: Path,
    **options: Any,
) -> Any:
    """What a server makes of an upload that is larger than all buffers on the way."""
    path.write_bytes(b"x" * BIG_BYTES)

    async def main() -> Any:
        async with listening(serve) as url, remote(url, **options) as it:
            return await asyncio.wait_for(it.upload(path, "a.jsonl"), 5)

    try:
        return asyncio.run(main())
    except RemoteError as error:
        return error


def test_an_upload_drops(path: Path) -> None:
    """FAULTS.md 77."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(1_000_000)
        writer.transport.abort()

    error = uploading(serve, path)
    assert (error.trouble, error.code) == (Trouble.AGAIN, "connection")
    assert error.in_doubt


def test_an_upload_that_nobody_takes(path: Path) -> None:
    async def serve(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.readexactly(1_000)
        await asyncio.sleep(3)

    error = uploading(serve, path, timeout_s=0.2)
    assert (error.trouble, error.code, error.in_doubt) == (Trouble.AGAIN, "timeout", True)


def test_an_upload_is_refused_while_it_goes(path: Path) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(1_000_000)
        writer.write(http(413, b'{"error":{"message":"Too large."}}', JSON, "Connection: close"))
        while await reader.read(1 << 16):
            pass

    error = uploading(serve, path)
    assert (error.trouble, error.code, error.in_doubt) == (Trouble.REFUSED, "too_large", False)
    assert str(error) == "Too large."


def test_a_slow_upload_is_given_its_time(path: Path) -> None:
    """It takes far longer than the deadline, which moves along."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        left = BIG_BYTES
        while left > 0:
            left -= len(await reader.readexactly(min(left, 800_000)))
            await asyncio.sleep(0.06)
        writer.write(http(200, b'{"id":"file-1","bytes":8000000,"filename":"a.jsonl"}', JSON))
        await reader.read()

    assert uploading(serve, path, timeout_s=0.3).id == "file-1"


def fetched(answer: Rude, path: Path) -> tuple[int, bytes]:
    async def main() -> int:
        async with rude(answer) as server, remote(server.url) as it:
            return await it.download("file-1", path)

    return asyncio.run(main()), path.read_bytes()


def parts(body: bytes, *sizes: int) -> Iterator[bytes]:
    for size in sizes:
        yield b"%x\r\n%b\r\n" % (size, body[:size])
        body = body[size:]
    yield b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(http(200, CONTENT), CONTENT, id="by its length"),
        pytest.param(http(200, CONTENT, length=False), CONTENT, id="to the end"),
        pytest.param(http(200, CONTENT[:-1]), CONTENT[:-1], id="no line break at the end"),
        pytest.param(http(200, b""), b"", id="empty"),
        pytest.param(http(200, CONTENT, version="1.0", length=False), CONTENT, id="HTTP/1.0"),
        pytest.param(
            http(200, gzip.compress(CONTENT), "Content-Encoding: gzip"), CONTENT, id="compressed"
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            + b"".join(parts(CONTENT, 1, 17, 4_000)),
            CONTENT,
            id="in chunks",
        ),
    ],
)
def test_a_download(tmp_path: Path, data: bytes, expected: bytes) -> None:
    told = b'{"id":"file-1","bytes":%d}' % len(expected)
    landed = tmp_path / "answers.jsonl"
    assert fetched(only_content(data, told=told), landed) == (len(expected), expected)
    assert left(landed) == ["answers.jsonl"]


NINE_TENTHS = LINE * 450
TOLD = b'{"id":"file-1","bytes":%d}' % len(CONTENT)
CUT = NINE_TENTHS + LINE[:30]


@pytest.mark.fault(79)
@pytest.mark.parametrize(
    ("data", "told"),
    [
        pytest.param(http(200, CONTENT)[: -len(LINE) * 50], TOLD, id="less than its length"),
        pytest.param(http(200, CONTENT)[: -len(LINE) * 50], b"{}", id="size not told"),
        pytest.param(http(200, NINE_TENTHS, length=False), TOLD, id="to the end, whole lines"),
        pytest.param(http(200, NINE_TENTHS), TOLD, id="a length that is too small"),
        pytest.param(http(200, CUT, length=False), b"{}", id="to the end, a line cut off"),
        pytest.param(
            http(200, gzip.compress(CUT)[:-30], "Content-Encoding: gzip", length=False),
            b"{}",
            id="compressed and cut off",
        ),
        pytest.param(
            http(200, CONTENT, "Content-Encoding: gzip"), b"{}", id="not compressed at all"
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            + b"".join(parts(CONTENT, 4_000))[:-5],
            b"{}",
            id="in chunks, without the last",
        ),
        pytest.param(http(200, PAGE), b"{}", id="a page"),
        pytest.param(http(200, b'{"error":{"message":"busy"}}', JSON), b"{}", id="an error"),
        pytest.param(http(200, b""), TOLD, id="nothing"),
    ],
)
@pytest.mark.parametrize("then", ["close", "reset"])
def test_a_download_in_part(path: Path, data: bytes, told: bytes, then: str) -> None:
    """It is asked for again, and half a file is never seen."""
    answer = only_content(data, then, told)
    error = failed(answer, calls(path)["download"])
    assert error.trouble is Trouble.AGAIN
    assert error.code in {"connection", "malformed"}
    assert left(path) == ["shard.jsonl"]


def ranged(content: bytes, most: int, *, wrong: bool = False) -> Rude:
    """A server that never gives more than so much before it breaks off."""

    def answer(asked: Asked) -> Say:
        if b"/content" not in asked.head:
            return Say(data=http(200, b"{}", JSON), then="close")
        begin = int((re.findall(rb"[Rr]ange: bytes=(\d+)-\r\n", asked.head) or [b"0"])[0])
        if begin == len(content):
            return Say(data=http(416), then="close")
        told = f"Content-Range: bytes {begin + wrong}-{len(content) - 1}/{len(content)}"
        head = http(206, content[begin:], told) if begin else http(200, content)
        over = max(0, len(content) - begin - most)
        return Say(data=head[: len(head) - over], then="close")

    return answer


@pytest.mark.fault(79)
@pytest.mark.parametrize("most", [40_000, 15_000, len(CONTENT)])
def test_a_download_goes_on_where_it_broke_off(tmp_path: Path, most: int) -> None:
    """A connection that never lasts long enough brings the file all the same."""
    landed = tmp_path / "answers.jsonl"
    assert fetched(ranged(CONTENT, most), landed) == (len(CONTENT), CONTENT)


def test_a_download_breaks_right_at_the_end(tmp_path: Path) -> None:
    landed = tmp_path / "answers.jsonl"
    endless = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

    def answer(asked: Asked) -> Say:
        if b"range: " in asked.head.lower():
            return Say(data=http(416), then="close")
        return only_content(endless + b"%x\r\n%b\r\n" % (len(CONTENT), CONTENT))(asked)

    assert fetched(answer, landed) == (len(CONTENT), CONTENT)


def test_another_part_than_was_asked_for(path: Path) -> None:
    error = failed(ranged(CONTENT, 15_000, wrong=True), calls(path)["download"])
    assert (error.trouble, error.code) == (Trouble.AGAIN, "malformed")
    assert left(path) == ["shard.jsonl"]


def test_a_download_leaves_what_was_there(path: Path) -> None:
    landed = path.with_name("answers.jsonl")
    landed.write_bytes(b"before")
    failed(only_content(http(200, CUT, length=False)), calls(path)["download"])
    assert landed.read_bytes() == b"before"


def test_a_slow_download_is_given_its_time(tmp_path: Path) -> None:
    block = LINE * 5_000

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        if b"/content" not in head:
            writer.write(TOLD)
            return
        for _ in range(10):
            writer.write(block)
            await writer.drain()
            await asyncio.sleep(0.05)

    async def main() -> int:
        async with listening(serve) as url, remote(url, timeout_s=0.3) as it:
            return await asyncio.wait_for(it.download("file-1", tmp_path / "a"), 5)

    assert asyncio.run(main()) == 10 * len(block)


def test_a_download_that_is_cancelled_leaves_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        begun = asyncio.Event()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(http(200, CONTENT, length=False))
            await writer.drain()
            begun.set()
            await reader.read()

        async with listening(serve) as url, remote(url) as it:
            task = asyncio.create_task(it.download("file-1", tmp_path / "a"))
            await begun.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(main())
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_elsewhere(tmp_path: Path) -> None:
    """A file may be where the provider stores it; there nobody gets the key."""
    landed = tmp_path / "answers.jsonl"

    async def main() -> bytes:
        async with rude(saying(http(200, CONTENT))) as store:
            target = store.url.replace("/v1", "/store?signature=x")
            moved = only_content(http(302, b"", f"Location: {target}"))
            async with rude(moved) as server, remote(server.url) as it:
                await it.download("file-1", landed)
                assert it.calls == 3
            return store.asked[0].head

    head = asyncio.run(main())
    assert head.startswith(b"GET /store?signature=x ")
    assert KEY.encode() not in head
    assert SECRET.encode() not in head
    assert landed.read_bytes() == CONTENT


@pytest.mark.fault(15)
def test_a_redirect_without_end(path: Path) -> None:
    loop = only_content(http(302, b"", "Location: /v1/files/file-1/content"))
    error = failed(loop, calls(path)["download"])
    assert (error.trouble, error.code) == (Trouble.FATAL, "redirect")


@pytest.mark.parametrize("method", ["batches", "files_named"])
def test_a_list_without_end(path: Path, method: str) -> None:
    numbers = itertools.count()

    def answer(_: Asked) -> Say:
        page = {"data": [{"id": f"one-{next(numbers)}"}], "has_more": True}
        return Say(data=http(200, orjson.dumps(page), JSON))

    error = failed(answer, calls(path)[method])
    assert error.trouble is Trouble.GONE
    assert next(numbers) <= 500


@pytest.mark.parametrize("method", ["batches", "files_named"])
def test_a_list_that_ignores_where_to_begin(path: Path, method: str) -> None:
    page = {"data": [{"id": "one"}], "has_more": True}
    error = failed(saying(http(200, orjson.dumps(page), JSON)), calls(path)[method])
    assert (error.trouble, error.code) == (Trouble.GONE, "not_found")


@pytest.mark.fault(14)
def test_a_connection_that_the_peer_closed(path: Path) -> None:
    """Another one is made."""

    async def main() -> None:
        good = http(200, b'{"id":"batch_1","filename":"a.jsonl"}', JSON)
        async with rude(saying(good)) as server, remote(server.url) as it:
            for _ in range(5):
                assert (await it.create("file-1", "/v1/responses", {})).id == "batch_1"
                assert (await it.upload(path, "a.jsonl")).name == "a.jsonl"
            assert server.connections == it.calls == 10

    asyncio.run(main())


def test_a_local_file_that_is_not_there(tmp_path: Path) -> None:
    async def main() -> None:
        async with rude(only_content(http(200, CONTENT))) as server, remote(server.url) as it:
            with pytest.raises(LedgerError, match="No such file"):
                await it.upload(tmp_path / "nothing.jsonl", "a.jsonl")
            with pytest.raises(LedgerError, match="No such file"):
                await it.download("file-1", tmp_path / "no folder" / "a.jsonl")

    asyncio.run(main())


@pytest.mark.parametrize("some_id", ["", ".", ".."])
def test_an_id_that_cannot_be(some_id: str) -> None:
    async def main() -> None:
        async with rude(saying(b"")) as server, remote(server.url) as it:
            for call in (it.file, it.retrieve, it.cancel, it.delete_file):
                error = await failure(call(some_id))
                assert error.trouble is Trouble.REFUSED
            assert server.asked == []

    asyncio.run(main())


def test_a_short_secret_is_no_part_of_an_id() -> None:
    """Only what failed is searched for secrets: an answer may hold them as words."""

    async def main() -> None:
        told = http(200, b'{"id":"batch_production","metadata":{"run":"production"}}', JSON)
        async with rude(saying(told)) as server:
            access = Access(base_url=server.url, headers=(("X-Stage", "production"),))
            async with Remote(access, timeout_s=5, connect_s=2, trust_env=False) as it:
                batch = await it.retrieve("batch_production")
        assert (batch.id, batch.metadata) == ("batch_production", {"run": "production"})

    asyncio.run(main())
