"""Whether a cell says that somebody waits for its row. Pure."""

import re
from typing import Any

# No x: it ticks a box in one country, and says no in another.
_YES = frozenset({"true", "t", "yes", "y", "urgent", "now", "예", "네", "긴급", "급함"})
_NO = frozenset(
    {
        *("", "false", "f", "no", "n", "-", "later", "normal", "none", "null", "nan"),
        *("아니오", "아니요", "보통", "일반"),
    }
)
_ONE, _ZERO = re.compile(r"1(\.0*)?"), re.compile(r"0(\.0*)?")  # tables make 1.0 and 1.00 of 1
WORDS = "yes, true, 1, urgent, 긴급, or no, false, 0, normal, 보통 and nothing"


def is_urgent(value: Any) -> bool | None:
    """What a cell says; None when it says neither.

    Args:
        value: A JSON value.
    """
    if value is None:
        return False
    if isinstance(value, int | float):
        return bool(value) if value in (0, 1) else None
    if not isinstance(value, str):
        return None
    word = value.strip().casefold()
    if word in _YES or _ONE.fullmatch(word):
        return True
    return False if word in _NO or _ZERO.fullmatch(word) else None
