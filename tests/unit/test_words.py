"""Figures as people read them."""

import re

import pytest

from processor.console.words import clock, counted


@pytest.mark.parametrize(
    ("count", "many", "text"),
    [
        (0, "", "0 items"),
        (1, "", "1 item"),
        (2, "", "2 items"),
        (12_345, "", "12,345 items"),
        (1, "pieces", "1 item"),
        (2, "pieces", "2 pieces"),
    ],
)
def test_one_is_not_many(count: int, many: str, text: str) -> None:
    assert counted(count, "item", many) == text


def test_a_time_that_no_calendar_knows_is_a_dash() -> None:
    assert re.fullmatch(r"\d\d:\d\d:\d\d", clock(1.8e9))
    assert clock(1e300) == clock(-1e18) == "–"
