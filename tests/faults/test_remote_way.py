"""FAULTS.md 9-11: what stands between here and the provider, met by calls for files and batches."""

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from faults.proxies import PASSWORD, USER, proxy, serving
from faults.rude import Asked, Say, http, rude
from processor.access import Access
from processor.batch.remote import Remote
from processor.batch.remote_values import RemoteError, Trouble

HOST = "api.example.invalid"
KEY = "sk-a-key-that-nobody-may-see"
ENTRY = b64encode(f"{USER}:{PASSWORD}".encode())
PAGE = b"<html><head><title>502 Bad Gateway</title></head><body>squid</body></html>"


def good(_: Asked) -> Say:
    return Say(data=http(200, b'{"id":"batch_1","status":"validating"}'))


@asynccontextmanager
async def remote(url: str, *, trust_env: bool = True) -> AsyncIterator[Remote]:
    access = Access(base_url=url, api_key=KEY)
    async with Remote(access, timeout_s=10, connect_s=5, trust_env=trust_env) as it:
        yield it


def create(it: Remote) -> Awaitable[Any]:
    return it.create("file-1", "/v1/chat/completions", {})


async def failure(url: str) -> RemoteError:
    async with remote(url) as it:
        with pytest.raises(RemoteError) as caught:
            await create(it)
    assert PASSWORD not in str(caught.value)
    return caught.value


@pytest.mark.fault(9)
def test_a_certificate_nobody_trusts(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fatal, nothing sent; the remedy that is told is the one that helps."""

    async def main() -> None:
        async with rude(good, tls=serving(certificate)) as server:
            error = await failure(server.url)
            assert (error.trouble, error.code, error.in_doubt) == (Trouble.FATAL, "tls", False)
            assert server.asked == []
            monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
            async with remote(server.url) as it:
                assert (await create(it)).id == "batch_1"

    asyncio.run(main())


@pytest.mark.fault(10, 95)
@pytest.mark.parametrize("scheme", ["https", "http"])
def test_a_proxy(certificate: Path, monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    """Without its password nothing goes on; of a tunnel it sees no key."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    name = f"{scheme.upper()}_PROXY"

    async def main() -> None:
        tls = serving(certificate) if scheme == "https" else None
        async with rude(good, tls=tls) as server, proxy(server.url, demands=ENTRY) as way:
            monkeypatch.setenv(name, way.url.replace(PASSWORD, "wrong"))
            error = await failure(f"{scheme}://{HOST}/v1")
            assert (error.trouble, error.code) == (Trouble.FATAL, "proxy_auth")
            assert not error.in_doubt
            assert server.asked == []
            monkeypatch.setenv(name, way.url)
            async with remote(f"{scheme}://{HOST}/v1") as it:
                assert (await create(it)).id == "batch_1"
            if scheme == "https":
                assert not any(KEY.encode() in head for head in way.heads)
                assert not any(b"proxy-authorization" in one.head.lower() for one in server.asked)

    asyncio.run(main())


def test_a_proxy_that_is_named_goes_before_the_environments(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", HOST)

    async def main() -> None:
        async with (
            rude(good, tls=serving(certificate)) as server,
            proxy(server.url, demands=ENTRY) as way,
        ):
            access = Access(base_url=f"https://{HOST}/v1", api_key=KEY, proxy=way.url)
            async with Remote(access, timeout_s=10, connect_s=5, trust_env=True) as it:
                assert (await create(it)).id == "batch_1"
            assert not any(KEY.encode() in head for head in way.heads)

    asyncio.run(main())


@pytest.mark.fault(11)
@pytest.mark.parametrize("scheme", ["https", "http"])
def test_a_proxy_that_fails(
    certificate: Path, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    """Through a tunnel nothing was sent; otherwise it may have been."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))

    async def main() -> None:
        tls = serving(certificate) if scheme == "https" else None
        page = http(502, PAGE, "Content-Type: text/html", "Connection: close")
        async with rude(good, tls=tls) as server, proxy(server.url, page) as way:
            monkeypatch.setenv(f"{scheme.upper()}_PROXY", way.url)
            error = await failure(f"{scheme}://{HOST}/v1")
            assert error.trouble is Trouble.AGAIN
            assert error.code == ("proxy" if scheme == "https" else "server_error")
            assert error.in_doubt is (scheme == "http")

    asyncio.run(main())


def test_a_proxy_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    error = asyncio.run(failure(f"http://{HOST}/v1"))
    assert (error.trouble, error.code, error.in_doubt) == (Trouble.AGAIN, "proxy", False)


def test_no_proxy_where_the_environment_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "ALL_PROXY", "http_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    async def main() -> None:
        async with rude(good) as server, remote(server.url, trust_env=False) as it:
            assert (await create(it)).id == "batch_1"

    asyncio.run(main())


def sent(head: bytes) -> dict[str, str]:
    lines = head.decode().split("\r\n")[1:-2]
    pairs = [line.partition(": ")[::2] for line in lines]
    assert len(dict(pairs)) == len(pairs), "no header twice"
    return {name.lower(): value for name, value in pairs}


def test_what_is_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Our account and our headers, nothing of the environment, nothing of this computer."""
    shard = tmp_path / "shard.jsonl"
    shard.write_bytes(b"{}\n")
    for name in ("API_KEY", "ADMIN_KEY", "ORG_ID", "PROJECT_ID", "BASE_URL"):
        monkeypatch.setenv(f"OPENAI_{name}", "http://127.0.0.1:9/theirs")
    monkeypatch.setenv(
        "OPENAI_CUSTOM_HEADERS",
        "Authorization: theirs\nHost: theirs\nContent-Length: 3\nX-Theirs: x",
    )
    headers = (("X-Ours", "값"), ("User-Agent", "ours"), ("Content-Type", "text/plain"))

    async def main() -> list[bytes]:
        async with rude(good) as server:
            access = Access(
                base_url=server.url, api_key=KEY, organization="org-ours", headers=headers
            )
            async with Remote(access, timeout_s=5, connect_s=5, trust_env=False) as it:
                await create(it)
                await it.upload(shard, "a.jsonl")
                assert it.calls == 2
            return [asked.head for asked in server.asked]

    created, uploaded = (sent(head) for head in asyncio.run(main()))
    assert set(created) == {
        *("host", "connection", "accept", "accept-encoding", "content-type", "content-length"),
        *("authorization", "openai-organization", "user-agent", "x-ours"),
        "x-stainless-raw-response",
    }
    assert created["authorization"] == f"Bearer {KEY}"
    assert created["host"].startswith("127.0.0.1:")
    assert (created["openai-organization"], created["user-agent"]) == ("org-ours", "ours")
    assert created["x-ours"] == "값"
    assert created["content-type"] == "application/json"
    assert uploaded["content-type"].startswith("multipart/form-data; boundary=")
    assert created.keys() == uploaded.keys()
