"""Azure's two ways to ask: the sandbox as strict as the real one, and runs by either."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import openai
import orjson
import pytest
from aiohttp import ClientSession
from command_line import SAY, Shell
from openai import AsyncAzureOpenAI, AsyncOpenAI
from sandbox_http import MODEL, user

from processor.sandbox import SandboxConfig, running

KEY = "azure-0123456789"
VERSION = "2024-10-21"
BODY = {"messages": [user("hello")]}
CHAT = f"/openai/deployments/{MODEL}/chat/completions"
V1 = "/openai/v1/chat/completions"
NO_DEPLOYMENT = (
    "The API deployment for this resource does not exist. If you created the deployment within "
    "the last 5 minutes, please wait a moment and try again."
)
WRONG_KEY = (
    "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a "
    "valid key for an active subscription and use a correct regional API endpoint for your "
    "resource."
)
RUN = ("run", "--quiet", "--task", "say.toml", "--input", "r.csv")


@dataclass(frozen=True, slots=True)
class Said:
    status: int
    headers: dict[str, str]
    body: dict[str, object]


def ask(
    path: str, *, model: str | None = None, headers: dict[str, str] | None = None, **config: Any
) -> Said:
    """A call of the sandbox by a path below its root."""

    async def main() -> Said:
        options: dict[str, Any] = {"latency_ms": 0, "api_key": KEY, **config}
        async with running(SandboxConfig(**options)) as url, ClientSession() as session:
            body = BODY if model is None else {**BODY, "model": model}
            sent = {"api-key": KEY} if headers is None else headers
            root = url.removesuffix("/v1")
            async with session.post(root + path, json=body, headers=sent) as reply:
                read = orjson.loads(await reply.read())
                return Said(reply.status, {k.lower(): v for k, v in reply.headers.items()}, read)

    return asyncio.run(main())


def test_a_deployment_answers_whatever_model_the_body_names() -> None:
    for model in (None, "gpt-4-turbo", MODEL):
        said = ask(f"{CHAT}?api-version={VERSION}", model=model)
        assert (said.status, said.body["model"]) == (200, MODEL)


@pytest.mark.parametrize(
    ("path", "status", "code", "message"),
    [
        (CHAT, 404, "404", "Resource not found"),
        (f"{CHAT}?api-version=", 400, "BadRequest", "API version not supported"),
        (f"{CHAT}?api-version=v1", 400, "BadRequest", "API version not supported"),
        (f"{CHAT}?api-version=2024-13", 400, "BadRequest", "API version not supported"),
        (f"/openai/chat/completions?api-version={VERSION}", 404, "404", "Resource not found"),
        (f"/openai/nothing?api-version={VERSION}", 404, "404", "Resource not found"),
        (f"{V1}?api-version={VERSION}", 400, "BadRequest", "API version not supported"),
        (
            f"/openai/deployments/my-gpt/chat/completions?api-version={VERSION}",
            *(404, "DeploymentNotFound", NO_DEPLOYMENT),
        ),
    ],
)
def test_a_route_that_leads_nowhere(path: str, status: int, code: str, message: str) -> None:
    said = ask(path)
    assert said.status == status
    assert said.body == {"error": {"code": code, "message": message}}


@pytest.mark.parametrize("query", ["", "?api-version=preview", "?api-version=latest"])
def test_the_new_way_needs_no_version_and_names_the_model_in_the_body(query: str) -> None:
    assert ask(V1 + query, model=MODEL).status == 200
    said = ask(V1 + query, model="my-gpt")
    assert (said.status, said.body["error"]) == (
        404,
        {"code": "DeploymentNotFound", "message": NO_DEPLOYMENT},
    )


@pytest.mark.parametrize("path", [f"{CHAT}?api-version={VERSION}", V1])
def test_a_wrong_key_and_none(path: str) -> None:
    said = ask(path, headers={"api-key": "other"})
    assert (said.status, said.body) == (401, {"error": {"code": "401", "message": WRONG_KEY}})
    said = ask(path, headers={})
    assert (said.status, said.body["statusCode"]) == (401, 401)
    assert "Access token is missing" in str(said.body["message"])


def test_a_bearer_is_a_key_on_the_new_way_only() -> None:
    bearer = {"Authorization": f"Bearer {KEY}"}
    assert ask(V1, model=MODEL, headers=bearer).status == 200
    assert ask(f"{CHAT}?api-version={VERSION}", headers=bearer).status == 401


def test_what_openai_refuses_azure_refuses_in_the_same_words() -> None:
    said = ask(f"{CHAT}?api-version={VERSION}&x=y", rpm=None, context_tokens=1)
    assert said.status == 400
    assert "context_length_exceeded" in str(said.body)


def test_a_limit_is_told_in_azure_s_words() -> None:
    async def main() -> None:
        config = SandboxConfig(latency_ms=0, rpm=1)
        async with running(config) as url, ClientSession() as session:
            address = f"{url.removesuffix('/v1')}{CHAT}?api-version={VERSION}"
            async with session.post(address, json=BODY) as first:
                assert first.status == 200
                assert "x-ratelimit-remaining-requests" in first.headers
            async with session.post(address, json=BODY) as second:
                error = orjson.loads(await second.read())["error"]
                assert (second.status, error["code"]) == (429, "429")
                assert f"API version {VERSION} have exceeded call rate limit" in error["message"]
                assert int(second.headers["retry-after"]) > 0

    asyncio.run(main())


@pytest.mark.parametrize("way", ["dated", "v1"])
def test_openai_s_own_client_walks_both_ways(way: str) -> None:
    async def main() -> None:
        async with running(SandboxConfig(latency_ms=0, api_key=KEY)) as url:
            root = url.removesuffix("/v1")
            client: AsyncOpenAI
            if way == "dated":
                client = AsyncAzureOpenAI(azure_endpoint=root, api_version=VERSION, api_key=KEY)
            else:
                client = AsyncOpenAI(base_url=f"{root}/openai/v1/", api_key=KEY)
            async with client.with_options(max_retries=0) as it:
                said = await it.chat.completions.create(
                    model=MODEL, messages=[{"role": "user", "content": "hello"}]
                )
                assert said.choices[0].message.content
                response = await it.responses.create(model=MODEL, input="hello")
                assert response.output_text
                vector = await it.embeddings.create(model="text-embedding-3-small", input="hello")
                assert len(vector.data[0].embedding) == 1536
                assert MODEL in [model.id async for model in it.models.list()]
                with pytest.raises(openai.NotFoundError, match="The API deployment"):
                    await it.chat.completions.create(
                        model="none", messages=[{"role": "user", "content": "hello"}]
                    )

    asyncio.run(main())


@pytest.mark.parametrize(
    ("kind", "code"),
    [("organization", "mismatched_organization"), ("project", "mismatched_project")],
)
def test_a_header_of_another_account_is_refused(kind: str, code: str) -> None:
    header = f"OpenAI-{kind.capitalize()}"
    key = {"Authorization": f"Bearer {KEY}"}
    path = "/v1/chat/completions"
    config = {kind: "mine-1"}
    assert ask(path, model=MODEL, headers=key, **config).status == 200
    assert ask(path, model=MODEL, headers={**key, header: "mine-1"}, **config).status == 200
    said = ask(path, model=MODEL, headers={**key, header: "other"}, **config)
    assert said.status == 401
    assert said.body["error"] == {
        "message": f"{header} header should match {kind} for API key",
        "type": "invalid_request_error",
        "param": None,
        "code": code,
    }


# --- runs --------------------------------------------------------------------------------------


@pytest.fixture
def azure(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shell]:
    """A shell in front of a sandbox that demands Azure's key, which the environment has."""
    shell.write("say.toml", SAY)
    shell.write("r.csv", "word\none\ntwo\nthree\n")
    shell.reset(api_key=KEY)
    monkeypatch.delenv("OPENAI_API_KEY")
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", KEY)
    yield shell
    shell.reset(api_key=None)


def root(shell: Shell) -> str:
    return shell.url.removesuffix("/v1")


def by_route(shell: Shell) -> set[str]:
    return set(shell.stats()["by_route"])


def test_a_run_by_the_dated_way_is_set_by_the_environment(
    azure: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", root(azure) + "/")
    monkeypatch.setenv("OPENAI_API_VERSION", VERSION)
    result = azure(*RUN)
    assert (result.code, result.err) == (0, "")
    assert by_route(azure) == {"POST /openai/deployments/{deployment}/chat/completions"}


@pytest.mark.parametrize(
    ("below", "options", "route"),
    [
        ("", ["--api-version", VERSION], "/openai/deployments/{deployment}/chat/completions"),
        (
            "/openai",
            ["--api-version", VERSION],
            "/openai/deployments/{deployment}/chat/completions",
        ),
        ("/openai/v1", ["--api-version", "preview"], "/openai/v1/chat/completions"),
        (
            f"/openai/deployments/{MODEL}",
            ["--api-version", VERSION, "--model", "anything"],
            "/openai/deployments/{deployment}/chat/completions",
        ),
    ],
)
def test_a_run_by_an_address(azure: Shell, below: str, options: list[str], route: str) -> None:
    result = azure(*RUN, "--base-url", root(azure) + below, *options)
    assert (result.code, result.err) == (0, "")
    assert by_route(azure) == {f"POST {route}"}
    assert azure.figures()["succeeded"] == 3


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["--model", "not-deployed"], "model_not_found"),
        (["--api-version", "2024-1"], "bad_request"),
    ],
)
def test_what_azure_refuses_from_the_start_ends_a_run(
    azure: Shell, options: list[str], code: str
) -> None:
    given = ["--base-url", root(azure), "--api-version", VERSION, *options]
    result = azure(*RUN, *given)
    assert (result.code, code in result.err + result.out) == (3 if code[0] == "m" else 2, True)


def test_a_wrong_key_is_told_in_azure_s_words_and_not_shown(
    azure: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", "azure-wrong-9876543210")
    result = azure(*RUN, "--base-url", root(azure), "--api-version", VERSION)
    assert result.code == 3
    assert "invalid subscription key" in result.err
    assert "azure-wrong" not in result.err + result.out


def test_rows_of_several_models_go_to_several_deployments(azure: Shell) -> None:
    azure.write("say.toml", SAY.replace("[output]", '[overrides]\nmodel = "model"\n[output]'))
    azure.write("r.csv", "word,model\none,gpt-6-luna\ntwo,gpt-6-sol\nthree,\n")
    result = azure(*RUN, "--base-url", root(azure), "--api-version", VERSION)
    assert (result.code, result.err) == (0, "")
    rows = (azure.the_run() / "results.csv").read_text("utf-8-sig").splitlines()
    assert ["gpt-6-sol" in row.replace("two,gpt-6-sol", "") for row in rows[1:]] == [
        *(False, True, False),
    ]


def test_organisation_and_project_go_with_a_run(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell.write("say.toml", SAY)
    shell.write("r.csv", "word\none\n")
    shell.reset(organization="org-1", project="proj_1")
    monkeypatch.setenv("OPENAI_ORG_ID", "org-1")
    run = [*RUN, "--base-url", shell.url]
    assert shell(*run, "--project", "proj_1").code == 0
    refused = shell(*run, "--new", "--project", "proj_2")
    shell.reset(organization=None, project=None)
    assert refused.code == 3
    assert "should match project" in refused.err
