"""The command line as it was typed, to be shown and to be typed again."""

import shlex
import sys

from processor.cli.provider import unsecret


def words() -> list[str]:
    """The words after the program's name; what is secret is named, not told."""
    from processor.postgres import without_password  # noqa: PLC0415 - loads the engine

    return [without_password(word) for word in unsecret(sys.argv[1:])]


def that_goes_on() -> str:
    """The command that goes on with what this one begins: `--new` would begin afresh."""
    return shlex.join(["processor", *(word for word in words() if word != "--new")])
