"""`processor doctor` in front of servers that know no manners."""

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest

from faults.proxies import PASSWORD, proxy, serving
from faults.rude import Asked, Rude, Say, completion, http, rude
from faults.test_proxy_and_tls import HOST
from processor.access import Access
from processor.clock import SystemClock
from processor.doctor import network
from processor.doctor.finding import as_json, exit_code

KEY = "sk-rude-0123456789-abcdef"
JSON = "Content-Type: application/json"
LIST = http(200, orjson.dumps({"object": "list", "data": [{"id": "m"}]}), JSON)


@dataclass(frozen=True, slots=True)
class Seen:
    """What it said."""

    code: int
    text: str
    findings: Mapping[str, Mapping[str, Any]]

    def level(self, name: str) -> str:
        return str(self.findings[name]["level"])

    def told(self, name: str) -> str:
        return f"{self.findings[name]['said']} → {self.findings[name]['way_out']}"


async def doctor(
    folder: Path, url: str, *options: str, env: Mapping[str, str] | None = None
) -> Seen:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("OPENAI_", "AZURE_", "PROCESSOR_", "SSL_"))
        and not name.lower().endswith("_proxy")
    }
    (folder / "processor.toml").write_text("[default]\ntimeout_s = 1")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "processor", "doctor", "--base-url", url, "--json", *options),
        cwd=folder,
        env={**kept, "XDG_CONFIG_HOME": str(folder), "OPENAI_API_KEY": KEY, **(env or {})},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode is not None
    assert b"Traceback" not in err, err.decode()
    findings = {each["name"]: each for each in json.loads(out)["findings"]}
    return Seen(process.returncode, out.decode() + err.decode(), findings)


def visit(url_or_answer: str | Rude, *, model: str | None = None, call: bool = False) -> Seen:
    """The steps over the network alone, in this process."""

    async def look(url: str) -> Seen:
        access = Access(base_url=url, api_key=KEY)
        plan = network.Plan(access=access, trust_env=False, model=model, call=call, timeout_s=1)
        found = [each async for each in network.examine(plan, SystemClock())]
        findings = {each.name: as_json(each) for each in found}
        return Seen(exit_code(found), str(findings), findings)

    async def main() -> Seen:
        if isinstance(url_or_answer, str):
            return await look(url_or_answer)
        async with rude(url_or_answer) as server:
            return await look(server.url)

    return asyncio.run(main())


def always(data: bytes, then: str = "close") -> Rude:
    return lambda _: Say(data=data, then=then)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (always(http(200, b"<html>hello</html>", "Content-Type: text/html")), "no list of models"),
        (always(http(200, b'{"data": 1}', JSON)), "no list of models"),
        (always(http(200, b"null", JSON)), "no list of models"),
        (always(http(500, f"<title>no {KEY}</title>".encode())), "status page"),
        (always(http(401, orjson.dumps({"error": {"message": KEY}}), JSON)), "OPENAI_API_KEY"),
        (always(http(403, b"{}", JSON)), "permissions"),
        (always(http(302, b"", f"Location: http://127.0.0.1/{KEY}")), "Set the base URL"),
        (always(b"SSH-2.0-OpenSSH_9.2\r\n"), "network"),
        (always(b"", "reset"), "network"),
        (always(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"), "network"),
        (always(b"", "hang"), "--timeout"),
    ],
)
def test_a_provider_that_answers_wrongly_is_at_fault(answer: Rude, said: str) -> None:
    seen = visit(answer)
    assert (seen.code, seen.level("connection"), seen.level("models")) == (3, "ok", "wrong")
    assert said in seen.told("models")
    assert KEY not in seen.text


def test_a_server_that_lists_no_models_may_be_asked_one() -> None:
    def answer(asked: Asked) -> Say:
        if asked.head.startswith(b"POST"):
            assert orjson.loads(asked.body)["max_tokens"] == 16
            return Say(data=http(200, completion(model="mine"), JSON))
        return Say(data=http(404, b"nothing here"))

    seen = visit(answer, model="mine", call=True)
    assert seen.code == 0
    assert (seen.level("models"), seen.level("model"), seen.level("call")) == (
        *("note", "skipped", "ok"),
    )
    assert "7 + 2 tokens" in seen.told("call")


@pytest.mark.parametrize(
    ("date", "code", "level"),
    [
        ("Sat, 01 Jan 2000 00:00:00 GMT", 1, "wrong"),
        ("yesterday", 0, "skipped"),
        ("", 0, "skipped"),
    ],
)
def test_the_clock_is_compared_with_the_provider_s(date: str, code: int, level: str) -> None:
    listed = LIST.replace(b"\r\n", f"\r\nDate: {date}\r\n".encode(), 1)
    seen = visit(always(listed))
    assert (seen.code, seen.level("clock")) == (code, level)
    if level == "wrong":
        assert "ahead of the provider's" in seen.told("clock")


@pytest.mark.parametrize(
    ("url", "step"),
    [
        ("http://nonexistent.invalid/v1", "name"),
        (f"http://{'a' * 70}.invalid/v1", "name"),
        ("http://127.0.0.1:1/v1", "connection"),
        ("https://127.0.0.1:1/v1", "connection"),
    ],
)
def test_an_address_that_leads_nowhere(url: str, step: str) -> None:
    seen = visit(url)
    assert (seen.code, seen.level(step), seen.level("models")) == (3, "wrong", "skipped")


def test_tls_is_looked_at(tmp_path: Path, certificate: Path) -> None:
    async def main() -> None:
        async with rude(always(LIST), tls=serving(certificate)) as server:
            distrusted = await doctor(tmp_path, server.url)
            assert (distrusted.code, distrusted.level("connection")) == (3, "wrong")
            assert "SSL_CERT_FILE" in distrusted.told("connection")
            trust = {"SSL_CERT_FILE": str(certificate)}
            trusted = await doctor(tmp_path, server.url, "--model", "m", env=trust)
            assert (trusted.code, trusted.level("model")) == (0, "ok")
            assert "TLSv1." in trusted.told("connection")
        async with rude(always(LIST)) as plain:
            seen = await doctor(tmp_path, plain.url.replace("http:", "https:"))
            assert (seen.code, seen.level("connection")) == (3, "wrong")

    asyncio.run(main())


def test_a_proxy_is_named_without_its_password(tmp_path: Path) -> None:
    async def main() -> None:
        async with rude(always(LIST)) as server, proxy(server.url) as way:
            seen = await doctor(tmp_path, f"http://{HOST}/v1", env={"HTTP_PROXY": way.url})
            assert (seen.code, seen.level("models")) == (0, "ok")
            assert "by the environment" in seen.told("proxy")
            env = {"HTTP_PROXY": "http://127.0.0.1:1"}
            seen = await doctor(tmp_path, f"http://{HOST}/v1", "--proxy", way.url, env=env)
            assert (seen.code, seen.level("models")) == (0, "ok")
            assert "by --proxy or a profile" in seen.told("proxy")
            assert PASSWORD not in seen.text
        refusal = http(407, b"", 'Proxy-Authenticate: Basic realm="office"')
        async with rude(always(LIST)) as server, proxy(server.url, *[refusal] * 3) as way:
            seen = await doctor(tmp_path, f"http://{HOST}/v1", env={"HTTP_PROXY": way.url})
            assert (seen.code, seen.level("models")) == (3, "wrong")
            assert PASSWORD not in seen.text

    asyncio.run(main())
