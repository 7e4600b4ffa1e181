"""`processor compare`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from processor.cli.provider import provider_options
from processor.cli.sources import source_options

_Command = TypeVar("_Command", bound=Callable[..., Any])
_EPILOG = """\b
Examples:
  processor compare
      a hundred answers of personas, simulated at the users' speed; no key, no cost, a minute
  processor compare --items 10,200 --rounds 3
      three times each, so that the verdict comes with its range
  processor compare --task labels.toml --input news.csv --budget 2
      against the provider that OPENAI_API_KEY opens, for two dollars at most
  processor compare --input news.csv --task labels.toml --budget 2 --detach
      makes its batches and leaves (exit 6); the same command later fetches and sums up
  processor compare --models gpt-6-luna,gpt-6-sol --arms one-by-one,direct-20,batch-50
  processor compare --call-s 1 --job-s 60 --time-scale 60 --chart comparison.svg

\b
Arms:
  one-by-one                      a call waits for the one before
  direct-N                        N calls at once
  chunk-N                         20 at once in chunks of N, 2 s between chunks, as the users did;
                                  without a wait, the size of chunks changes files and nothing else
  batch-N                         jobs of N requests through the Batch API, all at once
  in-turn-N                       the same, a job after another
A further model of --models goes through direct-20 and batch-50, unless --arms names others.

\b
Each arm is a run of its own below the comparison's folder, in a process of its own. The same
command goes on: what is measured is not measured again.

\b
Exit codes: 0 everything is measured · 1 bad usage or input, or no spending limit: nothing sent ·
2 measured, items or an arm failed · 3 an arm was stopped by the provider or the network · 4 by the
budget · 5 the disk or a ledger failed · 6 work still at the provider · 130 interrupted. After 3 to
130 the same command goes on.
"""


def _simulated(
    name: str, *, default: float, most: float, says: str, least: float = 0
) -> Callable[[_Command], _Command]:
    """An option of the provider that the sandbox plays."""
    return click.option(
        name,
        type=click.FloatRange(least, most),
        default=default,
        show_default=True,
        help=f"Simulated: {says}.",
    )


@click.command(epilog=_EPILOG, context_settings={"allow_extra_args": True})
@click.option(
    "--task", default="persona", show_default=True, help="A task's name, or its .toml file."
)
@source_options
@click.option(
    "--items",
    default="10,100",
    show_default=True,
    metavar="N,M",
    help="How many items; two sizes tell what is fixed from what each item takes. One number adds "
    "a fifth of it.",
)
@click.option("--arms", metavar="NAMES", help="See below.  [default: all but long ones]")
@click.option("--models", metavar="NAMES", help="Side by side.  [default: the task's]")
@click.option(
    "--rounds",
    type=click.IntRange(1, 100),
    default=1,
    show_default=True,
    help="How often each; from 2 on the verdict has a range.",
)
@click.option(
    "--sandbox",
    is_flag=True,
    help="Simulate; also without a key, and for rows that come with the program.",
)
@click.option("--sandbox-args", default="", metavar="ARGS", help="See processor sandbox --help.")
@_simulated("--call-s", default=3.0, most=3_600, says="what a call takes on the average")
@_simulated(
    "--job-s",
    default=4.0,
    most=86_400,
    says="what a batch job takes, whatever its size; the calls around it come on top",
)
@_simulated(
    "--time-scale", default=20.0, least=1, most=1_000, says="how many times faster than the clock"
)
@click.option(
    "--budget",
    "budget_usd",
    type=float,
    metavar="USD",
    help="US dollars to spend at most, over all arms and starts. A paid API needs one.",
)
@click.option(
    "--price",
    metavar="IN,OUT",
    help="US dollars per million tokens, or IN,CACHED,OUT; in place of the list's.",
)
@click.option(
    "--detach",
    is_flag=True,
    help="Leave once batches are made (exit 6); the same command fetches their results.",
)
@click.option("--max-output-tokens", type=int, help="Tokens an answer may have.")
@click.option("--rpm", type=int, help="Requests a minute at most; learnt when not given.")
@click.option("--tpm", type=int, help="Tokens a minute at most; learnt when not given.")
@click.option("--retries", type=int, help="How often a failed call is tried again.  [default: 5]")
@click.option("--timeout", "timeout_s", type=float, help="Seconds for a call.  [default: 120]")
@provider_options
@click.option(
    "--out", type=click.Path(path_type=Path), help="Its folder.  [runs/compare-TASK-HASH]"
)
@click.option("--new", is_flag=True, help="Measure afresh; the old folder is kept, renamed.")
@click.option(
    "--chart",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE.svg",
    help="Where the chart goes, too.  [comparison.svg in the folder]",
)
@click.option("--json", "as_json", is_flag=True, help="What comparison.json holds, for programs.")
@click.option("--quiet", is_flag=True, help="No progress; the tables only.")
def command(**options: Any) -> int:
    """Send the same items in different ways, and tell from how many on batching pays.

    One by one, with several calls at once, in chunks, through Batch jobs of several sizes: time,
    calls, tokens, cost, CPU and memory of each, as a table, as JSON and as a chart.
    """
    from processor.cli import comparing  # noqa: PLC0415 - loads the engine

    return comparing.compare(options)
