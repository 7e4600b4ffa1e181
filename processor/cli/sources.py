"""Which rows a command means: options, and what is meant without them."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from processor.errors import UsageError

if TYPE_CHECKING:  # importing it takes longer than --help may
    from processor.data.source import Source

_Command = TypeVar("_Command", bound=Callable[..., object])

_DEFAULT_GENERATED = 1_000
_OPTIONS = (
    click.option(
        "--input",
        "input_",
        metavar="FILE|URI",
        help="CSV, TSV or JSONL, also .gz and .zst; Parquet; .xlsx; a pattern in quotes such as "
        "'data/*.csv'; - for stdin; postgresql://…  [DATABASE_URL]",
    ),
    click.option("--sheet", metavar="NAME", help="Of the workbook.  [the first]"),
    click.option("--query", metavar="SQL", help="Of the database: a SELECT.  [the task's]"),
    click.option(
        "--query-file", type=click.Path(path_type=Path), metavar="FILE", help="Holds the SELECT."
    ),
    click.option("--table", metavar="[SCHEMA.]NAME", help="Of the database: a whole table."),
    click.option("--encoding", help="Of the input; recognised when not given (UTF-8, CP949)."),
    click.option("--generate", type=click.IntRange(min=1), metavar="N", help="Made-up rows."),
)

_ROW_OPTIONS = (
    click.option(
        "--only",
        multiple=True,
        metavar="NAME=VALUE",
        help="Only rows whose column has that value; repeated, values add up and columns narrow.",
    ),
    click.option("--limit", type=int, metavar="N", help="Items not done yet to take at most."),
    click.option(
        "--repeat", type=int, metavar="N", help="Ask each row N times, as N items.  [default: 1]"
    ),
)


def source_options(command: _Command) -> _Command:
    """Give a command these options, in this order."""
    return _with(_OPTIONS, command)


def row_options(command: _Command) -> _Command:
    """Give a command those that say which rows it takes, and how often."""
    return _with(_ROW_OPTIONS, command)


def _with(options: tuple[Callable[[_Command], _Command], ...], command: _Command) -> _Command:
    for option in reversed(options):
        command = option(command)
    return command


def named_input(options: Mapping[str, Any]) -> str | None:
    """The file or the database that is read; None for made-up questions.

    Raises:
        UsageError: The options contradict each other.
    """
    given: str | None = options["input_"]
    if more := click.get_current_context().args:
        raise UsageError(
            f"{more[0]!r} stands alone",
            way_out="Name its option. A pattern goes in quotes: --input 'data/*.csv'.",
        )
    if given is not None and options["generate"] is not None:
        raise UsageError("--input and --generate exclude each other")
    if given == "":
        raise UsageError("--input is empty", way_out="Name a file, or - for standard input.")
    if given is not None or options["generate"] is not None:
        return given
    from processor.environment import environment  # noqa: PLC0415 - loads the settings

    return environment().get("DATABASE_URL")


def source_of(
    named: str | None,
    options: Mapping[str, Any],
    *,
    query: str | None,
    needed: Sequence[str] = (),
) -> "Source":
    """The rows.

    Args:
        named: As `named_input` tells.
        options: Of the command.
        query: What the task asks a database when nothing else is said.
        needed: The columns that the task needs, which tell what is made up for it.

    Raises:
        UsageError: They cannot be meant so.
        InputError: There is no such file.
    """
    asked, table = _query(options), options["table"]
    if named is not None:
        from processor.data import open_source  # noqa: PLC0415 - with all formats
        from processor.data.wanted import Wanted  # noqa: PLC0415

        wanted = Wanted(query=asked, table=table, otherwise=query, sheet=options["sheet"])
        return open_source(named, encoding=options["encoding"], wanted=wanted)
    if asked is not None or table is not None:
        raise UsageError(
            "--query and --table need a database",
            way_out="Name it with --input postgresql://…, or in DATABASE_URL.",
        )
    if options["sheet"] is not None:
        raise UsageError("--sheet needs a workbook", way_out="Name it with --input FILE.xlsx.")
    return _made_up(options, needed)


def _made_up(options: Mapping[str, Any], needed: Sequence[str]) -> "Source":
    """Rows that come with the program, of the kind that the task is for."""
    from processor.data import personas  # noqa: PLC0415 - only when wanted
    from processor.data.generator import GeneratedQuestions  # noqa: PLC0415

    if personas.are_for(needed):
        return personas.Personas(count=options["generate"])
    count = options["generate"] or options["limit"] or _DEFAULT_GENERATED
    return GeneratedQuestions(count=max(1, count), seed=options["seed"] or 0)


def refuse_paid_inventions(options: Mapping[str, Any]) -> None:
    """Let nobody pay for made-up questions unasked.

    Raises:
        UsageError: They were not asked for.
    """
    if options["generate"] is None or not options["yes"]:
        raise UsageError(
            "no rows were named",
            way_out="--input FILE takes yours; --generate N --yes pays for made-up ones; "
            "--sandbox tries it without cost.",
        )


def _query(options: Mapping[str, Any]) -> str | None:
    """What --query says, or the file that --query-file names."""
    path: Path | None = options["query_file"]
    if path is None:
        query: str | None = options["query"]
        return query
    if options["query"] is not None:
        raise UsageError("--query and --query-file exclude each other")
    try:
        return path.read_text("utf-8-sig")
    except OSError as error:
        raise UsageError(f"--query-file {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"--query-file {path} is not UTF-8") from error
