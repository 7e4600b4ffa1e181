"""Where results go besides the run's folder: options, and what is meant without them."""

import csv
import sys
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Any, TypeVar

import click

from processor.errors import UsageError
from processor.postgres import is_address

if TYPE_CHECKING:  # importing them takes longer than --help may
    from processor.exports.output import Output, Terms
    from processor.tasks.task import Task

_Command = TypeVar("_Command", bound=Callable[..., object])

_DATABASE_OPTIONS = (
    click.option(
        "--output-table",
        metavar="[SCHEMA.]NAME",
        help="Of the database that is written.  [default: TASK_results, made when it is missing]",
    ),
    click.option(
        "--write-columns",
        metavar="RESULT=COLUMN,…",
        help="Write into columns of a table that has the rows: result=latex,check=latex_check.",
    ),
    click.option("--keep-old", is_flag=True, help="What is replaced goes into NAME_history."),
)
_RUN_OPTIONS = (
    click.option(
        "--output",
        "outputs",
        multiple=True,
        metavar="FILE|URI",
        help="Results go there too; may be repeated.  [default: a database that is the input]",
    ),
    *_DATABASE_OPTIONS,
    click.option(
        "--write",
        type=click.Choice(["verified", "success", "all"]),
        help="Which rows a database gets.  [default: success]",
    ),
    click.option("--no-write-back", is_flag=True, help="Leave a database that is the input alone."),
    click.option(
        "--output-patience",
        "output_patience_s",
        type=float,
        help="Seconds at the end for a database that is away.  [default: 120]",
    ),
)


def output_options(command: _Command) -> _Command:
    """Give a command the options of `run`, in this order."""
    return _with(_RUN_OPTIONS, command)


def database_options(command: _Command) -> _Command:
    """Give a command those that every way into a database has."""
    return _with(_DATABASE_OPTIONS, command)


def outputs_of(
    options: Mapping[str, Any], *, task: "Task", named_input: str | None
) -> list["Output"]:
    """The outputs of a run; what is meant without options, see `processor.outputs`.

    Args:
        options: Of the command; `excel` and `bom` as they are in force.
        task: The run's.
        named_input: What is read, if it has a name.

    Raises:
        UsageError: They cannot be meant so.
    """
    from processor import outputs  # noqa: PLC0415 - loads the ledger
    from processor.exports.files import STANDARD_OUTPUT  # noqa: PLC0415

    is_read = named_input is not None and is_address(named_input)
    found = outputs.outputs_of(
        options["outputs"],
        database_terms(
            options,
            rows=options["write"],
            excel=options["excel"],
            bom=options["bom"],
            rehearse=options["dry_run"],
        ),
        task=task.name,
        needed=task.required_fields(),
        address=named_input if is_read and not options["no_write_back"] else None,
        table=options["table"],
    )
    if STANDARD_OUTPUT in options["outputs"]:
        # Nothing but rows goes there; what else is said joins the progress.
        click.get_current_context().with_resource(redirect_stdout(sys.stderr))
    return found


def files_of(options: Mapping[str, Any]) -> list[str]:
    """The files among the outputs that were named."""
    return [place for place in options["outputs"] if place != "-" and not is_address(place)]


def database_terms(options: Mapping[str, Any], **others: Any) -> "Terms":
    """What the options say of a database.

    Raises:
        UsageError: A column stands without its other half.
    """
    from processor.exports.output import Terms  # noqa: PLC0415 - loads the ledger

    return Terms(
        table=options["output_table"],
        into=_into(options["write_columns"]),
        keep_old=options["keep_old"],
        **others,
    )


def words_of(typed: str) -> list[str]:
    """What stands between commas, in double quotes where it holds one; none if it cannot be read.

    A line break stands in quotes, too.
    """
    try:
        return [word for line in csv.reader([typed]) for word in line]
    except csv.Error:
        return []


def _into(typed: str | None) -> dict[str, str]:
    """`result=latex,check=latex_check`; names that hold a comma stand in double quotes."""
    if typed is None:
        return {}
    pairs = [word.partition("=") for word in words_of(typed)]
    into = {name: column for name, _, column in pairs}
    if not into or len(into) != len(pairs) or not all(name and column for name, _, column in pairs):
        raise UsageError(
            f"--write-columns {typed}: cannot be read",
            way_out="Write RESULT=COLUMN, several with commas between: result=latex,check=sure.",
        )
    return into


def _with(options: tuple[Callable[[_Command], _Command], ...], command: _Command) -> _Command:
    for option in reversed(options):
        command = option(command)
    return command
