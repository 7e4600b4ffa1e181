"""Which place a setting is taken from."""

import pytest

from processor.access import OPENAI_URL
from processor.errors import UsageError
from processor.layers import Found, Layer, combined, served

AZURE = "https://name.openai.azure.com"
OWN = "http://127.0.0.1:8000/v1"


def layer(place: str, **values: object) -> Layer:
    return {name: Found(value, place) for name, value in values.items()}


def in_force(
    *profiles: Layer, variables: dict[str, str] | None = None, **options: object
) -> dict[str, object]:
    around = layer("environment", **(variables or {}))
    found = combined(profiles, around, layer("option", **options))
    return {name: each.value for name, each in found.items()}


def test_options_go_before_profiles_and_higher_profiles_before_lower() -> None:
    low, high = layer("low", rpm=1, tpm=1, retries=1), layer("high", rpm=2, tpm=2)
    assert in_force(low, high, rpm=3) == {"rpm": 3, "tpm": 2, "retries": 1}


def test_an_address_of_the_environment_goes_before_a_profile_s_and_an_option_before_both() -> None:
    variables = {"OPENAI_BASE_URL": OWN}
    profile = layer("profile", base_url=AZURE)
    assert in_force(profile, variables=variables) == {"base_url": OWN}
    assert in_force(profile, variables=variables, base_url="x") == {"base_url": "x"}


@pytest.mark.parametrize(
    ("profile", "variables", "options", "key"),
    [
        ({}, {"OPENAI_API_KEY": "env"}, {}, "env"),
        ({}, {"OPENAI_API_KEY": "env"}, {"base_url": OWN}, "env"),
        ({"base_url": OWN}, {"OPENAI_API_KEY": "env"}, {}, "env"),
        # A key stands beside its address: nobody replaces it unawares, nobody else gets it.
        ({"base_url": OWN, "api_key": "own"}, {"OPENAI_API_KEY": "env"}, {}, "own"),
        ({"api_key": "own"}, {"OPENAI_API_KEY": "env"}, {}, "own"),
        ({"api_key": "own"}, {"OPENAI_BASE_URL": OPENAI_URL + "/"}, {}, "own"),
        ({"api_key": "own"}, {"OPENAI_BASE_URL": OWN}, {}, None),
        ({"api_key": "own"}, {"OPENAI_BASE_URL": OWN, "OPENAI_API_KEY": "env"}, {}, "env"),
        ({"base_url": AZURE, "api_key": "own"}, {}, {"base_url": OWN}, None),
        ({"base_url": AZURE, "api_key": "own"}, {}, {"base_url": AZURE + "/"}, "own"),
        ({"base_url": OWN, "api_key": "own"}, {"OPENAI_BASE_URL": AZURE}, {}, None),
        # Azure's key goes to Azure.
        ({}, {"AZURE_OPENAI_ENDPOINT": AZURE, "AZURE_OPENAI_API_KEY": "az"}, {}, "az"),
        ({}, {"AZURE_OPENAI_API_KEY": "az", "OPENAI_API_KEY": "env"}, {}, "env"),
        ({}, {"AZURE_OPENAI_API_KEY": "az", "OPENAI_API_KEY": "e"}, {"base_url": AZURE}, "az"),
        ({}, {"OPENAI_API_KEY": "env"}, {"base_url": AZURE}, "env"),
        ({}, {"AZURE_OPENAI_API_KEY": "az"}, {"base_url": OWN}, None),
        ({}, {"AZURE_OPENAI_API_KEY": "az"}, {"base_url": OWN, "api_version": "v"}, "az"),
        ({}, {"OPENAI_API_KEY": "env"}, {"api_key": "typed"}, "typed"),
    ],
)
def test_the_key_that_is_sent_is_one_for_the_address(
    profile: dict[str, object],
    variables: dict[str, str],
    options: dict[str, object],
    key: str | None,
) -> None:
    found = in_force(layer("profile", **profile), variables=variables, **options)
    assert found.get("api_key") == key


def test_another_address_inherits_nothing_of_an_account() -> None:
    account = {"organization": "o", "project": "p", "headers": {"A": "b"}, "api_version": "v"}
    low = layer("low", **account, api_key="k", rpm=1)
    assert in_force(low, layer("high", base_url=OWN)) == {"base_url": OWN, "rpm": 1}
    assert in_force(low, layer("high", base_url=OPENAI_URL)).keys() >= account.keys()


@pytest.mark.parametrize(
    ("base_url", "version"), [(AZURE, "2024"), (AZURE + "/openai/v1", None), (OWN, None)]
)
def test_the_version_in_the_environment_is_for_azure_s_dated_api(
    base_url: str, version: str | None
) -> None:
    found = in_force(variables={"OPENAI_API_VERSION": "2024"}, base_url=base_url)
    assert found.get("api_version") == version


def test_an_endpoint_of_azure_s_may_have_any_name() -> None:
    variables = {"AZURE_OPENAI_ENDPOINT": "https://gate.example/", "AZURE_OPENAI_API_KEY": "az"}
    dated = variables | {"OPENAI_API_VERSION": "2024", "OPENAI_API_KEY": "k"}
    found = in_force(variables=dated, base_url="https://gate.example")
    assert (found["api_key"], found["api_version"]) == ("az", "2024")
    assert in_force(variables=variables, api_version="2025")["api_version"] == "2025"
    with pytest.raises(UsageError, match="its version is not known"):
        in_force(variables=variables)


def test_the_environment_names_organisation_and_project() -> None:
    variables = {"OPENAI_ORG_ID": "org", "OPENAI_PROJECT_ID": "proj"}
    assert in_force(variables=variables) == {"organization": "org", "project": "proj"}
    found = in_force(layer("profile", organization="other"), variables=variables)
    assert found == {"organization": "other", "project": "proj"}


def test_two_providers_in_the_environment_are_no_choice() -> None:
    variables = {"OPENAI_API_KEY": "k", "AZURE_OPENAI_ENDPOINT": AZURE}
    with pytest.raises(UsageError, match="it is open who is asked"):
        in_force(variables=variables)
    assert in_force(variables=variables, base_url=OPENAI_URL)["api_key"] == "k"
    assert in_force(variables=variables | {"OPENAI_BASE_URL": OWN})["base_url"] == OWN


def test_secrets_are_read_from_the_variables_that_they_name() -> None:
    variables = {"TEAM": "blue", "MINE": "k"}
    headers = {"X-Team": " env:TEAM", "X-Plain": "env"}
    found = in_force(layer("p", api_key="env:MINE", headers=headers), variables=variables)
    assert found == {"api_key": "k", "headers": {"X-Team": "blue", "X-Plain": "env"}}
    found = in_force(variables=variables, headers=("X-Team=env:TEAM", "X-Plain=a=b", "X"))
    assert found == {"headers": ["X-Team=blue", "X-Plain=a=b", "X"]}


@pytest.mark.parametrize("secret", [{"api_key": "env:NONE"}, {"headers": {"A": "env:NONE"}}])
def test_a_variable_that_is_not_set_is_named_with_its_place(secret: dict[str, object]) -> None:
    with pytest.raises(UsageError, match=r"processor\.toml: 'NONE' is not set"):
        in_force(layer("processor.toml", **secret))


@pytest.mark.parametrize(
    ("profile", "variables", "options", "notify"),
    [
        ({}, {"PROCESSOR_NOTIFY": "json://env"}, {}, "json://env"),
        ({"notify": "json://own"}, {}, {}, "json://own"),
        ({"notify": "json://own"}, {"PROCESSOR_NOTIFY": "json://env"}, {}, "json://env"),
        ({}, {"PROCESSOR_NOTIFY": "json://env"}, {"notify": ("none",)}, ["none"]),
        ({"notify": ["env:CHAT", "json://b"]}, {"CHAT": "json://a"}, {}, ["json://a", "json://b"]),
        ({}, {"CHAT": "json://a"}, {"notify": ("env:CHAT",)}, ["json://a"]),
        ({}, {"CHAT": "json://a"}, {"notify": ("json://b?c=env:CHAT",)}, ["json://b?c=env:CHAT"]),
    ],
)
def test_who_is_told_whoever_is_asked(
    profile: dict[str, object],
    variables: dict[str, str],
    options: dict[str, object],
    notify: str | list[str],
) -> None:
    found = in_force(layer("profile", **profile), variables=variables, **options)
    assert found["notify"] == notify
    around = layer("environment", **variables)
    by_sandbox = served([layer("profile", **profile)], around, layer("option", **options))
    assert by_sandbox["notify"].value == notify


def test_a_server_of_our_own_gets_no_key_and_its_proxy_is_read() -> None:
    profile = layer("profile", base_url=AZURE, api_key="own", proxy="env:P", rpm=1)
    found = served([profile], layer("environment", P="http://p:1", OPENAI_API_KEY="k"), {})
    assert {name: each.value for name, each in found.items()} == {"proxy": "http://p:1", "rpm": 1}


def test_a_value_shows_in_no_repr() -> None:
    assert "hidden" not in repr(Found("hidden", "place"))
