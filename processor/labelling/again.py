"""A table of failed rows that is submitted again: its answers go into the run it came from."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from processor.folders import RUNS
from processor.labelling import ledgers, outcomes
from processor.labelling.answers import Answer, Known, content_id
from processor.labelling.articles import Articles, WithoutResults
from processor.labelling.table import good_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """Which rows of a run are meant by the rows of a table.

    Attributes:
        failed: Places in the run of rows that failed.
        waiting: How many are on their way already.
        labelled: How many have their label already.
        new: How many the run does not know.
    """

    failed: Sequence[int]
    waiting: int
    labelled: int
    new: int


def run_of(table: Articles) -> Path | None:
    """The folder of the run that a table of failed rows belongs to; None where there is none."""
    if table.run is None or Path(table.run).name != table.run:
        return None
    folder = RUNS / table.run
    return folder if ledgers.holds(folder) else None


def restored(table: Articles) -> WithoutResults:
    """The rows of a table of failed rows as they were at first.

    Raises:
        LedgerError: The ledger of the run that they belong to cannot be read.
    """
    folder = run_of(table)
    return WithoutResults(table.source, outcomes.columns(folder) if folder is not None else ())


def rows_of(table: Articles, folder: Path) -> Again:
    """Find the rows of a table in a run.

    Raises:
        LedgerError: The ledger cannot be read.
    """
    keys = (content_id(row.fields) for row in good_rows(restored(table).rows()))
    return again(keys, outcomes.known(folder))


def again(keys: Iterable[str], known: Known) -> Again:
    """Which rows of a run are meant.

    Of rows that are alike, those that failed are meant first.

    Args:
        keys: `content_id` of the rows.
        known: The answers of the run.
    """
    wanted: dict[str, int] = defaultdict(int)
    for key in keys:
        wanted[key] += 1
    failed: list[int] = []
    counts: Counter[str] = Counter()
    for key, count in wanted.items():
        alike = sorted(known.of(key), key=_rank)
        for answer in alike[:count]:
            counts[_kind(answer)] += 1
            if _kind(answer) == "failed":
                failed.append(answer.seq)
        counts["new"] += count if not alike else 0
    return Again(
        failed=sorted(failed),
        waiting=counts["waiting"],
        labelled=counts["labelled"],
        new=counts["new"],
    )


def _kind(answer: Answer) -> str:
    if answer.label is not None:
        return "labelled"
    return "waiting" if answer.code is None else "failed"


def _rank(answer: Answer) -> int:
    return ("failed", "waiting", "labelled").index(_kind(answer))
