"""Ways through the items of a run, a few at a time, that pass over those nobody asked for.

Each way reads in many short statements: a long one would keep the run's log from being emptied.
"""

import heapq
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from processor import jsontext

_CHUNKS_AT_ONCE = 100
_MOST_JOINED = 2_000
_CODES = """
WITH RECURSIVE known(code) AS (
    SELECT MIN(code) FROM outcomes INDEXED BY failures WHERE succeeded = 0
    UNION ALL
    SELECT (SELECT MIN(code) FROM outcomes INDEXED BY failures
            WHERE succeeded = 0 AND code > known.code)
    FROM known WHERE known.code IS NOT NULL
)
SELECT code FROM known WHERE code IS NOT NULL
"""
_FAILED = """
SELECT seq FROM outcomes INDEXED BY failures
WHERE succeeded = 0 AND code = ? AND seq > ? ORDER BY seq LIMIT ?
"""
_REVIEWS = """
SELECT seq FROM outcomes INDEXED BY reviews
WHERE "check" = 'review' AND seq > ? ORDER BY seq LIMIT ?
"""


class Slice(NamedTuple):
    """Some items, in their order.

    Attributes:
        which: What `items.seq` must be, in SQL.
        parameters: Of that.
        last: Whatever comes later is behind it.
    """

    which: str
    parameters: tuple[object, ...]
    last: int


Size = Callable[[], int]
Way = Callable[[sqlite3.Connection, int, Size], Iterator[Slice]]


def failed(codes: Sequence[str]) -> Way:
    """Failed items; of some error codes, or of all when none is named."""

    def walk(connection: sqlite3.Connection, after: int, size: Size) -> Iterator[Slice]:
        named = codes or [code for (code,) in connection.execute(_CODES)]

        def read(place: int, most: int) -> list[int]:
            found = (_seqs(connection, _FAILED, (code, place, most)) for code in set(named))
            return list(heapq.merge(*found))[:most]

        return _listed(read, after, size)

    return walk


def reviews(connection: sqlite3.Connection, after: int, size: Size) -> Iterator[Slice]:
    """Items that somebody should look over."""
    return _listed(lambda place, most: _seqs(connection, _REVIEWS, (place, most)), after, size)


def chunks(holding: str) -> Way:
    """Items of chunks of which something is true, in SQL; of all chunks for `1`."""

    def walk(connection: sqlite3.Connection, after: int, size: Size) -> Iterator[Slice]:
        for first, last in _joined(_spans(connection, holding)):
            place = max(first - 1, after)
            while place < last:
                end = min(last, place + size())
                yield Slice("BETWEEN ? AND ?", (place + 1, end), end)
                place = end

    return walk


def _listed(read: Callable[[int, int], list[int]], after: int, size: Size) -> Iterator[Slice]:
    while found := read(after, most := size()):
        after = found[-1]
        yield Slice("IN (SELECT value FROM json_each(?))", (jsontext.dumps(found),), after)
        if len(found) < most:
            return


def _seqs(connection: sqlite3.Connection, query: str, parameters: tuple[object, ...]) -> list[int]:
    return [seq for (seq,) in connection.execute(query, parameters)]


def _spans(connection: sqlite3.Connection, holding: str) -> Iterator[tuple[int, int]]:
    """First and last item of each such chunk."""
    number = 0
    query = (
        "SELECT number, first_seq, first_seq + items - 1 FROM chunks "
        f"WHERE number > ? AND {holding} ORDER BY number LIMIT ?"
    )
    while found := connection.execute(query, (number, _CHUNKS_AT_ONCE)).fetchall():
        yield from ((first, last) for _, first, last in found)
        number = found[-1][0]


def _joined(spans: Iterator[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Neighbours as one, as long as that is not too long: who wants a page waits for no more."""
    first, last = 1, 0
    for begin, end in spans:
        if begin != last + 1 or end - first >= _MOST_JOINED:
            if first <= last:
                yield first, last
            first = begin
        last = end
    if first <= last:
        yield first, last
