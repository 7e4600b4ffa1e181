"""Whether a cell says that somebody waits."""

from typing import Any

import pytest

from processor.urgency import is_urgent


@pytest.mark.parametrize(
    ("value", "urgent"),
    [
        *((yes, True) for yes in (True, 1, 1.0, "1", "1.0", "1.00", "yes", "t", "Urgent")),
        *((yes, True) for yes in (" TRUE ", "긴급", "예")),
        *((no, False) for no in (None, False, 0, 0.0, "0", "0.0", "", "  ", "no", "FALSE", "f")),
        *((no, False) for no in ("보통", "아니오", "-", "NULL", "None", "NaN")),
        *((neither, None) for neither in (2, 0.5, -1, 1e400, "2", "1.5", "10", "1e0", "01", "x")),
        *((neither, None) for neither in ("maybe", "긴급하지 않음", "2026-11-21", "O", "X")),
        ([], None),
        ({"a": 1}, None),
    ],
)
def test_a_cell(value: Any, urgent: bool | None) -> None:
    assert is_urgent(value) is urgent
