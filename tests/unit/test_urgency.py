"""Whether a cell says that somebody waits."""

from typing import Any

import pytest

from processor.urgency import is_urgent


@pytest.mark.parametrize(
    ("value", "urgent"),
    [
        *((yes, True) for yes in (True, 1, 1.0, "1", "yes", " TRUE ", "Urgent", "긴급", "예", "x")),
        *((no, False) for no in (None, False, 0, "", "  ", "no", "FALSE", "보통", "아니오", "-")),
        *((neither, None) for neither in (2, 0.5, "maybe", "긴급하지 않음", [], {"a": 1})),
    ],
)
def test_a_cell(value: Any, urgent: bool | None) -> None:
    assert is_urgent(value) is urgent
