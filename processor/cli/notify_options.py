"""Options that say who is told how a run ends."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from processor.occasion import Occasion

Command = TypeVar("Command", bound=Callable[..., Any])

_OPTIONS = (
    click.option(
        "--notify",
        multiple=True,
        metavar="URL",
        help="Who is told how it ends, as apprise writes it: slack://…, mailto://…, json://…; or "
        "env:VARIABLE, or none.  [PROCESSOR_NOTIFY]",
    ),
    click.option(
        "--notify-on",
        metavar="LIST",
        help=f"What they are told of, of {', '.join(Occasion)}.  [default: all but waiting]",
    ),
)


def notify_options(command: Command) -> Command:
    """Give a command these options."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
