"""Options that say who is asked, the same for every command that asks."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeVar

import click

from processor.addressee import NOBODY, shown
from processor.layers import FROM_ENVIRONMENT, Layer

_Command = TypeVar("_Command", bound=Callable[..., object])

_HEADER = "--header"
_NOTIFY = "--notify"
_OPTIONS = (
    click.option("--profile", metavar="NAME", help="Of processor.toml.  [PROCESSOR_PROFILE]"),
    click.option("--base-url", help="Of the API.  [OPENAI_BASE_URL, AZURE_OPENAI_ENDPOINT]"),
    click.option(
        _HEADER,
        "headers",
        multiple=True,
        metavar="NAME=VALUE",
        help="Sent with every call; a VALUE env:VARIABLE is read from there.",
    ),
    click.option(
        "--proxy",
        metavar="URL",
        help="http://[USER:PASSWORD@]HOST:PORT, or env:VARIABLE; not for this machine.  "
        "[HTTPS_PROXY]",
    ),
    click.option("--organization", metavar="ORG", help="Who is charged.  [OPENAI_ORG_ID]"),
    click.option("--project", metavar="PROJ", help="Who is charged.  [OPENAI_PROJECT_ID]"),
    click.option(
        "--api-version", metavar="DATE", help="Of Azure's dated API.  [OPENAI_API_VERSION]"
    ),
)


def provider_options(command: _Command) -> _Command:
    """Give a command these options, in this order."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def settle(options: dict[str, Any]) -> Layer:
    """What is in force for a command, which goes into its options; the provider is still open.

    Args:
        options: Of a command with the options of `provider` and --sandbox; those that are settings
            become what is in force, so that who reads them need not know of profiles.

    Raises:
        UsageError: As `gathered` and `validated`.
    """
    from processor.configuration import gathered, validated  # noqa: PLC0415 - fast --help
    from processor.settings import Settings  # noqa: PLC0415

    known = {name: options[name] for name in Settings.model_fields if name in options}
    found = gathered(known, profile=options["profile"], sandbox=options["sandbox"])
    settings = validated(found)
    options |= {name: getattr(settings, name) for name in known}
    return found


def unsecret(words: Sequence[str]) -> list[str]:
    """A command line that may be shown: secrets of options are named, not told."""
    told, mask = [], None
    for word in words:
        option, equals, value = word.partition("=")
        if mask is not None:
            told.append(mask(word))
        elif option in _MASKS and equals:
            told.append(f"{option}={_MASKS[option](value)}")
        else:
            told.append(word)
        mask = _MASKS.get(word) if mask is None else None
    return told


def _without_value(header: str) -> str:
    name, _, value = header.partition("=")
    return header if value.startswith(FROM_ENVIRONMENT) else f"{name}=…"


def _without_address(addressee: str) -> str:
    named = addressee == NOBODY or addressee.startswith(FROM_ENVIRONMENT)
    return addressee if named else shown(addressee)


_MASKS: Mapping[str, Callable[[str], str]] = MappingProxyType(
    {_HEADER: _without_value, _NOTIFY: _without_address}
)
