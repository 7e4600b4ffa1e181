"""Items of a run that somebody looks for, a page at a time, within a bounded time.

A million items are never read at once: what has failed or is in doubt is found by its index, what
is pending by the chunks that are open, and a text by looking for it slice by slice until the time
is over.
"""

import sqlite3
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from msgspec.structs import replace

from processor import jsontext
from processor.ledger import database, results
from processor.ledger.results import Result
from processor.watch import ranges
from processor.watch.ranges import Slice, Way
from processor.watch.search import Search

# A slice is to take so long, so that the run's log is not kept from being emptied.
_SLICE_S = 0.03
_LEAST_ROWS, _MOST_ROWS = 50, 20_000
_FIRST_ROWS = 500
_HIGHEST = "\U0010ffff"


class Status(StrEnum):
    """Which items are wanted; of all, those that failed come first unless a text is looked for."""

    ALL = "all"
    FAILED = "failed"
    SUCCESS = "success"
    PENDING = "pending"
    REVIEW = "review"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is looked for.

    Attributes:
        codes: Error codes; none for whatever became of it.
        lane: Which answered; None for any.
        text: The beginning of an id, or part of a field, a result or a message; "" for any.
    """

    status: Status = Status.ALL
    codes: tuple[str, ...] = ()
    lane: str | None = None
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A page of items.

    Attributes:
        items: In the order of the input, as far as they are of one kind.
        next: Where to go on; None when there is nothing more.
        complete: False when the time was over before the page was full.
    """

    items: Sequence[Result]
    next: int | None
    complete: bool


def find(
    path: Path, wanted: Wanted, *, after: int = 0, most: int = 50, most_s: float = 0.3
) -> Found:
    """Look for items.

    Args:
        path: The ledger.
        wanted: Which.
        after: 0, or the `next` of the page before.
        most: How many, at most.
        most_s: How long, about.

    Raises:
        LedgerError: The ledger cannot be read.
    """
    with database.reading(path) as connection:
        hunt = _Hunt(connection, wanted, most, time.monotonic() + most_s)
        place = hunt.run(after)
        return Found(
            items=_read(connection, hunt.found),
            next=place,
            complete=place is None or len(hunt.found) >= most,
        )


class _Hunt:
    """One page.

    Attributes:
        found: Its items, as they are listed.
    """

    def __init__(
        self, connection: sqlite3.Connection, wanted: Wanted, most: int, end_s: float
    ) -> None:
        self.found: list[int] = []
        self._connection = connection
        self._wanted = wanted
        self._search = Search(wanted.text) if wanted.text else None
        self._most = most
        self._end_s = end_s
        self._rows = _FIRST_ROWS

    def run(self, after: int) -> int | None:
        """Fill the page; returns where the next one begins, None at the end.

        Places before those of the items themselves are negative.
        """
        named = self._by_id()
        if self._search is not None and not after:
            self.found += named
            if len(self.found) >= self._most:
                return -1
        if after <= 0 and _is_failed_first(self._wanted):
            place = self._walk(ranges.failed(()), -after, "1")
            if place is not None:
                return -place
            after = 0
        way, which = _way(self._wanted)
        return self._walk(way, max(0, after), which, without=set(named))

    def _walk(
        self, way: Way, after: int, which: str, without: set[int] | None = None
    ) -> int | None:
        for part in way(self._connection, after, lambda: self._rows):
            begun_s, left = time.monotonic(), self._most - len(self.found)
            hits, place = self._hits(part, which, left)
            self.found += [seq for seq in hits if seq not in (without or ())]
            self._keep_pace(time.monotonic() - begun_s)
            if len(self.found) >= self._most or time.monotonic() >= self._end_s:
                return place
        return None

    def _hits(self, part: Slice, which: str, most: int) -> tuple[list[int], int]:
        """Items of a slice that are wanted, and how far it was looked at."""
        found = self._connection.execute(*self._query(part, which, most)).fetchall()
        place = part.last if len(found) < most else found[-1][0]
        if self._search is None:
            return [seq for seq, *_ in found], place
        return [seq for seq, *texts in found if self._search.is_in(*texts)], place

    def _query(self, part: Slice, which: str, most: int) -> tuple[str, tuple[object, ...]]:
        columns = "items.seq" if self._search is None else "items.seq, fields, id, result, message"
        terms, parameters = [f"items.seq {part.which}", which], part.parameters
        if self._wanted.lane is not None:
            terms.append("lane = ?")
            parameters += (self._wanted.lane,)
        if self._search is not None:
            terms.append(self._search.which)
            parameters += self._search.parameters
        query = (
            f"SELECT {columns} FROM items LEFT JOIN outcomes ON outcomes.seq = items.seq "
            f"WHERE {' AND '.join(terms)} ORDER BY items.seq LIMIT ?"
        )
        return query, (*parameters, most)

    def _keep_pace(self, took_s: float) -> None:
        if took_s > 2 * _SLICE_S:
            self._rows = max(_LEAST_ROWS, self._rows // 2)
        elif took_s < _SLICE_S / 2:
            self._rows = min(_MOST_ROWS, self._rows * 2)

    def _by_id(self) -> list[int]:
        """Items whose ids begin with the text: a page of them, the same one each time."""
        if self._search is None:
            return []
        text = self._wanted.text
        found = self._connection.execute(
            "SELECT seq FROM items WHERE id >= ? AND id < ? ORDER BY id LIMIT ?",
            (text, text + _HIGHEST, self._most),
        )
        named = jsontext.dumps(sorted(seq for (seq,) in found))
        part = Slice("IN (SELECT value FROM json_each(?))", (named,), 0)
        hits, _ = self._hits(part, _KINDS[_kind(self._wanted)], self._most)
        return hits


def _is_failed_first(wanted: Wanted) -> bool:
    return wanted.status is Status.ALL and not wanted.codes and not wanted.text
