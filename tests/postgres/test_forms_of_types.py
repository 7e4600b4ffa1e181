"""Values of a real database in workbooks and data frames: each as what it is, or as its text."""

import datetime as dt
from decimal import Decimal
from typing import Any
from uuid import UUID

import pandas as pd
import polars as pl
import pytest
import python_calamine as calamine
from command_line import Shell

from postgres.cluster import Database
from processor.api.frames import frame_of
from processor.exports.table import ResultTable
from processor.ledger import database as ledgers

ID = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"
NOON = dt.datetime(2024, 7, 1, 12, tzinfo=dt.UTC)
# Column: its type, a value, one that few have a type for, and how they come out.
COLUMNS = {
    "n": ("numeric", "1234567890123456789.10", "NaN"),
    "n2": ("numeric(10,2)", "1.10", "-3"),
    "big": ("bigint", "9007199254740993", "1"),
    "f": ("float8", "0.1", "Infinity"),
    "ok": ("boolean", "t", "f"),
    "t": ("timestamptz", "2024-07-01 21:00+09", "2024-01-01 12:00+00"),
    "ever": ("timestamptz", "2024-07-01 12:00+00", "infinity"),
    "d": ("date", "2024-02-29", "1899-12-31"),
    "tm": ("time", "12:34:56.789", "23:59"),
    "u": ("uuid", ID, ID),
    "j": ("jsonb", '{"a": 1.10}', "null"),
    "js": ("json", '"x"', '[1, {"a": "b"}]'),
    "a": ("int[]", "{1,NULL}", "{}"),
    "na": ("numeric(8,2)[]", "{1.10,20}", "{3}"),
    "ta": ("timestamptz[]", "{2024-07-01 12:00+00}", "{}"),
    "ja": ("jsonb[]", '{1,"\\"a\\""}', "{}"),
    "ua": ("uuid[]", f"{{{ID}}}", "{}"),
    "by": ("bytea", "\\x00ff", ""),
}
TEXTS = {
    "n": ["1234567890123456789.10", "NaN"],
    "ever": ["2024-07-01 14:00:00+02", "infinity"],
    "j": ['{"a": 1.10}', "null"],
    "js": ['"x"', '[1, {"a": "b"}]'],
    "ja": ['[1,"a"]', "[]"],
    "u": [ID, ID],
}
VALUES: dict[str, list[Any]] = {
    "n2": [Decimal("1.10"), Decimal("-3.00")],
    "big": [9007199254740993, 1],
    "f": [0.1, float("inf")],
    "ok": [True, False],
    "t": [NOON, dt.datetime(2024, 1, 1, 12, tzinfo=dt.UTC)],
    "d": [dt.date(2024, 2, 29), dt.date(1899, 12, 31)],
    "tm": [dt.time(12, 34, 56, 789_000), dt.time(23, 59)],
    "a": [[1, None], []],
    "na": [[Decimal("1.10"), Decimal("20.00")], [Decimal("3.00")]],
    "ta": [[NOON], []],
    "by": [b"\x00\xff", b""],
}


@pytest.fixture
def converted(run: Shell, database: Database) -> Shell:
    """A run over three rows, the last of them without values, written as a workbook."""
    declared = ", ".join(f"{name} {kind}" for name, (kind, _, _) in COLUMNS.items())
    (name,) = database.rows("SELECT current_database()")[0]
    # Of other days its clocks are otherwise.
    database.execute(f"ALTER DATABASE {name} SET timezone = 'Europe/Berlin'")
    database.execute(f"CREATE TABLE q (id int PRIMARY KEY, word text, {declared})")
    for place in (1, 2):
        values = ", ".join(f"$q${made[place]}$q$" for made in COLUMNS.values())
        database.execute(f"INSERT INTO q VALUES ({place}, 'w', {values})")
    database.execute("INSERT INTO q (id, word) VALUES (3, 'w')")
    options = ("--input", database.uri, "--table", "q", "--out", "out", "--output", "o.xlsx")
    done = run.run("--task", "greet.toml", *options)
    assert done.code == 0, done.err
    return run


def test_a_workbook(converted: Shell) -> None:
    book = calamine.CalamineWorkbook.from_path(str(converted.folder / "o.xlsx"))
    head, *lines = book.get_sheet_by_index(0).to_python()
    found = {name: [line[place] for line in lines] for place, name in enumerate(head)}
    for name, texts in TEXTS.items():
        assert found[name] == [*texts, ""], name
    assert found["n2"] == [1.1, -3.0, ""]
    assert found["big"] == ["9007199254740993", 1.0, ""]
    assert found["f"] == [0.1, "Infinity", ""]
    assert found["ok"] == [True, False, ""]
    assert found["d"] == [dt.date(2024, 2, 29), "1899-12-31", ""]
    assert found["tm"] == [dt.time(12, 34, 56, 789_000), dt.time(23, 59), ""]
    assert found["a"] == ["[1,null]", "[]", ""]
    assert found["na"] == ['["1.10","20.00"]', '["3.00"]', ""]
    assert found["ua"] == [f'["{ID}"]', "[]", ""]
    assert found["by"] == ["AP8=", "", ""]


def test_a_frame_of_polars(converted: Shell) -> None:
    """What polars would change, or breaks down at, is text: no value is lost."""
    with ledgers.reading(converted.folder / "out" / "ledger.sqlite") as connection:
        frame = frame_of(ResultTable(connection), pl, "polars")
    for name, values in VALUES.items():
        assert frame[name].to_list() == [*values, None], name
        assert frame[name].dtype not in (pl.String, pl.Object), name
    for name, texts in {**TEXTS, "ua": [f'["{ID}"]', "[]"]}.items():
        assert (name, frame[name].dtype) == (name, pl.String)
        assert frame[name].to_list() == [*texts, None], name
    assert frame["error_code"].dtype == pl.String


def test_a_frame_of_pandas(converted: Shell) -> None:
    with ledgers.reading(converted.folder / "out" / "ledger.sqlite") as connection:
        frame = frame_of(ResultTable(connection), pd, "pandas")
    for name, values in VALUES.items():
        found = list(frame[name])
        assert found[:2] == values, name
        assert found[2] is None or pd.isna(found[2])
    dtypes = {name: str(frame[name].dtype) for name in ("big", "f", "ok", "t")}
    assert dtypes == {
        "big": "Int64",
        "f": "float64",
        "ok": "boolean",
        "t": "datetime64[us, UTC]",
    }
    assert list(frame["u"])[:2] == [UUID(ID)] * 2
    assert list(frame["j"])[:2] == [{"a": 1.1}, None]
    assert frame["js"][1] == [1, {"a": "b"}]
    assert frame["ja"][0] == [1, "a"]
    assert frame["ever"][1] == "infinity"
