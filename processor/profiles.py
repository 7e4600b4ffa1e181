"""Profiles: settings under a name, in `processor.toml` and in the user's own `config.toml`.

    [default]                       # always in force
    concurrency = 50
    [profiles.azure]                # with --profile azure, or PROCESSOR_PROFILE=azure
    base_url = "https://NAME.openai.azure.com"
    api_version = "2024-10-21"
    api_key_env = "AZURE_KEY"

A key may stand in a file that only its owner can read: no less safe than `.env`, and git, which
does not keep that mode, betrays a key that was checked in.
"""

import os
import stat
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from processor.access import without_password
from processor.addressee import NOBODY
from processor.errors import UsageError
from processor.layers import FROM_ENVIRONMENT, Found, Layer
from processor.setting_names import nearest
from processor.settings import Settings

PROJECT_FILE = Path("processor.toml")
VARIABLE = "PROCESSOR_PROFILE"
_DEFAULT = "default"
_PROFILES = "profiles"
_KEY_VARIABLE = "api_key_env"
_OTHERS = 0o077


def files() -> list[Path]:
    """Those that there are: the user's own, then that of the working directory."""
    return [path for path in (_user_file(), PROJECT_FILE) if path is not None and _is_file(path)]


def layers(name: str | None) -> list[Layer]:
    """What the files say, the lowest first: `[default]` of each, then the profile of each.

    Args:
        name: Of the profile; None for `[default]` alone.

    Raises:
        UsageError: A file cannot be read, a name is unknown, or others can read a key.
    """
    tables = {path: _read(path) for path in files()}
    found = [
        _layer(path, _DEFAULT, table[_DEFAULT])
        for path, table in tables.items()
        if _DEFAULT in table
    ]
    if name is None:
        return found
    profiles = {path: table.get(_PROFILES, {}) for path, table in tables.items()}
    known = {each for table in profiles.values() for each in table}
    if name not in known:
        there_is = f"There is: {', '.join(sorted(known))}."
        raise UsageError(
            f"there is no profile {name!r}{nearest(name, known)}",
            way_out=there_is if known else f"Write [{_PROFILES}.NAME] into {PROJECT_FILE}.",
        )
    chosen = [
        _layer(path, f"{_PROFILES}.{name}", table[name])
        for path, table in profiles.items()
        if name in table
    ]
    return found + chosen


def _user_file() -> Path | None:
    """In the folder that the XDG specification names; None without a home."""
    home = os.environ.get("XDG_CONFIG_HOME")
    try:
        folder = Path(home) if home else Path.home() / ".config"
    except RuntimeError:
        return None
    return folder / "processor" / "config.toml"


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError as error:
        raise _unreadable(path, error) from error


def _read(path: Path) -> dict[str, Any]:
    """The tables of a file, whose names are known."""
    try:
        whole = tomllib.loads(path.read_text("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8", way_out="Save it as UTF-8.") from error
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path}: {error}", way_out="See https://toml.io.") from error
    except OSError as error:
        raise _unreadable(path, error) from error
    for name, table in whole.items():
        if name not in (_DEFAULT, _PROFILES):
            hint = nearest(name, [_DEFAULT, _PROFILES])
            raise UsageError(
                f"{path}: {name}: there are only [{_DEFAULT}] and [{_PROFILES}.NAME]{hint}",
                way_out="Put settings below one of them.",
            )
        for part in table.values() if name == _PROFILES and isinstance(table, dict) else [table]:
            if not isinstance(part, dict):
                raise UsageError(f"{path}: {name} must be a table", way_out="Write it as [NAME].")
    return whole


def _unreadable(path: Path, error: OSError) -> UsageError:
    return UsageError(
        f"{path} cannot be read: {error.strerror}", way_out="Mend its permissions, or rename it."
    )


def _layer(path: Path, table: str, values: Mapping[str, Any]) -> Layer:
    known = {*Settings.model_fields, _KEY_VARIABLE}
    for name in values:
        if name not in known:
            raise UsageError(
                f"{path}: {table}.{name}: there is no such setting{nearest(name, known)}",
                way_out="processor settings lists them.",
            )
    if "api_key" in values and _KEY_VARIABLE in values:
        raise UsageError(
            f"{path}: {table} has both api_key and {_KEY_VARIABLE}", way_out="Keep one of them."
        )
    secret = _secret_in(values)
    if secret is not None and _is_open(path):
        raise UsageError(
            f"{path} holds a secret ({table}.{secret}), and others can read it",
            way_out=f'chmod 600 {path}, or name a variable: {_KEY_VARIABLE} = "NAME", '
            f'headers = {{ NAME = "{FROM_ENVIRONMENT}VARIABLE" }}, '
            f'proxy = "{FROM_ENVIRONMENT}VARIABLE", notify = "{FROM_ENVIRONMENT}VARIABLE".',
        )
    return dict(_found(path, table, values))


def _found(path: Path, table: str, values: Mapping[str, Any]) -> Iterator[tuple[str, Found]]:
    for name, value in values.items():
        place = f"{path}: {table}.{name}"
        if name == _KEY_VARIABLE:
            yield "api_key", Found(f"{FROM_ENVIRONMENT}{value}", place)
        else:
            yield name, Found(value, place)


def _secret_in(values: Mapping[str, Any]) -> str | None:
    """The name of the first secret that stands in the file itself."""
    if not str(values.get("api_key", FROM_ENVIRONMENT)).startswith(FROM_ENVIRONMENT):
        return "api_key"
    proxy = str(values.get("proxy", ""))
    if without_password(proxy) != proxy:
        return "proxy"
    if any(not _is_named(each) for each in _listed(values.get("notify", ()))):
        return "notify"
    headers = values.get("headers", {})
    told = headers.values() if isinstance(headers, Mapping) else [True]
    literal = any(not str(value).strip().startswith(FROM_ENVIRONMENT) for value in told)
    return "headers" if literal else None


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else [value]


def _is_named(address: Any) -> bool:
    """Whether an address only names the variable that it stands in, or nobody."""
    return str(address).strip() == NOBODY or str(address).strip().startswith(FROM_ENVIRONMENT)


def _is_open(path: Path) -> bool:
    """Whether others than its owner can read or change a file."""
    return sys.platform != "win32" and bool(stat.S_IMODE(path.stat().st_mode) & _OTHERS)
