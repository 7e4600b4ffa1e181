"""A table of failed rows that is submitted again: its answers go into the run it came from."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from processor.folders import RUNS
from processor.labelling import ledgers, outcomes
from processor.labelling.answers import Answer, Known, content_id
from processor.labelling.articles import Articles, WithoutResults, good_rows
from processor.labelling.matching import by_question
from processor.tasks.prompt import PromptTask

_FAILED, _WAITING, _LABELLED = "failed", "waiting", "labelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """Which rows of a run are meant by the rows of a table.

    Attributes:
        failed: Places in the run of rows that failed.
        waiting: How many are on their way already.
        labelled: How many have their label already.
        new: How many the run does not know.
        known_otherwise: Places in the table, from 0, of rows that are known by their question only.
    """

    failed: Sequence[int]
    waiting: int
    labelled: int
    new: int
    known_otherwise: Sequence[int] = ()


def run_of(table: Articles) -> Path | None:
    """The folder of the run that a table of failed rows belongs to; None where there is none.

    Raises:
        LedgerError: Its ledger cannot be read.
    """
    if table.run is None or Path(table.run).name != table.run:
        return None
    folder = RUNS / table.run
    if not ledgers.holds(folder):
        return None
    ledgers.refresh(folder)
    return folder


def restored(table: Articles) -> WithoutResults:
    """The rows of a table of failed rows as they were at first.

    Raises:
        LedgerError: The ledger of the run that they belong to cannot be read.
    """
    folder = run_of(table)
    return WithoutResults(table.source, outcomes.columns(folder) if folder is not None else ())


def rows_of(table: Articles, folder: Path, task: PromptTask) -> Again:
    """Find the rows of a table in a run.

    Args:
        table: Of failed rows, as it is now: a spreadsheet may have rewritten some cells.
        folder: Of the run.
        task: That it asks.

    Raises:
        LedgerError: The ledger cannot be read.
    """
    source, known = restored(table), outcomes.known(folder)
    keys = [content_id(row.fields) for row in good_rows(source)]
    find = by_question(folder, task, known, lambda: good_rows(source))
    return again(keys, known, find)


def again(
    keys: Sequence[str], known: Known, others: Callable[[Sequence[int]], Mapping[int, Answer]]
) -> Again:
    """Which rows of a run are meant.

    Of rows that are alike, those that failed are meant first.

    Args:
        keys: `content_id` of the rows.
        known: The answers of the run.
        others: Finds answers for rows that are not known by their content: their places, from 0.
    """
    meant = [
        answer
        for key, count in Counter(keys).items()
        for answer in sorted(known.of(key), key=_rank)[:count]
    ]
    lost = [place for place, key in enumerate(keys) if not known.of(key)]
    found = others(lost) if lost else {}
    kinds = Counter(map(_kind, (*meant, *found.values())))
    failed = {answer.seq for answer in (*meant, *found.values()) if _kind(answer) == _FAILED}
    return Again(
        failed=sorted(failed),
        waiting=kinds[_WAITING],
        labelled=kinds[_LABELLED],
        new=len(lost) - len(found),
        known_otherwise=sorted(found),
    )


def _kind(answer: Answer) -> str:
    if answer.label is not None:
        return _LABELLED
    return _WAITING if answer.code is None else _FAILED


def _rank(answer: Answer) -> int:
    return (_FAILED, _WAITING, _LABELLED).index(_kind(answer))
