"""Where calls go and what they carry."""

from base64 import b64encode

import pytest

from processor.access import OPENAI_URL, Access, without_password
from processor.errors import UsageError
from processor.settings import Settings

CHAT, RESPONSES, MODELS = "/v1/chat/completions", "/v1/responses", "/v1/models"
AZURE = "https://name.openai.azure.com"
DATED = "chat/completions?api-version=v"
KEY = "sk-0123456789-abcdef"


@pytest.mark.parametrize(
    ("base_url", "api_version", "endpoint", "url"),
    [
        ("https://api.openai.com/v1", None, CHAT, "https://api.openai.com/v1/chat/completions"),
        ("http://127.0.0.1:1/v1", None, MODELS, "http://127.0.0.1:1/v1/models"),
        ("http://127.0.0.1:1", None, CHAT, "http://127.0.0.1:1/chat/completions"),
        (AZURE, None, CHAT, f"{AZURE}/openai/v1/chat/completions"),
        (f"{AZURE}/openai", None, CHAT, f"{AZURE}/openai/v1/chat/completions"),
        (f"{AZURE}/openai/v1", None, RESPONSES, f"{AZURE}/openai/v1/responses"),
        (f"{AZURE}/openai/v1", "v", CHAT, f"{AZURE}/openai/v1/{DATED}"),
        (AZURE, "v", CHAT, f"{AZURE}/openai/deployments/my-gpt/{DATED}"),
        (f"{AZURE}/openai", "v", CHAT, f"{AZURE}/openai/deployments/my-gpt/{DATED}"),
        (f"{AZURE}/openai/deployments/d", "v", CHAT, f"{AZURE}/openai/deployments/d/{DATED}"),
        (f"{AZURE}/openai/deployments/d", "v", MODELS, f"{AZURE}/openai/models?api-version=v"),
        (AZURE, "v", RESPONSES, f"{AZURE}/openai/responses?api-version=v"),
        ("http://a.b/llm", "v", CHAT, f"http://a.b/llm/openai/deployments/my-gpt/{DATED}"),
        (
            "https://n.ai.azure.com/models",
            None,
            RESPONSES,
            "https://n.ai.azure.com/models/responses",
        ),
    ],
)
def test_a_call_goes_to(base_url: str, api_version: str | None, endpoint: str, url: str) -> None:
    assert Access(base_url=base_url, api_version=api_version).url(endpoint, "my-gpt") == url


def test_a_name_of_a_deployment_cannot_leave_its_place_in_the_path() -> None:
    url = Access(base_url=AZURE, api_version="v").url(CHAT, "../../x?y#z")
    assert url == f"{AZURE}/openai/deployments/..%2F..%2Fx%3Fy%23z/chat/completions?api-version=v"


@pytest.mark.parametrize(
    ("base_url", "api_version", "header"),
    [
        ("https://api.openai.com/v1", None, {"Authorization": f"Bearer {KEY}"}),
        ("http://127.0.0.1:1/v1", None, {"Authorization": f"Bearer {KEY}"}),
        (AZURE, None, {"api-key": KEY}),
        ("https://name.cognitiveservices.azure.us/openai/v1", None, {"api-key": KEY}),
        ("http://127.0.0.1:1", "2024-10-21", {"api-key": KEY}),
        ("https://azure.com.example/v1", None, {"Authorization": f"Bearer {KEY}"}),
    ],
)
def test_the_key_travels_in(base_url: str, api_version: str | None, header: dict[str, str]) -> None:
    access = Access(base_url=base_url, api_version=api_version, api_key=KEY)
    assert access.sent_headers() == header


def test_headers_of_the_account_and_of_ones_own_go_with_every_call() -> None:
    settings = Settings.of(
        {"organization": "org-1", "project": "proj_1", "headers": ["X-Team = blue ", "A=b=c"]}
    )
    sent = {"OpenAI-Organization": "org-1", "OpenAI-Project": "proj_1", "X-Team": "blue"}
    assert settings.access.sent_headers() == {**sent, "A": "b=c"}


def test_values_of_headers_are_secrets_and_their_names_are_not() -> None:
    settings = Settings.of({"api_key": KEY, "headers": {"X-Key": "hidden-value", "X-Low": "low"}})
    assert set(settings.access.secrets) == {KEY, "hidden-value"}
    assert settings.public()["headers"] == ["X-Key", "X-Low"]
    assert "hidden-value" not in repr(settings) + str(settings.public())


@pytest.mark.parametrize(
    ("value", "may_be_said"),
    [
        ("https://www.our-company.example.org/shop", True),
        ("Our Company, Department 7", True),
        ("department-of-mathematics-and-physics", True),
        ("short-secret-7", True),
        ("my-own-secret-key-0123456789", False),
        ("Bearer gsk_0123456789abcdefghij", False),
        ("eyJhbGciOiJIUzI1NiJ9aa.eyJzdWIiOiIxIn0.xyz", False),
        ("only-letters-make-this-key", False),
    ],
)
def test_what_a_model_may_say_that_a_header_holds(value: str, *, may_be_said: bool) -> None:
    access = Access(
        base_url=OPENAI_URL, api_key="only-letters-make-this-key", headers=(("X", value),)
    )
    assert access.may_be_said(value) is may_be_said


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"headers": ["X-Key"]}, "--header: NAME=VALUE"),
        ({"headers": ["X-Key: hidden-value"]}, "--header: NAME=VALUE"),
        ({"headers": ["X Key=hidden-value"]}, "--header: a name holds"),
        ({"headers": ["=hidden-value"]}, "--header: a name holds"),
        ({"headers": {"X-Key": "hidden-value\r\nX-Evil: 1"}}, "the value of X-Key"),
        ({"headers": {"X-Key": "hidden-value\x00"}}, "the value of X-Key"),
        ({"headers": {"X-Key": "hidden-값"}}, "the value of X-Key"),
        ({"headers": ["X-Key="]}, "the value of X-Key"),
        ({"headers": ["A=hidden-value", "a=2"]}, "a is given twice"),
        ({"headers": ["Host=hidden-value"]}, "Host is set by the program"),
        ({"headers": ["content-LENGTH=hidden-value"]}, "content-LENGTH is set"),
        ({"headers": ["AUTHORIZATION=hidden-value"], "api_key": KEY}, "AUTHORIZATION is given"),
        ({"headers": ["Api-Key=hidden-value"], "api_key": KEY}, "Api-Key is given beside"),
        ({"headers": {"openai-project": "hidden-value"}, "project": "p"}, "openai-project is"),
        ({"organization": "org-1\r\nX-Evil: 1"}, "--organization"),
        ({"project": ""}, "--project"),
        ({"api_version": "v&a=b"}, "--api-version"),
        ({"base_url": f"{AZURE}/openai/deployments/d"}, "needs --api-version"),
        ({"concurency": 1}, "--concurency: there is no such setting (did you mean concurrency?)"),
    ],
)
def test_what_cannot_be_is_refused_without_its_value(values: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        Settings.of(values)
    assert said.lower() in str(caught.value).lower()
    assert "hidden" not in str(caught.value)
    assert KEY not in str(caught.value)


def test_a_header_of_ones_own_may_take_the_place_of_the_key() -> None:
    settings = Settings.of({"headers": {"Authorization": "Basic c2VjcmV0"}})
    assert settings.access.sent_headers() == {"Authorization": "Basic c2VjcmV0"}


@pytest.mark.parametrize(
    "address",
    [
        "http://proxy.example.org",
        "http://proxy.example.org:3128/",
        "http://[::1]:3128",
        "http://ann@proxy:3128",
        "http://ann:s3cret-w%23rd@proxy:3128",
    ],
)
def test_a_proxy_may_be(address: str) -> None:
    settings = Settings.of({"proxy": address})
    assert settings.access.proxy == address
    assert "s3cret" not in repr(settings) + str(settings.public()) + str(settings)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "proxy:3128",
        "https://proxy:3128",
        "socks5://proxy:1080",
        "http://",
        "http://ann:s3cret@",
        "http://proxy:0",
        "http://proxy:99999",
        "http://ann:s3cret#x@proxy:3128",
        "http://ann:s3cret/x@proxy:3128",
        "http://ann:s3cret x@proxy:3128",
        "http://proxy:3128/path",
        "http://[::1:3128",
    ],
)
def test_a_proxy_that_cannot_be_is_refused_without_its_password(address: str) -> None:
    with pytest.raises(UsageError, match="--proxy: http://HOST:PORT or http://USER") as refused:
        Settings.of({"proxy": address})
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("http://proxy:3128", "http://proxy:3128"),
        ("http://ann@proxy:3128", "http://ann@proxy:3128"),
        ("http://ann:word@proxy:3128", "http://ann:…@proxy:3128"),
        ("http://:word@proxy:3128", "http://:…@proxy:3128"),
        ("http://ann:w@rd:@proxy", "http://ann:…@proxy"),
        ("ann:word@proxy", "ann:…@proxy"),
        ("env:PROXY", "env:PROXY"),
        ("", ""),
    ],
)
def test_of_a_proxy_is_shown(address: str, shown: str) -> None:
    assert without_password(address) == shown


def test_the_password_of_a_proxy_is_a_secret_however_it_is_written() -> None:
    access = Access(base_url=OPENAI_URL, proxy="http://ann:pass%23word@proxy:3128")
    entry = b64encode(b"ann:pass#word").decode()
    assert set(access.secrets) == {"pass#word", "pass%23word", entry}
