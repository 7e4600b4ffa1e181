"""The settings in force: from options, the environment, `.env` and profiles."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from processor import profiles
from processor.access import API_KEY, AUTHORIZATION, OPENAI_URL
from processor.console import streams
from processor.environment import variables
from processor.errors import UsageError
from processor.layers import ADDRESS, Found, Layer, combined, served, unaddressed
from processor.setting_names import option_of
from processor.settings import Settings

_NOTHING: Layer = MappingProxyType({})
_SANDBOX_KEY = "sk-sandbox"
_SOME_SANDBOX = "http://127.0.0.1/v1"


def gathered(
    options: Mapping[str, Any],
    *,
    profile: str | None = None,
    sandbox: bool = False,
    before: Layer = _NOTHING,
) -> Layer:
    """What profiles, environment and options say; what they do not say has its default.

    Args:
        options: Options of the command by the names of the settings; None, or empty, where not
            given.
        profile: Its name; that of PROCESSOR_PROFILE by default.
        sandbox: A sandbox is asked: address and account do not matter.
        before: What the run began with; it goes before profiles, and the environment before it.

    Raises:
        UsageError: A file cannot be read, a name is unknown, or it is open who is asked.
    """
    around = variables()
    chosen = around.get(profiles.VARIABLE)
    name = profile if profile is not None or chosen is None else str(chosen.value)
    below = [*profiles.layers(name), *([before] if before else [])]
    given = {
        each: Found(value, option_of(each))
        for each, value in options.items()
        if value is not None and value != ()
    }
    if sandbox:
        return served(below, around, given)
    _warn_of_address(below, around, given)
    return combined(below, around, given)


def _warn_of_address(below: Sequence[Layer], around: Layer, given: Layer) -> None:
    """Say so when the environment sends elsewhere than the profile that was asked for."""
    ours = below[-1].get(ADDRESS) if below else None
    theirs = around.get("OPENAI_BASE_URL")
    if ours and theirs and ADDRESS not in given and ours.value != theirs.value:
        streams.tell(
            f"Warning: OPENAI_BASE_URL is set and goes before {ours.place}; --base-url goes "
            "before both."
        )


def validated(found: Layer) -> Settings:
    """The settings, as they were found.

    Raises:
        UsageError: A value is out of bounds; names the place.
    """
    return Settings.of(
        {name: each.value for name, each in found.items()},
        {name: each.place for name, each in found.items()},
    )


def decided(
    found: Layer, *, sandbox_url: str | None = None, demands_key: bool = True
) -> dict[str, Found]:
    """What was found, with the provider that will be asked.

    Args:
        found: See `gathered`.
        sandbox_url: Base URL of the sandbox that serves this run, if one does.
        demands_key: Whether it is an error when OpenAI or Azure would be asked without a key.

    Raises:
        UsageError: A value is out of bounds, or a key is needed and there is none.
    """
    if sandbox_url is not None:
        sandbox = {ADDRESS: sandbox_url, "api_key": _SANDBOX_KEY, "provider": "sandbox"}
        known = {name: Found(value, "--sandbox") for name, value in sandbox.items()}
        return unaddressed(found) | known
    settings = validated(found)
    opened = {name.lower() for name, _ in settings.headers} & {API_KEY, AUTHORIZATION.lower()}
    if demands_key and not (settings.api_key or opened) and needs_key(settings, found):
        raise _no_key(settings)
    if settings.base_url.startswith("http:") and not settings.local:
        streams.tell(
            f"Warning: {settings.host} is asked over plain http; the key can be read on the way."
        )
    if not settings.provider_is_other:
        return dict(found)
    place = f"host of {found[ADDRESS].place}"
    return {**found, "provider": Found(settings.host, place)}


def in_force(found: Layer, *, sandbox_url: str | None) -> Settings:
    """The settings, the provider included; arguments and errors as those of `decided`."""
    return validated(decided(found, sandbox_url=sandbox_url))


def unasked(found: Layer, *, sandbox: bool) -> Settings:
    """What would be in force, where nobody is asked: no key is needed, no sandbox started."""
    return validated(
        decided(found, sandbox_url=_SOME_SANDBOX if sandbox else None, demands_key=False)
    )


def needs_key(settings: Settings, found: Layer) -> bool:
    """Whether the provider takes nobody without a key; a server of one's own may."""
    return ADDRESS not in found or settings.base_url == OPENAI_URL or settings.access.is_azure


def _no_key(settings: Settings) -> UsageError:
    names = "AZURE_OPENAI_API_KEY" if settings.access.is_azure else "OPENAI_API_KEY"
    return UsageError(
        f"{names} not found",
        way_out=f"Set it (export {names}=…, or a line in .env), name a server of your own with "
        "--base-url, or try without a key: --sandbox.",
    )
