"""The embeddings of a run: `embeddings.npy`, and whose they are in `embeddings_ids.jsonl`.

A row of the matrix is a line of the other file. NumPy's format is a line of Python and the
numbers, so it is written without NumPy.
"""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from processor import jsontext
from processor.exports.atomic import replacing, replacing_bytes, unlink
from processor.ledger import database, vectors
from processor.ledger.vectors import Vector

VECTORS_NAME = "embeddings.npy"
IDS_NAME = "embeddings_ids.jsonl"

_MAGIC = b"\x93NUMPY\x01\x00"
# Whatever the count of rows: it is known, and put in, when all of them are written.
_HEAD_BYTES = 128


def write(connection: sqlite3.Connection, folder: Path) -> list[Path]:
    """Write both files in one pass over the ledger; returns them.

    Without embeddings there are none, and those of an earlier state go.

    Args:
        connection: The ledger.
        folder: The run's folder.

    Raises:
        LedgerError: The disk refuses, or the vectors are not of one length.
    """
    matrix, ids = folder / VECTORS_NAME, folder / IDS_NAME
    with database.guard(folder / database.LEDGER_NAME):
        length = vectors.length(connection)
        if length is None:
            unlink(matrix)
            unlink(ids)
            return []
        with replacing_bytes(matrix) as numbers, replacing(ids) as names:
            count = _write_rows(_alike(vectors.of_run(connection), length, folder), numbers, names)
            numbers.seek(0)
            numbers.write(_head(count, length))
    return [matrix, ids]


def _write_rows(rows: Iterator[Vector], numbers: IO[bytes], names: IO[str]) -> int:
    numbers.write(bytes(_HEAD_BYTES))
    count = 0
    for row in rows:
        numbers.write(row.numbers)
        names.write(jsontext.dumps({"id": row.id}).strip() + "\n")
        count += 1
    return count


def _alike(rows: Iterator[Vector], length: int, folder: Path) -> Iterator[Vector]:
    for row in rows:
        if len(row.numbers) != length * vectors.NUMBER_BYTES:
            raise database.damaged(
                folder / database.LEDGER_NAME,
                f"the vector of {row.id!r} has {len(row.numbers)} bytes, "
                f"others have {length * vectors.NUMBER_BYTES}",
            )
        yield row


def _head(rows: int, length: int) -> bytes:
    """What a reader learns of the matrix: version 1.0 of the format, padded to a round length."""
    shape = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {length}), }}"
    room = _HEAD_BYTES - len(_MAGIC) - 2
    return _MAGIC + room.to_bytes(2, "little") + shape.ljust(room - 1).encode() + b"\n"
