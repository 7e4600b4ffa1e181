"""Many rows in one step: the same as by a plain SELECT, whatever stands in them."""

import math
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any

import pytest
from hypothesis import given, strategies as st

from processor.ledger import rows

_ALL = "(SELECT * FROM things ORDER BY seq DESC)"
_LENGTH_MOST = 2_000

texts = st.one_of(st.text(), st.text(alphabet='\0\x01\x1f\x7f"\\/\u2028\ud7ff\uffff\U0010ffff한'))
values = st.one_of(
    st.none(), st.integers(-(2**63), 2**63 - 1), st.floats(-1e300, 1e300, width=64), texts
)


@contextmanager
def holding(*found: tuple[object, object]) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE things (seq INTEGER PRIMARY KEY, one, other)")
        connection.executemany("INSERT INTO things (one, other) VALUES (?, ?)", found)
        yield connection


def alike(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-14, abs_tol=1e-300)
    return type(one) is type(other) and bool(one == other)


@given(st.lists(st.tuples(values, values), max_size=6))
def test_they_are_those_of_a_plain_select(found: Sequence[tuple[object, object]]) -> None:
    with holding(*found) as connection:
        plain = connection.execute("SELECT one, other FROM things ORDER BY seq DESC").fetchall()
        read = rows.read(connection, "one, other", _ALL, ())
    for row, expected in zip(read, plain, strict=True):
        assert all(map(alike, row, expected)), (row, expected)


@pytest.mark.parametrize("length", [10, 700, _LENGTH_MOST - 10])
def test_rows_that_are_too_long_together_are_read_one_by_one(length: int) -> None:
    with holding(*[("x" * length, number) for number in range(8)]) as connection:
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LENGTH_MOST)
        read = rows.read(connection, "one, other", _ALL, ())
    assert read == [["x" * length, number] for number in reversed(range(8))]


@pytest.mark.parametrize("damaged", ["CAST(x'61FF62' AS TEXT)", "CAST(x'EDA080' AS TEXT)", "x'00'"])
def test_what_is_no_text_is_told(damaged: str) -> None:
    with (
        holding(("sound", 1)) as connection,
        pytest.raises(ValueError, match=r"UTF-8|BLOB"),
    ):
        rows.read(connection, f"one, {damaged}", _ALL, ())


def test_what_the_file_refuses_is_told_as_it_is() -> None:
    with holding(("sound", 1)) as connection:
        connection.set_progress_handler(lambda: 1, 1)
        with pytest.raises(sqlite3.OperationalError, match="interrupted"):
            rows.read(connection, "one, other", _ALL, ())
