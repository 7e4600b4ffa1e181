"""Options of the batch lane, and what they ask of a run."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from processor.sending.terms import BatchTerms

Command = TypeVar("Command", bound=Callable[..., Any])

_OPTIONS = (
    click.option(
        "--shard-size",
        type=int,
        metavar="N",
        help="Requests per batch job at most.  [default: as many as fit, 50,000]",
    ),
    click.option(
        "--rounds",
        type=int,
        metavar="N",
        help="Batches an item may be in before it fails.  [default: 3]",
    ),
    click.option(
        "--fallback",
        type=click.Choice(["none", "direct"]),
        help="Where items go that a batch or flex did not answer, or of which the provider makes "
        "no batch, or loses it; none puts what was not answered into another batch, and stops for "
        "the rest. See --flex-patience.",
    ),
    click.option(
        "--validating-most",
        "validating_most_s",
        type=float,
        metavar="S",
        help="With --fallback direct: seconds a batch may be validated before it is stopped, and "
        "its items go directly.  [default: 10800]",
    ),
    click.option(
        "--grace",
        "grace_s",
        type=float,
        metavar="S",
        help="Seconds to look for a batch that may have been made, before another is.  "
        "[default: 120]",
    ),
    click.option("--description", help="Of the batch jobs, for whoever looks at them."),
    click.option(
        "--new-account",
        is_flag=True,
        help="This key sees the batches that another one made for this run.",
    ),
)


def batch_options(command: Command) -> Command:
    """Give a command the options of the batch lane."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def batch_terms(options: dict[str, Any]) -> "BatchTerms":
    """What a command asks of the batch lane."""
    from processor.batch.until import Until  # noqa: PLC0415 - loads the engine
    from processor.sending.terms import BatchTerms  # noqa: PLC0415

    return BatchTerms(
        until=Until.SUBMITTED if options.get("detach") else Until.SETTLED,
        adopts=not options.get("new"),
        new_account=options["new_account"],
    )
