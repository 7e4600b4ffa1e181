"""Where results of a run go besides its folder, and what is meant when nothing is said."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Literal

from processor.errors import UsageError
from processor.exports.output import Output, Terms, open_output
from processor.extras import extra
from processor.postgres import EXTRA, is_address

Written = Literal["verified", "success", "all"]
"""Which rows a run writes into a database."""


def outputs_of(
    places: Sequence[str],
    terms: Terms,
    *,
    task: str,
    needed: Collection[str],
    address: str | None,
    table: str | None,
) -> list[Output]:
    """The outputs of a run.

    When no place is named, results go back into the database that the rows come from: it is what
    a nightly job needs, and who reads a database has said where their data lives. They go into a
    table of their own, which alters nothing that is there.

    Args:
        places: Files, databases, or `-` for standard output.
        terms: What goes there; files heed their form, databases the rest.
        task: Name of the run's task.
        needed: Columns of a row that its prompt is made of.
        address: The database that rows are read from, unless it is to be left alone.
        table: The table of it that is read, when it was named beside the address.

    Raises:
        UsageError: They cannot be meant so.
    """
    if "" in places:
        raise UsageError("--output is empty", way_out="Name a file or a database.")
    if address is not None and table is not None and terms.table in (None, table):
        _keep_prompts(terms.into.values(), needed)
    of_files = Terms(excel=terms.excel, bom=terms.bom)
    of_databases = replace(terms, excel=False, bom=True)
    files = [open_output(place, of_files, task=task) for place in places if not is_address(place)]
    databases = [
        open_output(place, of_databases, task=task) for place in filter(is_address, places)
    ]
    asked = of_databases != Terms(
        rehearse=terms.rehearse
    )  # for something that only a database heeds
    if address is not None and not databases and (asked or not places):
        databases.append(_back(address, of_databases, task=task, table=table))
    if asked and not databases:
        raise UsageError(
            "--output-table, --write-columns, --keep-old and --write are for a database",
            way_out="Name it with --output postgresql://HOST/DATABASE.",
        )
    return [*files, *databases]


def _keep_prompts(written: Collection[str], needed: Collection[str]) -> None:
    """The next start would ask again, for the answer; what was asked first would be lost."""
    if lost := sorted({*written} & {*needed}):
        raise UsageError(
            f"--write-columns: the prompt is made of the column {lost[0]!r}, which stays",
            way_out="Name another column of the table.",
        )


def _back(uri: str, terms: Terms, *, task: str, table: str | None) -> Output:
    with extra(EXTRA):
        from processor.exports.postgres.destination import (  # noqa: PLC0415 - comes with it
            PostgresOutput,
        )
    return PostgresOutput.back(uri, terms, task=task, source_table=table)
