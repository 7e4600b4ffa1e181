"""The options of a command that may start a sandbox for itself."""

import shlex
from collections.abc import Mapping
from typing import Any

from processor.errors import UsageError


def check_options(options: Mapping[str, Any]) -> None:
    """Refuse options that exclude each other.

    Raises:
        UsageError: They do.
    """
    if options["sandbox"] and options["base_url"]:
        raise UsageError("--sandbox and --base-url exclude each other")
    if options["sandbox_args"] and not options["sandbox"]:
        raise UsageError("--sandbox-args goes with --sandbox")


def words(arguments: str) -> list[str]:
    """The options of the sandbox in `--sandbox-args`.

    Raises:
        UsageError: A quote is not closed.
    """
    try:
        return shlex.split(arguments)
    except ValueError as error:
        raise UsageError(f"--sandbox-args: {str(error).lower()}") from error
