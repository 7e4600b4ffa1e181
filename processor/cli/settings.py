"""`processor settings`."""

from typing import TYPE_CHECKING, Any

import click

from processor.cli.provider import provider_options

if TYPE_CHECKING:  # importing it takes longer than --help may
    from processor.inventory import Entry

_EPILOG = """\b
Examples:
  processor settings                       what a run would use here, and why
  processor settings --profile azure
  processor settings --json | jq '.settings[] | select(.origin != "default")'

\b
Options go before the environment, that before .env, that before --profile NAME, and that before
[default]. A profile stands in processor.toml in the working directory, or in
~/.config/processor/config.toml:

\b
  [default]
  concurrency = 50
  [profiles.azure]
  base_url = "https://NAME.openai.azure.com"
  api_version = "2024-10-21"
  api_key_env = "AZURE_KEY"
  headers = { X-Team = "env:TEAM" }
  notify = ["env:SLACK_URL", "env:MAIL_URL"]

\b
A key is sent only to the address that it was named for: with another base_url from the
environment or an option, key, headers and account of the profile are left out. A key in the file
itself (api_key) needs chmod 600.
"""
_NAME, _VALUE, _UNIT, _ORIGIN = 18, 26, 23, 30


@click.command(epilog=_EPILOG)
@provider_options
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def command(*, profile: str | None, as_json: bool, **options: Any) -> None:
    """Show every setting, its value, its unit and where it came from; secrets masked."""
    from processor import inventory, profiles  # noqa: PLC0415 - see processor.cli.main
    from processor.configuration import decided, gathered, validated  # noqa: PLC0415
    from processor.console import streams  # noqa: PLC0415
    from processor.environment import variable  # noqa: PLC0415

    found = decided(gathered(options, profile=profile), demands_key=False)
    shown = [
        *inventory.entries(validated(found), found),
        inventory.database(variable("DATABASE_URL")),
    ]
    files = [str(path) for path in profiles.files()]
    if as_json:
        streams.say_json(
            {"files": files, "settings": [inventory.as_json(entry) for entry in shown]}
        )
        return
    for entry in shown:
        streams.say(_line(entry))
    if files:
        streams.say(f"{'files':<{_NAME}} {', '.join(files)}")


def _line(entry: "Entry") -> str:
    value = _shown(entry.value)
    parts = (
        f"{entry.name:<{_NAME}}",
        f"{value:<{_VALUE}}",
        f"{entry.unit if value != _shown(None) else '':<{_UNIT}}",
        f"{entry.origin:<{_ORIGIN}}",
        entry.description,
    )
    return " ".join(parts)


def _shown(value: Any) -> str:
    if value is None or value in ({}, []):
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{name}={each}" for name, each in value.items())
    if isinstance(value, list):
        return ", ".join(str(each) for each in value)
    return f"{value:g}" if isinstance(value, float) else str(value)
