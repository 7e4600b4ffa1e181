"""The `processor` command: finds its subcommands, loads only the one that is asked for."""

import sys
from importlib import import_module
from typing import Any, NoReturn

import click

from processor import __version__
from processor.console import streams
from processor.errors import ProcessorError

# name to one line of help; the module of the same name in this package holds `command`.
COMMANDS = {
    "run": "Send every item, record every outcome; the same command again resumes.",
    "plan": "What run would do: items, tokens, cost and time each way; sends nothing.",
    "batch": "The batch lane step by step: submit, check, download, cancel, list, clean.",
    "status": "One look at a run.",
    "control": "Pause a run, go on, drain it, change its limits, send failed items again.",
    "monitor": "Watch runs live, in the terminal or as a page (--web); steer them by keys.",
    "retry": "Make failed items pending again.",
    "report": "A run in one file, made to be shown: summary, costs, errors, a sample.",
    "export": "Write results as CSV, JSONL, Parquet or Excel, or into a database.",
    "compare": "The same items sent in different ways: does batching pay?",
    "quality": "Consistency, diversity, agreement: how good the answers of a run are.",
    "tasks": "List the tasks, show one, or try one on a few rows.",
    "settings": "Every setting, its value and where it came from.",
    "doctor": "Check key, connection, model, limits, disk; pack what support needs.",
    "sandbox": "A local OpenAI-compatible server to try things against.",
}

_EPILOG = """\b
Examples:
  processor run --task mathml --input questions.csv --sandbox
  processor run --task mathml --input questions.csv
  processor status
"""


class _LazyGroup(click.Group):
    """Imports a command's module when the command is used, so that `--help` answers at once."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's
        return list(COMMANDS)

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's
        cmd_name: str,
    ) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"processor.cli.{cmd_name}").command
        return command

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's
        formatter: click.HelpFormatter,
    ) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=_LazyGroup, epilog=_EPILOG, context_settings={"max_content_width": 100})
@click.version_option(__version__, prog_name="processor")
def cli() -> None:
    """One prompt over a whole table, through any OpenAI-compatible API.

    As fast as the provider's limits allow, and every single item accounted for.
    """


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command line; ends the process with a documented exit code."""
    streams.make_safe()
    if not _readable(sys.argv if arguments is None else arguments):
        _fail("this locale cannot read the arguments. Set LANG=C.UTF-8 or PYTHONUTF8=1.", 1)
    try:
        code: Any = cli.main(args=arguments, prog_name="processor", standalone_mode=False)
        streams.finish()
    except click.UsageError as error:
        context = error.ctx.command_path if error.ctx else "processor"
        _fail(f"{error.format_message()} See '{context} --help'.", 1)
    except click.ClickException as error:
        _fail(error.format_message(), 1)
    except (click.Abort, KeyboardInterrupt):
        _fail("Interrupted.", 130)
    except ProcessorError as error:
        _fail(str(error), error.exit_code)
    except BrokenPipeError:
        streams.silence(sys.stdout)
        sys.exit(0)
    sys.exit(code if isinstance(code, int) else 0)


def _readable(arguments: list[str]) -> bool:
    """Whether all arguments are text; Python keeps bytes that it cannot read as surrogates."""
    return not any("\ud800" <= mark <= "\udfff" for word in arguments for mark in word)


def _fail(message: str, code: int) -> NoReturn:
    streams.tell(f"Error: {message}")
    streams.finish()  # what has no place would change the code at exit
    sys.exit(code)
