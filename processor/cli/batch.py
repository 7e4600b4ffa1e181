"""`processor batch`: the batch lane step by step."""

from pathlib import Path
from typing import Any

import click

from processor.cli.notify_options import notify_options
from processor.cli.outputs import output_options
from processor.cli.provider import provider_options
from processor.cli.run import command as run_command

_EPILOG = """\b
Examples:
  processor batch submit --task labels.toml --input news.csv
  processor batch check                         how its batches are
  processor batch download                      what has ended; sends what is left
  processor batch download --wait               all of it
  processor batch list --json
  processor batch cancel --batch batch_abc123
  processor batch clean --dry-run

\b
RUN is a run's folder; the newest in runs/ when it is not given. Task, model, address and the like
are those that the run was begun with; the key comes from the environment, as ever.

\b
Exit codes: 0 everything is settled · 1 bad usage · 2 finished, items failed · 3 stopped by the
provider, or a batch failed · 4 stopped by the budget · 5 the disk or the ledger failed ·
6 work still at the provider · 130 cancelled or interrupted, resumable.
"""
_SUBMIT_EPILOG = """\b
Examples:
  processor batch submit --task labels.toml --input news.csv --description "news of May"
  processor batch submit                        what waits in the newest run
  processor batch submit --again 3              the rows of shard 3 once more, in a new batch
  processor batch submit --adopt batch_abc123   this batch holds the rows of a shard in doubt
"""
_RUN = click.argument("run", required=False, type=click.Path(path_type=Path))
_QUIET = click.option("--quiet", is_flag=True, help="No progress; the summary only.")
_NEW_ACCOUNT = click.option(
    "--new-account", is_flag=True, help="This key sees the batches that another one made."
)


@click.group(epilog=_EPILOG)
def command() -> None:
    """Send work through the Batch API at half the price, and fetch it later.

    `processor run --route batch` does all of it in one go; these are its steps.
    """


class _Submit(click.Command):
    """`run` with the options of its own; without an input, what waits in a run that was begun."""

    def __init__(self, **others: Any) -> None:
        left_out = {"route", "urgent", "detach"}
        params = [each for each in run_command.params if each.name not in left_out]
        super().__init__(**{**others, "params": [*others.get("params", ()), *params]})


@command.command(
    cls=_Submit, epilog=_SUBMIT_EPILOG, short_help="Make batches of all that waits, and leave."
)
@_RUN
@click.option("--again", type=int, metavar="SHARD", help="Send the rows of this shard once more.")
@click.option("--adopt", metavar="BATCH_ID", help="This batch is that of a shard in doubt.")
def submit(run: Path | None, *, again: int | None, adopt: str | None, **options: Any) -> int:
    """Make batches of all that waits, and leave (exit 6): `run --route batch --detach`.

    With the options of `run` it begins a run, or adds what is new; without --task and --input it
    goes on with RUN.
    """
    from processor.cli import submitting  # noqa: PLC0415 - loads the engine

    return submitting.submit(run, options, again=again, adopt=adopt)


@command.command(short_help="Look how the batches are: a line each.")
@_RUN
@provider_options
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def check(run: Path | None, *, as_json: bool, **options: Any) -> int:
    """Look how the batches are: a line each. Changes nothing."""
    from processor.cli import jobs  # noqa: PLC0415 - loads the engine

    return jobs.check(run, options, as_json=as_json)


@command.command(short_help="Fetch what has ended; send what is left.")
@_RUN
@provider_options
@output_options
@click.option("--wait", is_flag=True, help="Stay until every item has an outcome.")
@click.option("--budget", "budget_usd", type=float, metavar="USD", help="In place of the run's.")
@_NEW_ACCOUNT
@notify_options
@_QUIET
def download(run: Path | None, *, wait: bool, **options: Any) -> int:
    """Fetch what has ended, send what waits or was left unanswered, write the results.

    What was cancelled is not sent again.
    """
    from processor.batch.until import Until  # noqa: PLC0415 - loads the engine
    from processor.cli import jobs  # noqa: PLC0415
    from processor.cli.begun import go_on  # noqa: PLC0415

    until = Until.SETTLED if wait else Until.FETCHED
    return go_on(jobs.chosen(run), options, until, heeds_cancel=True)


@command.command(short_help="Stop batches; what they answered stays to be fetched.")
@_RUN
@provider_options
@click.option("--batch", "batch_id", metavar="ID", help="Only this one.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def cancel(run: Path | None, *, batch_id: str | None, yes: bool, **options: Any) -> int:
    """Stop batches; what they answered is charged, and `download` fetches it.

    What they did not answer stays pending: `download` leaves it alone, `submit` and `run` send it.
    """
    from processor.cli import jobs  # noqa: PLC0415 - loads the engine

    return jobs.cancel(run, options, batch_id=batch_id, yes=yes)


@command.command("list", short_help="Name shards and batches.")
@_RUN
@provider_options
@click.option("--remote", is_flag=True, help="All batches of the account, whoever made them.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def list_(run: Path | None, *, remote: bool, as_json: bool, **options: Any) -> int:
    """Name the shards and batches of a run, as its ledger has them."""
    from processor.cli import jobs  # noqa: PLC0415 - loads the engine

    return jobs.listed(run, options, remote=remote, as_json=as_json)


@command.command(short_help="Delete files at the provider that nobody needs any more.")
@_RUN
@provider_options
@click.option("--dry-run", is_flag=True, help="Say which; delete nothing.")
def clean(run: Path | None, *, dry_run: bool, **options: Any) -> int:
    """Delete the files of settled batches at the provider: requests and answers."""
    from processor.cli import jobs  # noqa: PLC0415 - loads the engine

    return jobs.clean(run, options, dry_run=dry_run)
