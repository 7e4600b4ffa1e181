"""FAULTS.md 9-11: what stands between here and the provider, met by the whole command."""

import asyncio
from base64 import b64encode
from pathlib import Path

import pytest
from run_bench import KEY, Folder

from faults.command import command
from faults.proxies import PASSWORD, USER, proxy, serving
from faults.rude import GOOD, Asked, Say, http, rude

HOST = "api.example.invalid"
ENTRY = b64encode(f"{USER}:{PASSWORD}".encode())
PAGE = b"<html><head><title>502 Bad Gateway</title></head><body>squid at proxy-7</body></html>"


def good(_: Asked) -> Say:
    return Say(data=GOOD)


def folder_of(path: Path, url: str, count: int = 60) -> Folder:
    folder = Folder(path, url)
    folder.rows(count)
    return folder


@pytest.mark.fault(9, 95)
def test_f09_a_certificate_nobody_trusts(tmp_path: Path, certificate: Path) -> None:
    """Fatal after the canaries; the remedy that is told is the one that helps."""

    async def main() -> None:
        async with rude(good, tls=serving(certificate)) as server:
            folder = folder_of(tmp_path, server.url)
            ended = await command(folder)
            assert ended.code == 3
            assert "tls" in ended.err
            assert "SSL_CERT_FILE" in ended.err
            assert "trust store" in ended.err
            assert server.asked == []
            assert server.connections <= 2
            assert folder.figures()["pending"] == 60
            assert KEY not in ended.everything
            healed = await command(folder, env={"SSL_CERT_FILE": str(certificate)})
            assert healed.code == 0, healed.err
            assert len(server.asked) == 60

    asyncio.run(main())
    folder_of(tmp_path, "").assert_whole(60)


@pytest.mark.fault(10, 95)
@pytest.mark.parametrize("scheme", ["https", "http"])
def test_f10_a_proxy_that_wants_credentials(tmp_path: Path, certificate: Path, scheme: str) -> None:
    """407 is fatal, wrong credentials are told nowhere, right ones go on to the end."""

    async def main() -> None:
        tls = serving(certificate) if scheme == "https" else None
        async with (
            rude(good, tls=tls) as server,
            proxy(server.url, demands=ENTRY) as way,
        ):
            folder = folder_of(tmp_path, f"{scheme}://{HOST}/v1")
            wrong = way.url.replace(PASSWORD, "wr0ng-Passw0rd")
            name = f"{scheme.upper()}_PROXY"
            trust = {"SSL_CERT_FILE": str(certificate)}
            ended = await command(folder, env={name: wrong, **trust})
            assert ended.code == 3
            assert "proxy_auth" in ended.err
            assert f"{scheme.upper()}_PROXY" in ended.err or "HTTPS_PROXY" in ended.err
            assert len(way.heads) <= 2
            assert server.asked == []
            assert folder.figures()["pending"] == 60
            for secret in ("wr0ng-Passw0rd", b64encode(f"{USER}:wr0ng".encode()).decode()[:16]):
                assert secret not in ended.everything
            healed = await command(folder, env={name: way.url, **trust})
            assert healed.code == 0, healed.err
            assert len(server.asked) == 60
            assert PASSWORD not in healed.everything
            if scheme == "https":  # the tunnel's end gets the key, the proxy does not
                assert not any(KEY.encode() in head for head in way.heads)
                assert not any(b"proxy-authorization" in one.head.lower() for one in server.asked)

    asyncio.run(main())
    folder_of(tmp_path, "").assert_whole(60)


@pytest.mark.fault(11)
@pytest.mark.parametrize("scheme", ["https", "http"])
def test_f11_a_proxy_that_fails_at_first(tmp_path: Path, certificate: Path, scheme: str) -> None:
    """502 with a page: tried again; the page is one line in the log."""

    async def main() -> None:
        tls = serving(certificate) if scheme == "https" else None
        page = http(502, PAGE, "Content-Type: text/html", "Connection: close")
        async with rude(good, tls=tls) as server, proxy(server.url, page, page) as way:
            folder = folder_of(tmp_path, f"{scheme}://{HOST}/v1", 20)
            trust = {"SSL_CERT_FILE": str(certificate)}
            ended = await command(folder, env={f"{scheme.upper()}_PROXY": way.url, **trust})
            assert ended.code == 0, ended.err
            assert len(server.asked) == 20
            tried = folder.ledger("SELECT code, message FROM attempts")
            assert len(tried) == 2
            assert {code for code, _ in tried} <= {"proxy", "server_error"}
            assert all("502" in message and "<" not in message for _, message in tried)
            assert "squid at" not in ended.everything

    asyncio.run(main())
    folder_of(tmp_path, "").assert_whole(20)


def test_a_loopback_address_is_never_asked_through_a_proxy(tmp_path: Path) -> None:
    async def main() -> None:
        async with rude(good) as server, proxy(server.url) as way:
            ended = await command(folder_of(tmp_path, server.url, 5), env={"HTTP_PROXY": way.url})
            assert ended.code == 0, ended.err
            assert way.heads == []

    asyncio.run(main())


@pytest.mark.fault(10, 95)
def test_a_proxy_that_is_named_goes_before_the_environments(
    tmp_path: Path, certificate: Path
) -> None:
    """And its password is told nowhere: not by a run, not by its files, not by a refusal."""

    async def main() -> None:
        async with (
            rude(good, tls=serving(certificate)) as server,
            proxy(server.url, demands=ENTRY) as named,
            proxy(server.url) as other,
        ):
            folder = folder_of(tmp_path, f"https://{HOST}/v1", 20)
            env = {
                "SSL_CERT_FILE": str(certificate),
                "HTTPS_PROXY": other.url,
                "NO_PROXY": HOST,
                "OUR_PROXY": named.url,
            }
            wrong = named.url.replace(PASSWORD, "wr0ng-Passw0rd")
            ended = await command(folder, "--proxy", wrong, env=env)
            assert ended.code == 3
            assert "proxy_auth" in ended.err
            entry = b64encode(f"{USER}:wr0ng-Passw0rd".encode()).decode()
            assert "wr0ng" not in ended.everything
            assert entry not in ended.everything
            assert f"{USER}:…@" in ended.out
            (folder.path / "processor.toml").write_text('[default]\nproxy = "env:OUR_PROXY"\n')
            healed = await command(folder, env=env)
            assert healed.code == 0, healed.err
            assert len(server.asked) == 20
            assert PASSWORD not in healed.everything
            assert other.heads == []

    asyncio.run(main())
    folder_of(tmp_path, "").assert_whole(20)


def test_a_named_proxy_is_not_for_this_machine(tmp_path: Path) -> None:
    async def main() -> None:
        async with rude(good) as server, proxy(server.url) as way:
            folder = folder_of(tmp_path, server.url, 5)
            ended = await command(folder, "--proxy", way.url)
            assert ended.code == 0, ended.err
            assert way.heads == []

    asyncio.run(main())
