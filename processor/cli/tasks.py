"""`processor tasks`."""

import json
import sys
from typing import Any

import click

from processor.cli.provider import provider_options
from processor.cli.sources import source_options
from processor.errors import UsageError

_EPILOG = """\b
Examples:
  processor tasks                          what there is
  processor tasks mathml > my.toml         the file of one, to copy and change
  processor tasks persona --rows > batchinput.jsonl
                                           the rows that come with one
  processor tasks show my.toml             what it needs of a row, and what a request looks like
  processor tasks try my.toml --input rows.csv --dry-run
  processor tasks try my.toml --input rows.csv --rows 5 --sandbox
"""
_TRY_EPILOG = """\b
Examples:
  processor tasks try my.toml --input rows.csv --dry-run       requests only; nothing is sent
  processor tasks try my.toml --input rows.csv --sandbox       no key, no cost
  processor tasks try my.toml --input rows.csv --rows 5        asks the model, and pays for it
  processor tasks try my.toml --input "$DATABASE_URL" --table articles --dry-run

\b
The rows go through the same import, lane and checks as those of a run, in a folder that is
removed afterwards.
"""


class _Tasks(click.Group):
    """Takes a word that is no command for the name of a task."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            return "file", _file, args
        return super().resolve_command(ctx, args)


@click.group(
    cls=_Tasks,
    epilog=_EPILOG,
    invoke_without_command=True,
    subcommand_metavar="[NAME|FILE | COMMAND [ARGS]...]",
)
@click.pass_context
def command(ctx: click.Context) -> None:
    """List the tasks that come with the program, show one, or try one on a few rows.

    A task is a TOML file. Its NAME is one of those that are listed; a FILE is your own.
    """
    if ctx.invoked_subcommand is not None:
        return
    from processor.tasks.toml import load_task, shipped_tasks  # noqa: PLC0415 - loads Jinja2

    for name in shipped_tasks():
        task = load_task(name)
        print(f"{name:<10} {task.kind:<10} {task.model:<16} {task.description}")


@click.command()
@click.argument("name", metavar="NAME|FILE")
@click.option("--rows", is_flag=True, help="Print the rows that come with it, as JSON Lines.")
def _file(name: str, *, rows: bool) -> None:
    """Print the file of a task."""
    from processor.tasks.toml import load_task, task_text  # noqa: PLC0415

    task = load_task(name)
    if not rows:
        print(task_text(name), end="")
        return
    from processor.data import personas  # noqa: PLC0415

    if not personas.are_for(task.required_fields()):
        raise UsageError(f"no rows come with {name}", way_out="processor tasks persona --rows has.")
    is_utf8 = sys.stdout.encoding.lower().replace("-", "") == "utf8"  # else Korean would be lost
    for line in personas.lines():
        print(json.dumps(line, ensure_ascii=not is_utf8))


@command.command("show")
@click.argument("name", metavar="NAME|FILE")
def _show(name: str) -> None:
    """Print a task's file, what it needs, and a request.

    What is below the file are comments, so that the whole still is a task file.
    """
    from processor.cli.trial import example  # noqa: PLC0415
    from processor.tasks.toml import load_task, task_text  # noqa: PLC0415

    task = load_task(name)
    print(task_text(name).rstrip("\n") + "\n")
    needed = ", ".join(task.required_fields()) or "none"
    print(f"# identifies a row: {task.id_field}\n# columns needed: {needed}")
    print(f"# a request to {task.endpoint}:")
    for line in example(task):
        print(f"#   {line}".rstrip())


@command.command("try", epilog=_TRY_EPILOG)
@click.argument("name", metavar="NAME|FILE")
@source_options
@click.option(
    "--rows", type=click.IntRange(1, 100), default=3, show_default=True, help="The first rows."
)
@click.option("--skip-invalid", is_flag=True, help="Leave bad rows out.")
@click.option("--dry-run", is_flag=True, help="Show the requests; send nothing.")
@click.option("--model", help="In place of the task's.")
@click.option("--max-output-tokens", type=int, help="Tokens an answer may have.")
@click.option("--timeout", "timeout_s", type=float, help="Seconds for a call.  [default: 120]")
@provider_options
@click.option("--sandbox", is_flag=True, help="Use a local server: no key, no cost.")
@click.option("--sandbox-args", default="", metavar="ARGS", help="See processor sandbox --help.")
def _try(name: str, **options: Any) -> int:
    """Send a few rows; print request, answer, check."""
    from processor.cli.trial import trial  # noqa: PLC0415 - loads the whole engine

    return trial(name, options)
