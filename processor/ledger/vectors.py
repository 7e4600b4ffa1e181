"""The vectors of embeddings, as every export reads them."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from processor import jsontext
from processor.ledger import database

NUMBER_BYTES = 4  # float32
_SLICE_VECTORS = 200  # of the longest in use, 3 MB


class Vector(Struct, frozen=True, gc=False):
    """An item's embedding.

    Attributes:
        id: The item's.
        numbers: Little-endian float32, `NUMBER_BYTES` each.
    """

    id: str | int
    numbers: bytes


def length(connection: sqlite3.Connection) -> int | None:
    """How many numbers a vector of the run has; None while there is none."""
    row = connection.execute("SELECT length(vector) FROM vectors LIMIT 1").fetchone()
    return None if row is None else row[0] // NUMBER_BYTES


def of_items(connection: sqlite3.Connection, seqs: Sequence[int]) -> Mapping[int, bytes]:
    """The numbers of certain items' vectors by the items' `seq`; items without one are left out."""
    return dict(
        connection.execute(
            "SELECT seq, vector FROM vectors WHERE seq IN (SELECT value FROM json_each(?))",
            (jsontext.dumps(seqs),),
        )
    )


def of_run(connection: sqlite3.Connection) -> Iterator[Vector]:
    """All vectors in input order, a slice of them in memory; items without one are left out.

    Of a run that goes on, what is added behind the reader is not seen.
    """
    last_seq = 0
    while True:
        found = connection.execute(
            "SELECT vectors.seq, id, id_is_integer, vector FROM vectors JOIN items USING (seq) "
            "WHERE vectors.seq > ? ORDER BY vectors.seq LIMIT ?",
            (last_seq, _SLICE_VECTORS),
        ).fetchall()
        if not found:
            return
        last_seq = found[-1][0]
        with database.decoding():
            vectors = [Vector(int(key) if whole else key, data) for _, key, whole, data in found]
        yield from vectors
