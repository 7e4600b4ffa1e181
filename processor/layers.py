"""Which of several places a setting is taken from. Pure.

Defaults stand below profiles, those below the environment with `.env`, and options above all.
Address and account belong together: whoever names another address does not inherit the key, the
headers, the organisation and the project that were meant for the one below, and a key that stands
beside its address in a profile is not replaced by the environment's.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from processor.access import OPENAI_URL, Access
from processor.errors import UsageError

# What must not go to another address than it was named for.
_ACCOUNT = frozenset({"api_key", "api_version", "headers", "organization", "project"})
ADDRESS = "base_url"
FROM_ENVIRONMENT = "env:"  # a secret that is read from the variable whose name follows
_AZURE_ENDPOINT = "AZURE_OPENAI_ENDPOINT"
_AZURE_VERSION = "OPENAI_API_VERSION"
_SECRETS = ("api_key", "headers", "notify", "proxy")
# Settings that a variable may hold, whoever is asked.
_VARIABLES = {"notify": "PROCESSOR_NOTIFY", "notify_on": "PROCESSOR_NOTIFY_ON"}


@dataclass(frozen=True, slots=True)
class Found:
    """A value and the place where it was found, in words for people."""

    value: Any = field(repr=False)
    place: str


Layer = Mapping[str, Found]


def stacked(layers: Iterable[Layer]) -> dict[str, Found]:
    """What is in force of several layers, the lowest first; an account never changes address."""
    found: dict[str, Found] = {}
    for layer in layers:
        if ADDRESS in layer and _address(layer) != _address(found):
            found = {name: each for name, each in found.items() if name not in _ACCOUNT}
        found |= layer
    return found


def combined(profiles: Iterable[Layer], variables: Layer, options: Layer) -> dict[str, Found]:
    """What is in force.

    Args:
        profiles: The lowest first.
        variables: Environment variables by their own names.
        options: By names of settings.

    Raises:
        UsageError: It is open which provider is meant, or a variable that is named is not set.
    """
    below = stacked(profiles)
    named = {ADDRESS: options[ADDRESS]} if ADDRESS in options else {}
    address = named or _address_in(variables, is_open=ADDRESS not in below)
    found = stacked([below, address])
    account = _account_in(variables, {**found, **options})
    return _readable({**account, **found, **_own_in(variables), **options}, variables)


def served(profiles: Iterable[Layer], variables: Layer, options: Layer) -> dict[str, Found]:
    """The same of a run that a server of its own serves: address and account do not matter."""
    found = unaddressed({**stacked(profiles), **_own_in(variables), **options})
    return _readable(found, variables)


def unaddressed(layer: Layer) -> dict[str, Found]:
    """What does not concern who is asked, nor by whom."""
    return {name: each for name, each in layer.items() if name not in {ADDRESS, *_ACCOUNT}}


def _own_in(variables: Layer) -> Layer:
    """The settings that have variables of their own."""
    return {name: variables[each] for name, each in _VARIABLES.items() if each in variables}


def _address_in(variables: Layer, *, is_open: bool) -> Layer:
    """The address that the environment names.

    Args:
        variables: Of the environment.
        is_open: Nobody else named one.
    """
    if "OPENAI_BASE_URL" in variables:
        return {ADDRESS: variables["OPENAI_BASE_URL"]}
    azure = variables.get(_AZURE_ENDPOINT)
    if azure is None or not is_open:
        return {}
    if "OPENAI_API_KEY" in variables:
        raise UsageError(
            f"OPENAI_API_KEY and {_AZURE_ENDPOINT} are both set: it is open who is asked",
            way_out=f"Name the provider: --base-url {OPENAI_URL}, or --base-url "
            f'"${_AZURE_ENDPOINT}".',
        )
    return {ADDRESS: azure}


def _account_in(variables: Layer, found: Layer) -> Layer:
    """Key and account that the environment has for the address in force."""
    names = {"organization": "OPENAI_ORG_ID", "project": "OPENAI_PROJECT_ID"}
    keys = ["OPENAI_API_KEY"]
    version = found.get("api_version")
    access = Access(base_url=_address(found), api_version=version.value if version else None)
    endpoint = variables.get(_AZURE_ENDPOINT)
    is_endpoint = endpoint is not None and _address({ADDRESS: endpoint}) == access.base_url
    if access.is_azure or is_endpoint:
        keys.insert(0, "AZURE_OPENAI_API_KEY")
        if not access.base_url.endswith("/openai/v1"):
            names["api_version"] = _AZURE_VERSION
    if is_endpoint and not access.is_azure and _AZURE_VERSION not in variables:
        raise UsageError(
            f"{access.base_url} is Azure's by {_AZURE_ENDPOINT}, but its version is not known",
            way_out=f"Set {_AZURE_VERSION} or --api-version, such as 2024-10-21.",
        )
    account = {name: variables[each] for name, each in names.items() if each in variables}
    key = next((variables[each] for each in keys if each in variables), None)
    return account if key is None else {**account, "api_key": key}


def _address(layer: Layer) -> str:
    """The address that a layer names, as far as it can be compared; OpenAI's for none."""
    if ADDRESS not in layer:
        return OPENAI_URL
    return str(layer[ADDRESS].value).strip().rstrip("/")


def _readable(found: Layer, variables: Layer) -> dict[str, Found]:
    """What was found, with the secrets that variables hold."""
    secrets = {name: _resolved(found[name], variables) for name in _SECRETS if name in found}
    return {**found, **secrets}


def _resolved(secret: Found, variables: Layer) -> Found:
    """A key, addresses or headers, whose values are read from the variables that they name."""
    value, place = secret.value, secret.place
    if isinstance(value, str):
        return _read(value, place, variables)
    if isinstance(value, Mapping):
        read = {name: _read(each, place, variables).value for name, each in value.items()}
        return Found(read, place)
    if not isinstance(value, Iterable):
        return secret
    return Found([_named(str(each), place, variables) for each in value], place)


def _named(text: str, place: str, variables: Layer) -> str:
    """`env:VARIABLE`, or `NAME=env:VARIABLE`, read; everything else as it is."""
    name, equals, value = ("", "", text) if text.startswith(FROM_ENVIRONMENT) else _pair(text)
    return f"{name}{equals}{_read(value, place, variables).value}"


def _pair(text: str) -> tuple[str, str, str]:
    """A header; an address is one whole, whatever its query holds."""
    return ("", "", text) if "://" in text.partition("=")[0] else text.partition("=")


def _read(value: Any, place: str, variables: Layer) -> Found:
    text = value.strip() if isinstance(value, str) else ""
    if not text.startswith(FROM_ENVIRONMENT):
        return Found(value, place)
    name = text.removeprefix(FROM_ENVIRONMENT)
    if name not in variables:
        raise UsageError(
            f"{place}: {name!r} is not set in the environment",
            way_out=f"Set it (export {name}=…, or a line in .env).",
        )
    return Found(variables[name].value, f"{place} ({variables[name].place})")
