"""Settings from options, the environment, `.env` and profiles."""

import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dotenv import dotenv_values

from processor import profiles
from processor.access import API_KEY, AUTHORIZATION, OPENAI_URL
from processor.cli import output
from processor.errors import UsageError
from processor.layers import ADDRESS, Found, Layer, combined, stacked, unaddressed
from processor.settings import Settings, option_of

_DOTENV_LOGGER = logging.getLogger("dotenv.main")
_SANDBOX_KEY = "sk-sandbox"


def environment() -> dict[str, str]:
    """The process's environment on top of `.env` in the working directory.

    Raises:
        UsageError: `.env` cannot be read, or is no text in UTF-8.
    """
    return {name: found.value for name, found in _variables(logging.NullHandler()).items()}


def variables() -> dict[str, Found]:
    """The same, with the place where each was found; tells which lines of `.env` are none.

    Raises:
        UsageError: `.env` cannot be read, or is no text in UTF-8.
    """
    return _variables(_Complaints())


def _variables(complaints: logging.Handler) -> dict[str, Found]:
    path = Path(".env")
    _DOTENV_LOGGER.addHandler(complaints)
    try:
        found = dotenv_values(path) if path.is_file() else {}
    except UnicodeDecodeError as error:
        raise UsageError(".env is not UTF-8", way_out="Save it as UTF-8.") from error
    except OSError as error:
        raise UsageError(
            f".env cannot be read: {error.strerror}", way_out="Mend its permissions, or rename it."
        ) from error
    finally:
        _DOTENV_LOGGER.removeHandler(complaints)
    return {**_set(found, ".env"), **_set(os.environ, "environment")}


def _set(values: Mapping[str, str | None], place: str) -> dict[str, Found]:
    """Those that hold something; a blank one counts as not set."""
    return {
        name: Found(value, f"{place}: {name}")
        for name, value in values.items()
        if value and not value.isspace()
    }


class _Complaints(logging.Handler):
    """Tells which lines of `.env` dotenv could not read, which it only logs."""

    def emit(self, record: logging.LogRecord) -> None:
        output.tell(f"Warning: .env: {record.getMessage()}")


def gathered(
    options: Mapping[str, Any], *, profile: str | None = None, sandbox: bool = False
) -> Layer:
    """What profiles, environment and options say; what they do not say has its default.

    Args:
        options: Options of the command by the names of the settings; None, or empty, where not
            given.
        profile: Its name; that of PROCESSOR_PROFILE by default.
        sandbox: A sandbox is asked: address and account do not matter.

    Raises:
        UsageError: A file cannot be read, a name is unknown, or it is open who is asked.
    """
    around = variables()
    chosen = around.get(profiles.VARIABLE)
    name = profile if profile is not None or chosen is None else str(chosen.value)
    below = profiles.layers(name)
    given = {
        each: Found(value, option_of(each))
        for each, value in options.items()
        if value is not None and value != ()
    }
    if sandbox:
        return unaddressed(stacked([*below, given]))
    _warn_of_address(below, around, given)
    return combined(below, around, given)


def _warn_of_address(below: Sequence[Layer], around: Layer, given: Layer) -> None:
    """Say so when the environment sends elsewhere than the profile that was asked for."""
    ours = below[-1].get(ADDRESS) if below else None
    theirs = around.get("OPENAI_BASE_URL")
    if ours and theirs and ADDRESS not in given and ours.value != theirs.value:
        output.tell(
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
        output.tell(
            f"Warning: {settings.host} is asked over plain http; the key can be read on the way."
        )
    if not settings.provider_is_other:
        return dict(found)
    place = f"host of {found[ADDRESS].place}"
    return {**found, "provider": Found(settings.host, place)}


def settle(options: dict[str, Any]) -> Layer:
    """What is in force for a command, which goes into its options; the provider is still open.

    Args:
        options: Of a command with the options of `provider` and --sandbox; those that are settings
            become what is in force, so that who reads them need not know of profiles.

    Raises:
        UsageError: As `gathered` and `validated`.
    """
    known = {name: options[name] for name in Settings.model_fields if name in options}
    found = gathered(known, profile=options["profile"], sandbox=options["sandbox"])
    settings = validated(found)
    options |= {name: getattr(settings, name) for name in known}
    return found


def in_force(found: Layer, *, sandbox_url: str | None) -> Settings:
    """The settings, the provider included; arguments and errors as those of `decided`."""
    return validated(decided(found, sandbox_url=sandbox_url))


def settings_of(
    options: Mapping[str, Any], *, sandbox_url: str | None, profile: str | None = None
) -> Settings:
    """What is in force; arguments and errors as those of `gathered` and `decided`."""
    found = gathered(options, profile=profile, sandbox=sandbox_url is not None)
    return in_force(found, sandbox_url=sandbox_url)


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
