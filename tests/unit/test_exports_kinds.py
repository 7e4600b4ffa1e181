from pathlib import Path
from typing import Any

import pytest
from ledger_parts import Table, ledger_of, rules

from processor.exports import kinds
from processor.exports.table import ResultTable
from processor.ledger.ledger import Ledger


def kind_of(ledger: Ledger, name: str) -> str | None:
    columns = kinds.resolved(ledger.connection, ResultTable(ledger.connection))
    return next(column.kind for column in columns if column.name == name)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1, None, -(2**63)], "integer"),
        ([2**63 - 1], "integer"),
        ([2**63], "text"),
        ([1, 1.5], "real"),
        ([2**53, 1.5], "real"),
        ([2**53 + 1, 1.5], "text"),
        ([2**70, 1.5], "text"),
        ([True, False, None], "boolean"),
        ([True, 1], "text"),
        (["a", 1], "text"),
        ([{}, [1], None], "json"),
        ([{}, "a"], "text"),
        ([None], "text"),
    ],
)
def test_the_kind_of_a_column_is_that_of_its_values(
    tmp_path: Path, values: list[Any], kind: str
) -> None:
    with ledger_of(tmp_path, 0) as ledger:
        content = [{"id": n, "a b\".'": value} for n, value in enumerate(values)]
        ledger.take_in(Table(content), rules())
        assert kind_of(ledger, "a b\".'") == kind


def test_a_column_that_a_result_pushed_aside_is_looked_at_by_its_own_name(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 0) as ledger:
        ledger.take_in(Table([{"id": 1, "status": 5}]), rules())
        assert kind_of(ledger, "input_status") == "integer"
        assert kind_of(ledger, "status") == "text"


@pytest.mark.parametrize(
    ("values", "native"),
    [
        (["1.50", "-12", None], "numeric(4,2)"),
        (["0"], "numeric(1,0)"),
        ([f"0.{'0' * 39}1"], "numeric(41,40)"),
        (["NaN", "1"], "numeric"),
        (["1E-30"], "numeric"),
        (["1" * 77], "numeric"),
    ],
)
def test_decimals_without_digits_are_measured(
    tmp_path: Path, values: list[Any], native: str
) -> None:
    with ledger_of(tmp_path, 0) as ledger:
        ledger.take_in(Table([{"id": n, "x": one} for n, one in enumerate(values)]), rules())
        ledger.set_meta(column_types='{"x":["decimal","numeric"]}')
        columns = kinds.resolved(ledger.connection, ResultTable(ledger.connection))
    assert next(column.native for column in columns if column.name == "x") == native
