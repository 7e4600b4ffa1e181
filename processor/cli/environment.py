"""Settings from options, the environment and `.env`."""

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dotenv import dotenv_values

from processor.cli import output
from processor.errors import UsageError
from processor.settings import DEFAULT_BASE_URL, Settings

_DOTENV_LOGGER = logging.getLogger("dotenv.main")


def environment() -> dict[str, str]:
    """The process's environment on top of `.env` in the working directory.

    Raises:
        UsageError: `.env` cannot be read, or is no text in UTF-8.
    """
    path = Path(".env")
    complaints = _Complaints()
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
    return {**_set(found), **_set(os.environ)}


def _set(variables: Mapping[str, str | None]) -> dict[str, str]:
    """Those that hold something; a blank one counts as not set."""
    return {name: value for name, value in variables.items() if value and not value.isspace()}


class _Complaints(logging.Handler):
    """Tells which lines of `.env` dotenv could not read, which it only logs."""

    def emit(self, record: logging.LogRecord) -> None:
        output.tell(f"Warning: .env: {record.getMessage()}")


def settings_of(options: Mapping[str, Any], *, sandbox_url: str | None) -> Settings:
    """What is in force.

    Args:
        options: Options of the command by the names of the settings; None where not given.
        sandbox_url: Base URL of the sandbox that serves this run, if one does.

    Raises:
        UsageError: A value is out of bounds, or a key is needed and there is none.
    """
    given = {name: value for name, value in options.items() if value is not None}
    surroundings = environment()
    if sandbox_url is not None:
        return Settings.of(
            {**given, "base_url": sandbox_url, "api_key": "sk-sandbox", "provider": "sandbox"}
        )
    base_url = given.pop("base_url", surroundings.get("OPENAI_BASE_URL"))
    key = surroundings.get("OPENAI_API_KEY")
    if key is None and base_url is None:
        raise UsageError(
            "OPENAI_API_KEY not found",
            way_out="Set it (export OPENAI_API_KEY=sk-…, or a line in .env), name a server of your "
            "own with --base-url, or try without a key: --sandbox.",
        )
    url = DEFAULT_BASE_URL if base_url is None else base_url
    settings = Settings.of({**given, "base_url": url, "api_key": key})
    if settings.provider_is_other:
        settings = settings.model_copy(update={"provider": settings.host})
    if settings.base_url.startswith("http:") and not settings.local:
        output.tell(
            f"Warning: {settings.host} is asked over plain http; the key can be read on the way."
        )
    return settings
