"""One reading of a run's items for all of a report that counters do not tell."""

import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from processor.exports import cells
from processor.ledger import results
from processor.ledger.repeats import REPEAT, REPEAT_OF
from processor.ledger.results import Result
from processor.quality import assessment
from processor.quality.assessment import Assessment
from processor.quality.gathering import Gathering
from processor.quality.run import Run
from processor.quality.sample import Sample
from processor.quality.terms import Terms
from processor.reporting.patterns import Factor, Patterns, patterns
from processor.reporting.tallies import Sent, Tallies

ITEMS_MOST = 50_000
"""Of a run with more, so many are read, here and there."""
_READ_MOST_S = 3.0
_AT_ONCE = 100  # consecutive items of a larger run
_WHOLE_AT_ONCE = 500
_SUCCESSES = 6
_FAILURES = 6
_OF_ONE_CODE = 2
_REVIEWS = 4
_COMPARED = 400  # answers whose likeness is measured: work grows with its square
_DOWN_MOST, _ACROSS_MOST = 60, 20  # of a table of answers, to be seen at a glance


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """The answers of a run as a table of two of its columns.

    Attributes:
        down: Name of the column whose values are rows.
        across: Of that whose values are columns.
        rows: Values down.
        columns: Values across.
        cells: The items at (row, column), by their places.
    """

    down: str
    across: str
    rows: Sequence[str]
    columns: Sequence[str]
    cells: Mapping[tuple[int, int], Result]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """What the items tell.

    Attributes:
        items: That were read.
        of_items: That there are.
        failures: Where items fail more often than elsewhere, as far as items tell it.
        reviews: The same of successes whose check is in doubt.
        quality: None of a run without answers.
        drawn: Items to show: failures, then what is in doubt, then others.
        field: None where the input has no two columns that make one.
    """

    items: int
    of_items: int
    failures: Patterns
    reviews: Patterns
    quality: Assessment | None
    drawn: Sequence[Result]
    field: Field | None

    @property
    def is_whole(self) -> bool:
        """Whether all items were read."""
        return self.items >= self.of_items


def scan(
    connection: sqlite3.Connection,
    run: Run,
    *,
    codes: Sequence[str],
    gold: str | None,
    content: bool,
    beside: Sequence[Factor],
) -> Scan:
    """Read a run's items once, in short reads; of a large run a part.

    Args:
        connection: The ledger.
        run: What it is.
        codes: Of errors, in the order in which failures are shown.
        gold: Column of the right labels; None for none.
        content: Whether values of rows are looked at.
        beside: What counters tell of failures, to be judged together with the rest.

    Raises:
        UsageError: There is no such column as `gold`, or the run's answers are no labels.
        sqlite3.Error: The ledger cannot be read.
    """
    found = _Reading(run, Terms(gold=gold, most=_COMPARED).of(run), content=content)
    for items, sent in _slices(connection, run.items):
        for item in items:
            found.add(item, sent.get(item.seq))
    return Scan(
        items=found.items,
        of_items=run.items,
        failures=patterns([*beside, *found.failures.factors()]),
        reviews=patterns(found.reviews.factors()),
        quality=found.quality(),
        drawn=[*_chosen(connection, codes), *found.successes()],
        field=found.field(),
    )


class _Reading:
    """Takes items one by one."""

    def __init__(self, run: Run, terms: Terms, *, content: bool) -> None:
        self._run = run
        self._terms = terms
        self._gathered = Gathering(run, terms)
        self._successes: Sample[Result] = Sample(most=_SUCCESSES, most_of_block=1, seed=terms.seed)
        self._cells: dict[tuple[str, str], Result] = {}
        self._has_field = bool(content and terms.group and terms.within)
        self.items = 0
        columns = run.columns if content else ()
        self.failures = Tallies(columns, with_attempts=False)
        self.reviews = Tallies(columns, with_attempts=True)

    def add(self, item: Result, sent: Sent | None) -> None:
        self.items += 1
        self._gathered.add(item)
        fields = item.fields()
        if self._has_field:
            self._place(item, fields)
        if sent is None or item.status == "pending":
            return
        is_success = item.status == "success"
        if is_success and item.check != "review":
            self._successes.add(str(item.id), str(item.id), item)
        if is_repeated(self._run) and fields.get(REPEAT) != 1:
            return  # what fails once fails each time: items of one row are not independent
        self.failures.add(item, fields, sent, is_case=not is_success)
        if is_success:
            self.reviews.add(item, fields, sent, is_case=item.check == "review")

    def successes(self) -> list[Result]:
        drawn = [one for block in self._successes.blocks().values() for one in block]
        return sorted(drawn, key=lambda one: one.seq)

    def quality(self) -> Assessment | None:
        """What the answers are like; None where there are none."""
        if not self.items or not self._gathered.tally.counts().succeeded:
            return None
        return assessment.measured(self._run, self._terms, self._gathered)

    def field(self) -> Field | None:
        """In the order in which the input has them."""
        first: tuple[dict[str, int], dict[str, int]] = ({}, {})
        for names, item in self._cells.items():
            for seqs, name in zip(first, names, strict=True):
                seqs[name] = min(item.seq, seqs.get(name, item.seq))
        rows, columns = (sorted(seqs, key=seqs.__getitem__) for seqs in first)
        is_table = 2 <= len(rows) <= _DOWN_MOST and 2 <= len(columns) <= _ACROSS_MOST
        if not self._has_field or not is_table:
            return None
        return Field(
            down=self._terms.group or "",
            across=self._terms.within or "",
            rows=rows,
            columns=columns,
            cells={
                (rows.index(down), columns.index(across)): item
                for (down, across), item in self._cells.items()
            },
        )

    def _place(self, item: Result, fields: Mapping[str, Any]) -> None:
        """Put an item into the table, as long as there is one to be seen at a glance."""
        columns = (self._terms.group or "", self._terms.within or "")
        down, across = (cells.text(fields.get(name)) or "" for name in columns)
        other = self._cells.get((down, across))
        if other is None or item.seq < other.seq:
            self._cells[down, across] = item
        if len(self._cells) > _DOWN_MOST * _ACROSS_MOST:
            self._has_field = False
            self._cells.clear()


def is_repeated(run: Run) -> bool:
    """Whether each row is several items."""
    return REPEAT_OF in run.columns


def _slices(
    connection: sqlite3.Connection, items: int
) -> Iterator[tuple[list[Result], Mapping[int, Sent]]]:
    """All items, or of many some here and there, with how they were sent; no longer than is good.

    What is pending, or was it a moment ago, was not sent.
    """
    until_s = time.monotonic() + _READ_MOST_S
    for first, last in spans(items):
        sent = _sent(connection, first, last)
        yield results.of_span(connection, first, last), sent
        if time.monotonic() > until_s:
            return


def _sent(connection: sqlite3.Connection, first: int, last: int) -> Mapping[int, Sent]:
    rows = connection.execute(
        "SELECT o.seq, IFNULL(a.lane, o.lane), CASE WHEN a.seq IS NULL "
        "THEN o.at - NULLIF(o.latency_ms, 0) / 1000 ELSE a.at - NULLIF(a.latency_ms, 0) / 1000 END "
        "FROM outcomes o LEFT JOIN attempts a ON a.seq = o.seq AND a.number = "
        "(SELECT MIN(number) FROM attempts WHERE seq = o.seq) WHERE o.seq BETWEEN ? AND ?",
        (first, last),
    )
    return {seq: Sent(lane, at) for seq, lane, at in rows}


def spans(items: int) -> list[tuple[int, int]]:
    """Which items are read, as (first, last): all, or evenly spread; in a drawn order.

    In that order, so that who stops early has read here and there, too.
    """
    if items <= ITEMS_MOST:
        starts = range(1, items + 1, _WHOLE_AT_ONCE)
        found = [(first, min(items, first + _WHOLE_AT_ONCE - 1)) for first in starts]
    else:
        count = ITEMS_MOST // _AT_ONCE
        firsts = [1 + place * (items - _AT_ONCE) // (count - 1) for place in range(count)]
        found = [(first, first + _AT_ONCE - 1) for first in firsts]
    Random(0).shuffle(found)  # noqa: S311 - a sample, not a secret
    return found


def _chosen(connection: sqlite3.Connection, codes: Iterable[str]) -> list[Result]:
    """Some failures of each cause, and some of what is in doubt; by their indexes."""
    failed: list[int] = []
    for code in codes:
        found = connection.execute(
            "SELECT seq FROM outcomes WHERE succeeded = 0 AND code = ? ORDER BY seq LIMIT ?",
            (code, _OF_ONE_CODE),
        )
        failed += [seq for (seq,) in found]
    doubted = connection.execute(
        "SELECT seq FROM outcomes WHERE \"check\" = 'review' ORDER BY seq LIMIT ?", (_REVIEWS,)
    )
    return [
        *results.of_items(connection, failed[:_FAILURES]),
        *results.of_items(connection, [seq for (seq,) in doubted]),
    ]
