"""`processor plan`."""

from typing import Any

import click

from processor.cli.run import command as run_command

_EPILOG = """\b
Examples:
  processor plan --task news --input news.csv
      items, tokens, and what it costs and takes directly, at the flex tier and by batch
  processor plan --task labels.toml --input news.jsonl.gz --model gpt-4o-mini --json | jq .lanes
  processor plan --task news --input news.csv --deadline 18:00 --budget 2
      which ways are done by then, and for that much
  processor plan --task news --input news.csv --rpm 500 --urgent-field breaking
  processor plan --sandbox --generate 1000

\b
How long answers are, and how fast calls, is measured where runs in runs/ tell it; else it is
assumed, and the table says so. Hours of a batch are those that users report.

\b
Exit codes: 0 it is planned · 1 bad usage, input or configuration, or a deadline that the way
chosen cannot make · 130 interrupted.
"""
# Of the options of `run`: what changes what is sent, or which way.
_OF_RUN = frozenset(
    {
        *("task", "input_", "sheet", "query", "query_file", "table", "encoding", "generate"),
        *("out", "new", "accept_change", "update", "only", "limit", "repeat", "skip_invalid"),
        *("concurrency", "wait_s", "rpm", "tpm", "route", "urgent", "urgent_field"),
        "deadline",
        *("direct_first", "shard_size", "budget_usd", "price", "model", "max_output_tokens"),
        *("profile", "base_url", "headers", "proxy", "organization", "project", "api_version"),
        *("sandbox", "sandbox_args", "seed"),
    }
)


class _Plan(click.Command):
    """With the options of `run` that mean something for a plan."""

    def __init__(self, **others: Any) -> None:
        params = [each for each in run_command.params if each.name in _OF_RUN]
        super().__init__(**{**others, "params": [*params, *others.get("params", ())]})


@click.command(cls=_Plan, epilog=_EPILOG, context_settings={"allow_extra_args": True})
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def command(*, as_json: bool, **options: Any) -> int:
    """What `run` would do: items, tokens, cost and time each way, the choice and why.

    Reads and checks the whole input. Needs no key, sends nothing, writes nothing. What a run
    folder has done already counts: it is planned what the same command would send now.
    """
    from processor.cli import planning  # noqa: PLC0415 - loads the engine

    return planning.plan(options, as_json=as_json)
