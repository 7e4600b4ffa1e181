"""The process's environment and `.env`, as one."""

import logging
import os
from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values

from processor.console import streams
from processor.errors import UsageError
from processor.layers import Found

_DOTENV_LOGGER = logging.getLogger("dotenv.main")


def environment() -> dict[str, str]:
    """The process's environment on top of `.env` in the working directory.

    Raises:
        UsageError: `.env` cannot be read, or is no text in UTF-8.
    """
    return {name: found.value for name, found in _variables(logging.NullHandler()).items()}


def variable(name: str) -> Found | None:
    """One of them, with the place where it was found.

    Raises:
        UsageError: `.env` cannot be read, or is no text in UTF-8.
    """
    return _variables(logging.NullHandler()).get(name)


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
        streams.tell(f"Warning: .env: {record.getMessage()}")
