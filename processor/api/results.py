"""What a finished run gives back to the program that started it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from processor.api import frames
from processor.columns import Column, typed
from processor.data.frames import Library
from processor.delivery import Handover
from processor.errors import DeliveryError, StoppedError, UsageError
from processor.exports.table import ResultTable
from processor.ledger import database, shards
from processor.report import Report
from processor.stop import Stop
from processor.watch.snapshot import Snapshot

if TYPE_CHECKING:  # most runs are not measured
    from processor.quality.assessment import Assessment


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReport:
    """How a run ended, and its results.

    Attributes:
        folder: The run's; the same `out` resumes it.
        exit_code: As the command line's: 0 all succeeded, 2 some failed, 3 stopped by the
            provider, 4 by the budget, 5 the disk, 6 work still at the provider, 130 interrupted.
        figures: Counts, latencies, tokens, costs.
        files: What was written: statistics and tables.
        stop: Why the run ended before its end; None if nothing ended it.
        handovers: Of each output what it took and refused, and why it lacks something if it does;
            the same call catches up.
    """

    folder: Path
    exit_code: int
    figures: Snapshot
    files: Sequence[Path]
    stop: Stop | None
    handovers: Sequence[Handover]
    _library: Library | None

    @classmethod
    def of(cls, report: Report, *, folder: Path, library: Library | None) -> "RunReport":
        """Of a run that has ended."""
        return cls(
            folder=folder,
            exit_code=report.exit_code,
            figures=report.snapshot,
            files=report.files,
            stop=report.stop,
            handovers=report.handovers,
            _library=library,
        )

    def __repr__(self) -> str:
        """Short enough to stand below a notebook's cell."""
        counts = f"succeeded={self.succeeded}, failed={self.failed}, pending={self.pending}"
        return f"RunReport(folder={str(self.folder)!r}, exit_code={self.exit_code}, {counts})"

    @property
    def total(self) -> int:
        """Items of the run; succeeded + failed + pending."""
        return self.figures.total

    @property
    def succeeded(self) -> int:
        """Items with a result."""
        return self.figures.succeeded

    @property
    def failed(self) -> int:
        """Items that failed, each with its reason."""
        return self.figures.failed

    @property
    def pending(self) -> int:
        """Items without an outcome; the same call goes on with them."""
        return self.figures.pending

    @property
    def batches(self) -> list[str]:
        """The ids of its batches at the provider, the oldest first.

        Raises:
            LedgerError: The ledger cannot be read.
        """
        with database.reading(self.folder / database.LEDGER_NAME) as connection:
            return [batch.id for batch in shards.batches(connection)]

    @property
    def cost_usd(self) -> float | None:
        """What the answers cost; None when that is unknown."""
        return self.figures.overall.cost_usd

    def raise_for_stop(self) -> "RunReport":
        """Itself.

        Raises:
            StoppedError: The provider or the budget ended the run before its end.
        """
        if self.stop is not None:
            raise StoppedError(self.stop.message, code=self.stop.code, exit_code=self.exit_code)
        return self

    def raise_for_outputs(self) -> "RunReport":
        """Itself.

        Raises:
            DeliveryError: An output did not take all results; the same call catches up.
        """
        problems = [each.problem for each in self.handovers if each.problem is not None]
        if problems:
            raise DeliveryError("; ".join(problems), passing=False)
        return self

    def rows(self) -> Iterator[dict[str, Any]]:
        """The input's columns and the results, a row at a time, in the order of the input.

        Decimals, dates and the like are what they were when they came with a type.

        Raises:
            LedgerError: The ledger cannot be read.
        """
        path = self.folder / database.LEDGER_NAME
        with database.reading(path) as connection:
            table = ResultTable(connection)
            for _, rows in table.slices():
                for row in rows:
                    yield _named(table.columns, row)

    def frame(self, library: Library | None = None) -> Any:
        """The same as a data frame.

        Args:
            library: `pandas` or `polars`; by default that of the frame that was given, else
                whichever is installed.

        Raises:
            UsageError: Neither is installed.
        """
        name, module = _library(library or self._library)
        with database.reading(self.folder / database.LEDGER_NAME) as connection:
            return frames.frame_of(ResultTable(connection), module, name)

    def quality(
        self, *, against: "RunReport | Path | str | None" = None, **terms: Any
    ) -> "Assessment":
        """How good the answers are: consistent, diverse, told apart, agreeing with others.

        Args:
            against: Another run, or its folder, to compare with item by item.
            **terms: As of `quality.terms.Terms`: `group`, `within` and `gold` are columns,
                `same_by` is a tuple of such.

        Raises:
            LedgerError: A ledger cannot be read.
            UsageError: A column is not there, or what is asked does not fit the answers.
        """
        from processor.quality.assessment import assess  # noqa: PLC0415 - most are not measured
        from processor.quality.terms import Terms  # noqa: PLC0415

        beside = against.folder if isinstance(against, RunReport) else against
        return assess(self.folder, Terms(**terms), beside=None if beside is None else Path(beside))


def _named(columns: Sequence[Column], row: Sequence[Any]) -> dict[str, Any]:
    return {
        column.name: typed(column.kind, value) for column, value in zip(columns, row, strict=True)
    }


def _library(wanted: Library | None) -> tuple[Library, Any]:
    names: Sequence[Library] = (wanted,) if wanted else ("pandas", "polars")
    for name in names:
        try:
            return name, import_module(name)
        except ImportError:
            continue
    missing = f"{wanted} is not" if wanted else "neither pandas nor polars is"
    raise UsageError(
        f"{missing} installed",
        way_out="Install one of them, or take rows() instead of frame().",
    )
