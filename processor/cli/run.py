"""`processor run`."""

import os
from collections.abc import Sequence
from contextlib import ExitStack, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from processor.cli import typed
from processor.cli.batch_options import batch_options, batch_terms
from processor.cli.notify_options import notify_options
from processor.cli.outputs import files_of, output_options, outputs_of
from processor.cli.provider import provider_options, settle
from processor.cli.route_options import route_options
from processor.cli.sandbox_options import check_options, words
from processor.cli.sources import (
    named_input,
    refuse_paid_inventions,
    row_options,
    source_of,
    source_options,
)
from processor.console import streams
from processor.errors import UsageError

if TYPE_CHECKING:  # importing them takes longer than --help may
    from processor.data.source import Source
    from processor.exports.output import Output
    from processor.layers import Layer
    from processor.tasks.prompt import PromptTask

_EPILOG = """\b
Examples:
  processor run --sandbox --generate 1000
      a thousand made-up questions against the local sandbox; no key, no cost
  processor run --task mathml --input questions.csv --concurrency 20
  processor run --task labels.toml --input news.jsonl.gz --out runs/news
  cat rows.jsonl | processor run --input - --output - --limit 100 > answers.jsonl
  processor run --task labels.toml --input 'news/*.parquet' --output labels.xlsx
  processor run --task labels.toml --input postgresql://ann@db.example.org/press --table articles
  processor run --input "$DATABASE_URL" --table questions --write-columns result=latex
      into a column of that table; without --write-columns into mathml_results beside it
  processor run --task persona --sandbox --only '질문=어디가 불편해서 방문하게 되었나요?'
      one question to 25 personas; without --only the other ten, too
  processor run --task persona --input batchinput.jsonl --model gpt-6-luna --repeat 5
      lines of the Batch API, each five times, whatever model they name
  processor run --task requests --input requests.jsonl --route batch
      full lines of the Batch API, sent as they are
  processor run --task labels.toml --input news.csv --urgent-field breaking --direct-first 20
      the first 20 and those that are urgent at once, the others by batch
  processor run --task labels.toml --input news.csv --route flex --fallback direct
      at half the price; what finds no room for ten minutes goes at the standard price
  processor run --task labels.toml --input news.jsonl.gz --dry-run
      what would be sent and what it costs; sends nothing, needs no key
  processor run --base-url https://NAME.openai.azure.com --model DEPLOYMENT --input questions.csv
  processor run --sandbox --generate 20 --notify 'mailto://NAME:PASSWORD@gmail.com'
      tells by mail how it ended; see https://appriseit.com/services/ for addresses of Slack and
      others, and put them into PROCESSOR_NOTIFY or .env, where they are no part of a command

\b
Settings are taken from options; where those are silent, from the environment and .env; then from
the profile (--profile) and from [default] in processor.toml, or ~/.config/processor/config.toml;
then they have their defaults. processor settings shows each with its origin.

\b
The same command again resumes: finished items are not sent twice, new rows are added.
Ctrl-C once finishes what is in flight, twice leaves at once; both are resumable.

\b
--notify needs pip install 'request-processor[notify]'. Told is, by the words of --notify-on: done
(exit code 0), failed (1, 2, 5), stopped (3, 4), interrupted (130), waiting (6, work at the
provider), and while it goes on late (the deadline will hardly be made) and budget (80 % is used);
with the figures, what to do next, and the report where files are taken. Rows and answers are left
out unless --log-content is given. A message that does not arrive changes nothing but a line.

\b
Exit codes: 0 every item succeeded (or --min-success was reached) · 1 bad usage, input or
configuration, nothing sent · 2 finished, items failed · 3 stopped by the provider or the
network · 4 stopped by the budget · 5 the disk or the ledger failed, or an output did not take
all results · 6 work still at the provider · 130 interrupted. After 3, 5, 6 and 130 the same
command goes on, after 4 the same with a higher --budget.
"""


class _Folder(click.Path):
    """A folder. A shell makes an empty name of an unset variable, and pathlib a dot of that."""

    def convert(
        self,
        value: str | os.PathLike[str],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> Any:
        if value == "":
            self.fail("the name is empty.", param, ctx)
        return super().convert(value, param, ctx)


@click.command(epilog=_EPILOG, context_settings={"allow_extra_args": True})
@click.option(
    "--task", default="mathml", show_default=True, help="A task's name, or its .toml file."
)
@source_options
@output_options
@click.option("--out", type=_Folder(path_type=Path), help="Run folder [runs/TASK-INPUT-HASH].")
@click.option(
    "--new", is_flag=True, help="Start afresh; the old folder is kept under another name."
)
@click.option("--accept-change", is_flag=True, help="Go on although task, model or prompt changed.")
@click.option(
    "--update", is_flag=True, help="Ask again for rows that changed since they were answered."
)
@row_options
@click.option("--chunk-size", type=int, help="Items per result file, 10-100.  [default: 100]")
@click.option("--concurrency", type=int, help="Ceiling of calls in flight.  [default: adaptive]")
@click.option(
    "--wait", "wait_s", type=float, metavar="S", help="Seconds between chunks; 0 runs on."
)
@click.option("--rpm", type=int, help="Requests a minute at most; learnt when not given.")
@click.option("--tpm", type=int, help="Tokens a minute at most; learnt when not given.")
@click.option("--retries", type=int, help="How often a failed call is tried again.  [default: 5]")
@click.option(
    "--timeout",
    "timeout_s",
    type=float,
    help="Seconds for a call.  [default: 120; at flex 900]",
)
@click.option(
    "--give-up",
    "give_up_s",
    type=float,
    help="Seconds without the provider before the run stops.  [default: 300]",
)
@route_options
@batch_options
@click.option(
    "--budget",
    "budget_usd",
    type=float,
    metavar="USD",
    help="US dollars to spend at most, over all starts of the run.",
)
@click.option(
    "--price",
    metavar="IN,OUT",
    help="US dollars per million tokens, or IN,CACHED,OUT; in place of the list's.",
)
@click.option("--model", help="In place of the task's.")
@click.option("--max-output-tokens", type=int, help="Tokens an answer may have.")
@provider_options
@click.option(
    "--sandbox", is_flag=True, help="Use a local server made for this run: no key, no cost."
)
@click.option("--sandbox-args", default="", metavar="ARGS", help="See processor sandbox --help.")
@click.option(
    "--min-success", type=float, help="Share of successes that exits with 0.  [default: 1]"
)
@click.option("--skip-invalid", is_flag=True, default=None, help="Leave bad rows out.")
@click.option(
    "--excel", is_flag=True, default=None, help="Let no cell of CSV begin like a formula."
)
@click.option("--no-bom", "bom", flag_value=False, default=None, help="CSV without a BOM.")
@click.option(
    "--keep-bodies",
    type=click.Choice(["all", "failed", "none"]),
    help="Which answers the ledger keeps whole.  [default: failed]",
)
@click.option("--log-content", is_flag=True, default=None, help="Rows and answers into the log.")
@click.option("--logs", type=_Folder(path_type=Path), help="Folder of the logs.  [default: logs]")
@click.option("--seed", type=int, help="Of jitter and made-up questions.  [default: 0]")
@notify_options
@click.option("--quiet", is_flag=True, help="No progress; the summary only.")
@click.option("--yes", is_flag=True, help="Pay for --generate without asking.")
@click.option(
    "--dry-run",
    is_flag=True,
    help="Read and check everything, tell what would be sent, send and write nothing.",
)
def command(**options: Any) -> int:
    """Send every item of a table, record every outcome, write the results.

    Chunk files, statistics and tables go into the run's folder, the logs into logs/. Without
    --input, the database that DATABASE_URL names is read; without that, made-up questions of
    school mathematics are used, or the rows that come with the task.

    Results of rows from a database go back into it as they arrive: into a table TASK_results, made
    for them, so that nothing is altered that is there; --write-columns names columns of a table
    instead. A password is safe in DATABASE_URL, PGPASSWORD or ~/.pgpass; one that is typed can be
    seen in the list of processes.
    """
    return begin(options)


def begin(options: dict[str, Any]) -> int:
    """Begin a run, or go on with it; returns the exit code.

    Args:
        options: Of the command.

    Raises:
        ProcessorError: As `Run.execute`; or the options contradict each other.
    """
    from processor.cli.telling import refusals  # noqa: PLC0415 - loads the engine
    from processor.configuration import validated  # noqa: PLC0415
    from processor.notifying import post  # noqa: PLC0415
    from processor.tasks.toml import load_task  # noqa: PLC0415

    check_options(options)
    found = settle(options)  # before a process is started for it
    if options["detach"] and (options.get("urgent") or options["route"] in ("direct", "flex")):
        raise UsageError("--detach is for what goes by batch: nothing would")
    settings = validated(found)
    post.check(settings.addressees)
    telling = refusals(settings, options["out"] or Path(), quiet=options["quiet"])
    with nullcontext() if options["dry_run"] else telling:
        task = load_task(
            options["task"], model=options["model"], max_output_tokens=options["max_output_tokens"]
        )
        if task.advice:
            streams.tell(f"Note: {task.advice}")
        named = named_input(options)
        source = source_of(named, options, query=task.query, needed=task.required_fields())
        outputs = outputs_of(options, task=task, named_input=named)
    if options["dry_run"]:
        return _rehearse(options, found, task, source, outputs)
    return _send(options, found, task, source, outputs)


def _send(
    options: dict[str, Any],
    found: "Layer",
    task: "PromptTask",
    source: "Source",
    outputs: "Sequence[Output]",
) -> int:
    from processor.cli.conducting import conduct  # noqa: PLC0415
    from processor.cli.telling import refusals  # noqa: PLC0415
    from processor.configuration import in_force, validated  # noqa: PLC0415
    from processor.folders import default_folder, set_aside  # noqa: PLC0415
    from processor.identity import Consent  # noqa: PLC0415
    from processor.recipe import Recipe  # noqa: PLC0415
    from processor.run import Run  # noqa: PLC0415
    from processor.sandbox_process import sandbox_of  # noqa: PLC0415

    folder = options["out"] or default_folder(task.name, source)
    sandbox_args = words(options["sandbox_args"])
    with ExitStack() as stack:
        with refusals(validated(found), folder, quiet=options["quiet"]):
            asked = None if options["sandbox"] else in_force(found, sandbox_url=None)
            if asked is not None and not asked.local and named_input(options) is None:
                refuse_paid_inventions(options)
            if options["new"]:
                set_aside(folder)
            if asked is None:
                own = sandbox_of(folder, sandbox_args, keeps=validated(found).may_batch)
                asked = in_force(found, sandbox_url=stack.enter_context(own))
        settings = asked
        recipe = Recipe.of(options["task"], sandbox_args, files_of(options), typed.that_goes_on())
        _advise(settings.chunk_size)
        return conduct(
            lambda observers: Run(
                folder=folder,
                task=task,
                source=source,
                settings=settings,
                observers=observers,
                consent=Consent(task=options["accept_change"], rows=options["update"]),
                outputs=outputs,
                batch=batch_terms(options),
                recipe=recipe,
            ),
            folder=folder,
            settings=settings,
            quiet=options["quiet"],
        )


def _rehearse(
    options: dict[str, Any],
    found: "Layer",
    task: "PromptTask",
    source: "Source",
    outputs: "Sequence[Output]",
) -> int:
    from processor.cli import rehearsing  # noqa: PLC0415
    from processor.configuration import unasked  # noqa: PLC0415
    from processor.folders import default_folder  # noqa: PLC0415
    from processor.identity import Consent  # noqa: PLC0415
    from processor.loop import run_in_loop  # noqa: PLC0415
    from processor.rehearsal import Rehearsal  # noqa: PLC0415
    from processor.signals import guarded  # noqa: PLC0415

    settings = unasked(found, sandbox=options["sandbox"])
    _advise(settings.chunk_size)
    rehearsal = Rehearsal(
        folder=options["out"] or default_folder(task.name, source),
        task=task,
        source=source,
        settings=settings,
        consent=Consent(task=options["accept_change"], rows=options["update"]),
        outputs=outputs,
        afresh=options["new"],
        tell=rehearsing.tell,
    )
    for line in rehearsing.lines(run_in_loop(guarded(rehearsal)), settings):
        streams.say(line)
    return 0


def _advise(chunk_size: int) -> None:
    if not 10 <= chunk_size <= 100:
        streams.tell(f"Warning: --chunk-size {chunk_size}: 10-100 is usual.")
