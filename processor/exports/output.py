"""Where results go besides the run folder: a file, or a table of a database.

What `run --output` and `export --output` share. `run` calls `reach` before it reads a source,
`check` within its import, whose rows and columns the ledger then holds and nobody else sees yet,
and `deliver` at the end; an output that is `live` is brought up to date beside the run as well.
`export` calls the three one after the other.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Literal, Protocol

from processor import postgres
from processor.errors import UsageError
from processor.extras import extra
from processor.ledger.results import Result

Rows = Literal["all", "success", "verified", "failed", "review"]
_REFUSED_SHOWN = 5
_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What of the results goes to an output, and in which form; each output heeds what it can.

    An output refuses what it cannot heed: nothing that was asked for is left out silently.

    Attributes:
        rows: Which items; None for the output's own default: files take all, databases successes.
        columns: Of the results, in this order; None for all.
        excel: Make cells harmless that a spreadsheet takes for formulas.
        bom: Begin text for spreadsheets with a byte order mark.
        table: Of a database, `[schema.]name`; None when the URI names it, or for the default.
        into: Column of the results to column of a table that holds the rows already; empty when
            the output makes a table of its own.
        keep_old: Keep the values that are replaced.
        rehearse: Find out what would be done, and do nothing.
        everything: Put there again what was put there before: brings back what a table has lost.
    """

    rows: Rows | None = None
    columns: Sequence[str] | None = None
    excel: bool = False
    bom: bool = True
    table: str | None = None
    into: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    keep_old: bool = False
    rehearse: bool = False
    everything: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """What a delivery did.

    Attributes:
        inserted: Rows that are new there; of a file, all of its rows.
        updated: Rows that were there with other values.
        unchanged: Rows that were there with the same values.
        missing: Rows that are not there and are not made, as their table is not ours.
        refused: What rows the output does not take, and why, a line each; the first ones.
        refused_rows: How many.
        files: That were written.
        notes: What the user should know of them, such as cells that had to be cut; a line each.
        is_all: Whether nothing is left; otherwise the next call goes on.
    """

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    missing: int = 0
    refused: Sequence[str] = ()
    refused_rows: int = 0
    files: Sequence[Path] = ()
    notes: Sequence[str] = ()
    is_all: bool = True

    def __add__(self, later: "Delivered") -> "Delivered":
        return Delivered(
            inserted=self.inserted + later.inserted,
            updated=self.updated + later.updated,
            unchanged=self.unchanged + later.unchanged,
            missing=self.missing + later.missing,
            refused=(*self.refused, *later.refused)[:_REFUSED_SHOWN],
            refused_rows=self.refused_rows + later.refused_rows,
            files=(*self.files, *later.files),
            notes=(*self.notes, *later.notes),
            is_all=later.is_all,
        )


class Output(Protocol):
    """A place for results."""

    @property
    def name(self) -> str:
        """For messages and the ledger: holds no password, and is the same from run to run."""

    @property
    def live(self) -> bool:
        """Whether results go there as they arrive; otherwise when all are there."""

    def reach(self) -> None:
        """See that the place can be written at all; nothing is written.

        Raises:
            UsageError: It cannot: no folder, no such database, no permission.
        """

    def check(self, connection: sqlite3.Connection) -> None:
        """See that the results of a ledger can go there; nothing is written.

        Args:
            connection: The ledger, perhaps within a transaction that has just imported its rows.

        Raises:
            UsageError: They cannot; names the column.
        """

    def deliver(self, ledger: Path) -> Delivered:
        """Bring the place up to what the ledger holds, or nearer to it.

        Called in any thread, one at a time. After some seconds of work it returns all the same.

        Args:
            ledger: The ledger's file, which others may be writing to.

        Raises:
            DeliveryError: The place does not take them; `passing` when a later call may succeed.
            LedgerError: The ledger cannot be read.
        """

    def waiting(self, ledger: Path) -> int:
        """How many items with an outcome it was not told of; asked after a delivery that failed.

        Raises:
            LedgerError: The ledger cannot be read.
        """

    def close(self) -> None:
        """Let go of connections; nothing is delivered after."""


def deliver_all(output: Output, ledger: Path) -> Delivered:
    """Bring an output up to what the ledger holds.

    Raises:
        ProcessorError: As `Output.deliver`.
    """
    total = output.deliver(ledger)
    while not total.is_all:
        total += output.deliver(ledger)
    return total


def belongs(rows: Rows, item: Result) -> bool:
    """Whether an item is among the rows that are wanted."""
    if rows == "all":
        return True
    if rows in ("success", "failed"):
        return item.status == rows
    return item.check == rows


def open_output(spec: str, terms: Terms, *, task: str) -> Output:
    """The output that a URI, a file's name, or `-` for standard output, stands for.

    Args:
        spec: What the user typed.
        terms: What goes there.
        task: Name of the run's task; a table made on demand is called after it.

    Raises:
        UsageError: It is no place that is known, or cannot heed the terms.
    """
    from processor.exports.files import (  # noqa: PLC0415 - it is made of what stands above
        FileOutput,
        is_file,
    )

    if is_file(spec):
        return FileOutput(spec, terms)
    if postgres.is_address(spec):
        with extra(postgres.EXTRA):
            from processor.exports.postgres.destination import (  # noqa: PLC0415 - an extra
                PostgresOutput,
            )
        return PostgresOutput.open(spec, terms, task=task)
    raise UsageError(
        f"--output {postgres.shown(spec)}: is of no known kind",
        way_out="Name a file, or a database: postgresql://HOST/DATABASE.",
    )
