"""What a run lacks that its budget stopped, over its starts."""

from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path

import pytest

from processor.direct.backlog import Work
from processor.items import Item
from processor.ledger import counters, database
from processor.ledger.ledger import Ledger, open_ledger
from processor.plan.estimate import Size
from processor.plan.prices import Prices, Rates
from processor.spending import Spending, begin

PRICES = Prices("ours", "http://127.0.0.1:1/v1", own=Rates.per_million(1_000.0, 1_000.0, 1_000.0))
REFUSED = Work(
    item=Item(seq=1, chunk=1, id=1, fields={}),
    attempts=0,
    invalid=(),
    model="m",
    size=Size(input_bytes=100, output_tokens=100),
)
CALL_USD = 0.2  # at most, since nothing was learnt


def _keep(_: Mapping[str, float]) -> "Future[None]":
    raise AssertionError("nothing is sent here")


@contextmanager
def start(folder: Path) -> Iterator[tuple[Ledger, Spending]]:
    with open_ledger(folder) as ledger:
        opening = begin(ledger, limit_usd=50.0, prices=PRICES, model="m")
        assert opening is not None
        yield (
            ledger,
            Spending(ledger, opening, prices=PRICES, model="m", keep=_keep, granted=lambda: None),
        )


def finish(ledger: Ledger, items: int, usd: float) -> None:
    with database.transaction(ledger.connection):
        rows = [("direct", "succeeded", items), ("direct", "cost_usd", usd)]
        counters.add(ledger.connection, rows)


def rest_usd(spending: Spending, items: int) -> float:
    spending.purse.refused = REFUSED
    shortfall = spending.shortfall(items)
    assert shortfall is not None
    return shortfall.rest_usd


@pytest.mark.parametrize(
    ("finished", "usd", "lost", "item_usd"),
    [
        (0, 0.0, 0, CALL_USD),
        (100, 10.0, 0, 0.1),
        (100, 10.0, 50, 0.1 + CALL_USD / 2),
    ],
)
def test_what_is_left_costs_what_was_done_and_lost_calls_too(
    tmp_path: Path, finished: int, usd: float, lost: int, item_usd: float
) -> None:
    with start(tmp_path) as (ledger, spending):
        finish(ledger, finished, usd)
        spending.purse.lost = lost
        spending.settle()
        assert rest_usd(spending, 10) == pytest.approx(10 * item_usd)


def test_lost_calls_of_earlier_starts_are_remembered(tmp_path: Path) -> None:
    for _ in range(2):
        with start(tmp_path) as (ledger, spending):
            finish(ledger, 50, 5.0)
            spending.purse.lost = 25
            spending.settle()
            found = rest_usd(spending, 10)
    assert found == pytest.approx(10 * (0.1 + CALL_USD / 2))
