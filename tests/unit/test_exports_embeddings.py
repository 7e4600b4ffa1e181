"""Embeddings: a table of their own in the ledger, NumPy's format in the run folder."""

import json
import sqlite3
import struct
import subprocess
import sys
import tracemalloc
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st
from ledger_parts import failed, item, ledger_of, settle, succeeded
from msgspec.structs import replace
from npy import read_npy

from processor.errors import LedgerError
from processor.exports import embeddings
from processor.items import Accepted, Outcome
from processor.ledger import vectors
from processor.ledger.ledger import Ledger
from processor.ledger.requeue import requeue_answered

FLOAT32 = st.floats(width=32, allow_nan=False, allow_infinity=False)


def embedded(seq: int, *numbers: float) -> Outcome:
    return holding(seq, struct.pack(f"<{len(numbers)}f", *numbers))


def holding(seq: int, vector: bytes) -> Outcome:
    accepted = Accepted(result=f"{len(vector) // 4} float32", vector=vector)
    return replace(succeeded(item(seq)), accepted=accepted)


def ids(folder: Path) -> list[object]:
    lines = (folder / embeddings.IDS_NAME).read_text().splitlines()
    return [json.loads(line)["id"] for line in lines]


def stored(ledger: Ledger) -> list[tuple[str | int, Sequence[float]]]:
    return [
        (one.id, struct.unpack(f"<{len(one.numbers) // 4}f", one.numbers))
        for one in vectors.of_run(ledger.connection)
    ]


def test_vectors_are_written_in_input_order_with_the_ids_of_their_rows(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 5) as ledger:
        settle(ledger.connection, embedded(4, 0, 1), failed(item(2)), embedded(1, 0.5, -0.25))
        settle(ledger.connection, embedded(3, 1, 0))
        files = embeddings.write(ledger.connection, tmp_path)
    assert [path.name for path in files] == ["embeddings.npy", "embeddings_ids.jsonl"]
    assert read_npy(files[0]) == [(0.5, -0.25), (1, 0), (0, 1)]
    assert ids(tmp_path) == [1, 3, 4]


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_every_float32_comes_back(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    length = data.draw(st.integers(1, 8))
    rows = data.draw(
        st.lists(st.tuples(*[FLOAT32] * length), min_size=1, max_size=10), label="rows"
    )
    folder = tmp_path_factory.mktemp("run")
    with ledger_of(folder, len(rows)) as ledger:
        settle(ledger.connection, *(embedded(seq, *row) for seq, row in enumerate(rows, 1)))
        matrix, _ = embeddings.write(ledger.connection, folder)
    assert read_npy(matrix) == rows


def test_ids_of_any_length_and_kind_stay_what_they_were(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 3) as ledger:
        connection = ledger.connection
        connection.execute("UPDATE items SET id = ? WHERE seq = 1", (str(10**30),))
        connection.execute("UPDATE items SET id = '가\n\"', id_is_integer = 0 WHERE seq = 2")
        connection.execute("UPDATE items SET id = '007', id_is_integer = 0 WHERE seq = 3")
        settle(connection, *(embedded(seq, seq) for seq in (1, 2, 3)))
        embeddings.write(connection, tmp_path)
    assert ids(tmp_path) == [10**30, '가\n"', "007"]


def test_without_embeddings_there_are_no_files_and_none_are_left(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 2) as ledger:
        connection = ledger.connection
        settle(connection, embedded(1, 1, 0), succeeded(item(2)))
        assert vectors.length(connection) == 2
        for path in embeddings.write(connection, tmp_path):
            assert path.exists()
        with connection:
            assert requeue_answered(connection, "1") == 1
        assert vectors.length(connection) is None
        assert embeddings.write(connection, tmp_path) == []
        assert not list(tmp_path.glob("embeddings*"))


def test_a_vector_goes_with_its_outcome_and_comes_with_the_next(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 3) as ledger:
        connection = ledger.connection
        settle(connection, *(embedded(seq, seq, 1) for seq in (1, 2, 3)))
        with connection:
            requeue_answered(connection, "2")
        assert stored(ledger) == [(1, (1, 1)), (3, (3, 1))]
        settle(connection, embedded(2, 7, 7))
        assert stored(ledger) == [(1, (1, 1)), (2, (7, 7)), (3, (3, 1))]


def test_outcome_and_vector_are_durable_together_or_not_at_all(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 2) as ledger:
        with pytest.raises(sqlite3.IntegrityError):
            settle(ledger.connection, embedded(1, 1), embedded(2, 2), embedded(2, 2))
        assert stored(ledger) == []
        assert ledger.connection.execute("SELECT COUNT(*) FROM outcomes").fetchone() == (0,)


def test_vectors_of_two_lengths_are_damage_and_leave_the_earlier_file(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 3) as ledger:
        settle(ledger.connection, embedded(1, 1, 0))
        matrix, _ = embeddings.write(ledger.connection, tmp_path)
        settle(ledger.connection, embedded(2, 1, 0, 0))
        with pytest.raises(LedgerError, match="the vector of 2 has 12 bytes, others have 8"):
            embeddings.write(ledger.connection, tmp_path)
    assert read_npy(matrix) == [(1, 0)]
    assert ids(tmp_path) == [1]
    assert not list(tmp_path.glob(".embeddings*"))


def test_the_memory_of_an_export_does_not_grow_with_the_run(tmp_path: Path) -> None:
    count, length = 2_000, 1_536
    with ledger_of(tmp_path, count) as ledger:
        vector = bytes(length * 4 - 1) + b"\x3f"
        for first in range(1, count, 100):
            records = (holding(seq, vector) for seq in range(first, first + 100))
            settle(ledger.connection, *records)
        tracemalloc.start()
        try:
            matrix, _ = embeddings.write(ledger.connection, tmp_path)
            peak_bytes = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert matrix.stat().st_size == 128 + count * length * 4
    assert peak_bytes < matrix.stat().st_size / 4


_PARQUET = """
import sys
from pathlib import Path
from ledger_parts import ledger_of, rules, Table
from processor.exports.output import Terms, open_output
from processor.ledger import database
from processor.machine import peak_rss_mb

folder, count = Path(sys.argv[1]), int(sys.argv[2])
with ledger_of(folder, 0) as ledger:
    ledger.set_meta(kind="embedding")
    ledger.take_in(Table({"id": n} for n in range(count)), rules(chunk_size=100))
    vector = bytes(1_536 * 4 - 1) + b"\\x3f"
    with database.transaction(ledger.connection):
        vectors = ((seq, vector) for seq in range(1, count + 1))
        ledger.connection.executemany("INSERT INTO vectors VALUES (?, ?)", vectors)
    output = open_output(str(folder / "a.parquet"), Terms(), task="t")
    assert output.deliver(ledger.path).inserted == count
print(peak_rss_mb())
"""


def test_the_memory_of_a_parquet_file_of_them_does_not_grow_with_the_run(tmp_path: Path) -> None:
    peaks_mb = []
    for count in (4_000, 16_000):  # 24 and 98 MB of numbers
        done = subprocess.run(
            [sys.executable, "-c", _PARQUET, str(tmp_path / str(count)), str(count)],
            check=True,
            capture_output=True,
            text=True,
            env={"PYTHONPATH": str(Path(__file__).parent)},
        )
        peaks_mb.append(float(done.stdout))
    assert peaks_mb[1] < peaks_mb[0] + 25
