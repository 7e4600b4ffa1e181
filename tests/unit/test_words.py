"""Figures as people read them."""

import pytest

from processor.console.words import counted


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
