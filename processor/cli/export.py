"""`processor export`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from processor.cli.outputs import database_options, database_terms, words_of
from processor.console.words import counted
from processor.errors import DeliveryError, UsageError

if TYPE_CHECKING:  # importing them takes longer than --help may
    from processor.exports.output import Delivered, Output

_EPILOG = """\b
Examples:
  processor export --output answers.xlsx                 the newest run in runs/
  processor export runs/news --output news.parquet
  processor export --output failed.csv --only failed
  processor export --output review.csv --only review --columns question_id,result --excel
  processor export --output - | jq .result               JSON Lines on standard output
  processor export --output table.xlsx --pivot persona question
  processor export --output postgresql://me@host/school  into the table TASK_results
  processor export --output postgresql://me@host/school --output-table questions \\
      --write-columns result=latex --dry-run             which rows that would change

\b
Written are .csv, .tsv, .jsonl (each also .gz and .zst), .parquet and .xlsx. Parquet and Excel
know types: they are those of the input's columns, or found out from the values. Excel cuts
cells at 32,767 characters, which is told, and begins another sheet after 1,048,576 rows. A file
is written whole or not at all; one of the same name is replaced.

\b
--excel puts an apostrophe before text in CSV and TSV that spreadsheets would take for a formula
(= + - @, tab, line end); numbers stay as they are. In .xlsx text is text without it.

\b
A database gets every row that is not there as it is here, so it does not matter how often that is
said: it brings a database up to date that was away, or has lost something. It is told rows by
their id. --dry-run does all of it, tells what it did, and takes it back.

\b
Exit codes: 0 written · 1 bad usage, nothing written · 5 the disk or the ledger failed, or the
database did not take the results.
"""


@click.command(epilog=_EPILOG)
@click.argument("run", required=False, type=click.Path(path_type=Path))
@click.option("--output", "spec", required=True, metavar="FILE|URI", help="Where results go.")
@click.option(
    "--only",
    type=click.Choice(["all", "success", "verified", "review", "failed"]),
    help="Which rows.  [default: all; of a database: success]",
)
@database_options
@click.option("--dry-run", is_flag=True, help="Of a database: try, tell, and take it back.")
@click.option("--columns", metavar="A,B,C", help="Of the results, in this order.")
@click.option(
    "--pivot",
    nargs=2,
    metavar="ROWS COLUMNS",
    help="A table: one column's values down, another's across, a result in each cell.",
)
@click.option("--values", metavar="COLUMN", help="What fills the cells.  [default: result]")
@click.option("--pivot-join", metavar="TEXT", help="Between several results of one cell.")
@click.option("--excel", is_flag=True, help="Let no cell of CSV begin like a formula.")
@click.option("--no-bom", "bom", flag_value=False, default=True, help="CSV without a BOM.")
def command(run: Path | None, **options: Any) -> None:
    """Write the results of a run into a file or a database, also while it works.

    RUN is its folder; the newest in runs/ when it is not given.
    """
    from contextlib import closing  # noqa: PLC0415 - see processor.cli.main

    from processor import folders  # noqa: PLC0415
    from processor.exports.output import deliver_all  # noqa: PLC0415
    from processor.ledger import database  # noqa: PLC0415

    path = folders.chosen(run) / database.LEDGER_NAME
    with closing(_output(options, _task_of(path))) as output:
        output.reach()
        with database.reading(path) as connection:
            output.check(connection)
        _tell(deliver_all(output, path), output, rehearsed=options["dry_run"])


def _output(options: dict[str, Any], task: str) -> "Output":
    from processor.exports.files import FileOutput, is_file  # noqa: PLC0415
    from processor.exports.output import open_output  # noqa: PLC0415
    from processor.exports.pivot import Pivot  # noqa: PLC0415

    spec = options["spec"]
    if not spec:
        raise UsageError("--output is empty", way_out="Name a file, or - for standard output.")
    terms = database_terms(
        options,
        rows=options["only"],
        columns=_names(options["columns"]),
        excel=options["excel"],
        bom=options["bom"],
        rehearse=options["dry_run"],
        everything=True,
    )
    if options["pivot"] is None:
        if options["values"] is not None or options["pivot_join"] is not None:
            raise UsageError("--values and --pivot-join go with --pivot")
        return open_output(spec, terms, task=task)
    if terms.columns is not None:
        raise UsageError("--columns and --pivot exclude each other")
    if not is_file(spec):
        raise UsageError("--pivot goes into files", way_out="Name one: --output table.xlsx.")
    down, across = options["pivot"]
    pivot = Pivot(
        down=down, across=across, values=options["values"] or "result", join=options["pivot_join"]
    )
    return FileOutput(spec, terms, pivot=pivot)


def _names(typed: str | None) -> list[str] | None:
    """Names between commas; one that holds a comma stands in double quotes."""
    if typed is None:
        return None
    names = words_of(typed)
    if not names or "" in names:
        raise UsageError("--columns: a name is empty", way_out="Separate names by single commas.")
    return names


def _task_of(ledger: Path) -> str:
    from processor.ledger import database  # noqa: PLC0415

    with database.reading(ledger) as connection:
        found = connection.execute("SELECT value FROM meta WHERE key = 'task'").fetchone()
    if found is None:
        raise UsageError(
            f"{ledger.parent}: its run was killed before it began",
            way_out="Give its command again, then this one.",
        )
    return str(found[0])


def _tell(delivered: "Delivered", output: "Output", *, rehearsed: bool) -> None:
    from processor.console.streams import say, tell  # noqa: PLC0415

    if output.live:
        _tell_database(delivered, output, rehearsed=rehearsed)
        return
    if delivered.files:  # what reads standard output counts for itself
        say(f"{counted(delivered.inserted, 'row')} written to {output.name}")
    for note in delivered.notes:
        tell(f"Warning: {note}")


def _tell_database(delivered: "Delivered", output: "Output", *, rehearsed: bool) -> None:
    from processor.cli.summary import outline  # noqa: PLC0415
    from processor.console.streams import say  # noqa: PLC0415

    if rehearsed:
        say(f"{output.name}: {outline(delivered)}, if this were no rehearsal")
    else:
        say(f"{output.name}: {outline(delivered)}")
    for note in delivered.notes:
        say(f"  {note}")
    if delivered.refused_rows:
        raise DeliveryError(
            f"{counted(delivered.refused_rows, 'row was', 'rows were')} refused: "
            f"{'; '.join(delivered.refused)}",
            passing=False,
            way_out="Mend the table, then give the same command again.",
        )
