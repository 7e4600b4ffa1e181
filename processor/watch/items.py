"""Items of a run that somebody looks for, a page at a time, within a bounded time.

A million items are never read at once: what has failed or is in doubt is found by its index, what
is pending by the chunks that are open, and a text by looking for it slice by slice until the time
is over.
"""

import sqlite3
import time
from collections.abc import Collection, Sequence
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
_LEAST_ROWS, _MOST_ROWS = 1, 20_000
_FIRST_ROWS = 8  # a field may hold megabytes
_READ_AT_ONCE = 5
_HIGHEST = "\U0010ffff"
_MOST_NAMED = 200


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
        return find_in(connection, wanted, after=after, most=most, most_s=most_s)


def find_in(
    connection: sqlite3.Connection, wanted: Wanted, *, after: int, most: int, most_s: float
) -> Found:
    """The same in a ledger that is open."""
    hunt = _Hunt(connection, wanted, most, time.monotonic() + most_s)
    place = hunt.run(after)
    return Found(
        items=_read(connection, hunt.found),
        next=place,
        complete=place is None or len(hunt.found) >= most,
    )


@dataclass(frozen=True, slots=True)
class _Kind:
    """Items of one kind: a way to them, and what else must be true of them, in SQL."""

    way: Way
    which: str
    parameters: tuple[object, ...] = ()


_EVERY = _Kind(ranges.chunks("1"), "1")
_NOT_FAILED = _Kind(ranges.chunks("failed < items"), "succeeded IS NOT 0")
_KINDS = {
    Status.SUCCESS: _Kind(ranges.chunks("succeeded > 0"), "succeeded = 1"),
    Status.PENDING: _Kind(ranges.chunks("items > succeeded + failed"), "outcomes.seq IS NULL"),
    Status.REVIEW: _Kind(ranges.reviews, "\"check\" = 'review'"),
}


def _failed(codes: Sequence[str]) -> _Kind:
    if not codes:
        return _Kind(ranges.failed(()), "succeeded = 0")
    places = ", ".join("?" * len(codes))
    return _Kind(ranges.failed(codes), f"succeeded = 0 AND code IN ({places})", tuple(codes))


def _kinds(wanted: Wanted) -> list[_Kind]:
    """What is looked through, one after the other."""
    if wanted.status is Status.FAILED or (wanted.status is Status.ALL and wanted.codes):
        return [_failed(wanted.codes)]
    if wanted.codes:
        return []  # of what has not failed
    if wanted.status is not Status.ALL:
        return [_KINDS[wanted.status]]
    return [_EVERY] if wanted.text else [_failed(()), _NOT_FAILED]


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

        Places in what comes before the last kind are negative: how many items of such ids were
        listed, or a place among those that failed.
        """
        kinds = _kinds(self._wanted)
        if not kinds:
            return None
        *before, last = kinds
        named = self._by_id(last) if self._search is not None else []
        if named and after <= 0:
            self.found += named[-after : self._most - after]
            if self._is_full:
                return after - len(self.found)
        if before and after <= 0:
            place, is_end = self._walk(before[0], -after)
            if self._is_full or not is_end:
                return -place
        place, is_end = self._walk(last, max(0, after), without=frozenset(named))
        return None if is_end else place

    @property
    def _is_full(self) -> bool:
        return len(self.found) >= self._most

    def _walk(
        self, kind: _Kind, after: int, without: Collection[int] = frozenset()
    ) -> tuple[int, bool]:
        """Look through one kind, a slice at least; returns how far, and whether that is the end."""
        parts = kind.way(self._connection, after, lambda: self._rows)
        for part in parts:
            begun_s = time.monotonic()
            after = self._look_through(part, kind, without)
            self._keep_pace(time.monotonic() - begun_s)
            if self._is_full or time.monotonic() >= self._end_s:
                return after, after == part.last and next(parts, None) is None
        return after, True

    def _look_through(self, part: Slice, kind: _Kind, without: Collection[int]) -> int:
        """Look through a slice; returns how far."""
        most = self._most - len(self.found) if self._search is None else self._rows
        query = self._query(part, kind, most, self._search)
        rows = self._connection.execute(*query).fetchall()
        for seq, *texts in rows:
            if seq not in without and (self._search is None or self._search.is_in(*texts)):
                self.found.append(seq)
                if self._is_full:
                    return int(seq)
        return part.last if len(rows) < most else int(rows[-1][0])

    def _query(
        self, part: Slice, kind: _Kind, most: int, search: Search | None
    ) -> tuple[str, tuple[object, ...]]:
        columns = "items.seq"
        terms, parameters = f"items.seq {part.which} AND {kind.which}", part.parameters
        parameters += kind.parameters
        if self._wanted.lane is not None:
            terms += " AND lane = ?"
            parameters += (self._wanted.lane,)
        if search is not None:
            columns += ", fields, id, result, message"
            terms += f" AND {search.which}"
            parameters += search.parameters
        query = (
            f"SELECT {columns} FROM items LEFT JOIN outcomes NOT INDEXED "  # but by their place
            f"ON outcomes.seq = items.seq WHERE {terms} ORDER BY items.seq LIMIT ?"
        )
        return query, (*parameters, most)

    def _keep_pace(self, took_s: float) -> None:
        if took_s > 2 * _SLICE_S:
            self._rows = max(_LEAST_ROWS, self._rows // 2)
        elif took_s < _SLICE_S / 2:
            self._rows = min(_MOST_ROWS, self._rows * 2)

    def _by_id(self, kind: _Kind) -> list[int]:
        """Items whose ids begin with the text: the first of them, the same on every page."""
        text = self._wanted.text
        found = self._connection.execute(
            "SELECT seq FROM items WHERE id >= ? AND id < ? ORDER BY id LIMIT ?",
            (text, text + _HIGHEST, _MOST_NAMED),
        )
        named = jsontext.dumps([seq for (seq,) in found])
        part = Slice("IN (SELECT value FROM json_each(?))", (named,), 0)
        rows = self._connection.execute(*self._query(part, kind, _MOST_NAMED, None))
        return [seq for (seq,) in rows]


def _read(connection: sqlite3.Connection, seqs: Sequence[int]) -> list[Result]:
    """Items with what became of them; of pending ones the calls that were made."""
    parts = (seqs[at : at + _READ_AT_ONCE] for at in range(0, len(seqs), _READ_AT_ONCE))
    found = {result.seq: result for part in parts for result in results.of_items(connection, part)}
    sent = dict(
        connection.execute(
            "SELECT seq, MAX(number) FROM attempts "
            "WHERE seq IN (SELECT value FROM json_each(?)) GROUP BY seq",
            (jsontext.dumps([seq for seq in seqs if found[seq].status == "pending"]),),
        )
    )
    return [replace(found[seq], attempts=sent[seq]) if seq in sent else found[seq] for seq in seqs]
