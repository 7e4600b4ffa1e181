"""Options that say which lane items take."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

_OPTIONS = (
    click.option(
        "--route",
        type=click.Choice(["auto", "direct", "flex", "batch", "hybrid"]),
        help="Which lane items take; batch costs half and takes up to a day. flex costs half, too: "
        "direct calls that may take minutes, and wait while there is no room for them. auto sends "
        "fewer than 1,000 directly and more by batch, unless limits, cost or urgency say "
        "otherwise.  [default: auto]",
    ),
    click.option(
        "--flex-patience",
        "flex_patience_s",
        type=float,
        metavar="S",
        help="Seconds an item waits where flex has no room for it; then --fallback direct sends it "
        "at the standard price, otherwise it fails, or the run stops where nobody was served for "
        "so long. 0 never waits.  [default: 600]",
    ),
    click.option("--urgent", is_flag=True, default=None, help="Somebody waits: all directly."),
    click.option(
        "--urgent-field",
        metavar="NAME",
        help="A column whose yes (true, 1, urgent, 긴급) sends a row directly, while the others "
        "go by batch.",
    ),
    click.option(
        "--deadline",
        metavar="WHEN",
        help="When it is to be done: 2h, 90m, 18:00, 2026-11-22 06:00. What batches would bring "
        "too late goes directly in time; what is not done by then is left (exit 4).",
    ),
    click.option(
        "--direct-first",
        type=int,
        metavar="N",
        help="The first N rows directly, while the others go by batch.",
    ),
    click.option(
        "--detach",
        is_flag=True,
        help="Leave once batches are made (exit 6); the same command, or processor batch "
        "download, fetches their results.",
    ),
)


def route_options(command: Command) -> Command:
    """Give a command the options that say which lane items take."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
