"""Columns of a frame hold what the results hold: as values, or all of them as text."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pytest
from hypothesis import example, given, settings, strategies as st
from ledger_parts import Table, rules

from processor.api.frames import frame_of
from processor.columns import Column
from processor.exports import cells
from processor.exports.table import ResultTable
from processor.ledger.ledger import open_ledger

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=4)
numbers = st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False)
json_values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=4,
)


class Typed(Table):
    """Rows whose column knows its kind."""

    kind: str = ""

    def columns(self) -> list[Column]:
        return [Column("id", "integer"), Column("value", self.kind)]


def frames(folder: Path, values: list[Any], kind: str | None = None) -> tuple[Any, Any]:
    """The column of both libraries."""
    source = Table([{"id": n, "value": value} for n, value in enumerate(values)])
    if kind is not None:
        source = Typed(source.content)
        source.kind = kind
    with open_ledger(folder / "run") as ledger:
        ledger.set_meta(id_field="id")
        ledger.take_in(source, rules())
        table = ResultTable(ledger.connection)
        return frame_of(table, pl, "polars")["value"], frame_of(table, pd, "pandas")["value"]


@settings(max_examples=25, deadline=None)
@given(values=st.lists(json_values, min_size=1, max_size=5))
@example(values=[[1], [1.5]])
@example(values=[{"a": 1}, {"b": "x"}])
@example(values=[{"a": 1}, "x"])
@example(values=[1] * 200 + [1.5])
@example(values=[1] * 200 + ["x"])
@example(values=[None] * 200 + [{"a": None}])
@example(values=[2**64, -1])
def test_json_values_come_back_or_are_text(
    tmp_path_factory: pytest.TempPathFactory, values: list[Any]
) -> None:
    of_polars, of_pandas = frames(tmp_path_factory.mktemp("run"), values)
    as_text = [cells.text(value) for value in values]
    assert of_polars.to_list() in (values, as_text)
    assert of_polars.dtype != pl.Object
    assert len(of_pandas) == len(values)


@settings(max_examples=20, deadline=None)
@given(values=st.lists(st.none() | st.decimals(), min_size=1, max_size=4), in_lists=st.booleans())
@example(values=[Decimal("1E-49")], in_lists=False)
def test_decimals_come_back_or_are_text(
    tmp_path_factory: pytest.TempPathFactory,
    values: list[Decimal | None],
    in_lists: bool,
) -> None:
    plain: list[Any] = [value if value is None else str(value) for value in values]
    cells_given = [plain, None] if in_lists else plain
    kind = "decimal[]" if in_lists else "decimal"
    found, _ = frames(tmp_path_factory.mktemp("run"), cells_given, kind)
    as_values = [values, None] if in_lists else values
    assert found.to_list() in (as_values, [cells.text(one) for one in cells_given])


@pytest.mark.parametrize(
    ("kind", "values", "dtype"),
    [
        ("decimal", ["1.10", "-3.00", None], pl.Decimal(38, 2)),
        ("decimal", ["NaN", "1"], pl.String),
        ("decimal", ["1" * 40], pl.String),
        ("decimal", ["1" * 20, "0." + "0" * 29 + "1"], pl.String),
        ("decimal[]", [["1.1"], ["2.22"]], pl.List(pl.Decimal(38, 2))),
        ("integer", [2**63, 1], pl.UInt64),
        ("integer", [None], pl.Int64),
        ("text", [None], pl.String),
        ("boolean", [True, None], pl.Boolean),
        ("timestamptz", ["2024-01-01T00:00:00+00:00", "infinity"], pl.String),
        ("json", ["null", {"a": 1}], pl.String),
        ("uuid", ["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"], pl.String),
        ("bytes", ["AP8=", "no base64"], pl.String),
    ],
)
def test_the_type_of_polars(tmp_path: Path, kind: str, values: list[Any], dtype: Any) -> None:
    found, _ = frames(tmp_path, values, kind)
    assert found.dtype == dtype
    if dtype == pl.String:
        shown = [
            value
            if value is None or isinstance(value, str)
            else json.dumps(value, separators=(",", ":"))
            for value in values
        ]
        assert found.to_list() == shown


@pytest.mark.parametrize(
    ("kind", "values", "dtype"),
    [
        ("integer", [1, None], "Int64"),
        ("integer", [2**63], "UInt64"),
        ("integer", [2**63, -1], "object"),
        ("boolean", [True, None], "boolean"),
        (
            "timestamptz",
            ["2024-01-01T00:00:00+01:00", "2024-07-01T00:00:00+02:00"],
            "datetime64[us, UTC]",
        ),
        ("timestamptz", ["2024-01-01T00:00:00+01:00", "infinity"], "object"),
        ("json", ['"a"', {"a": 1}], "object"),
    ],
)
def test_the_type_of_pandas(tmp_path: Path, kind: str, values: list[Any], dtype: str) -> None:
    _, found = frames(tmp_path, values, kind)
    assert str(found.dtype) == dtype
