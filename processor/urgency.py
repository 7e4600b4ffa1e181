"""Whether a cell says that somebody waits for its row. Pure."""

from typing import Any

_YES = frozenset({"1", "true", "t", "yes", "y", "x", "urgent", "now", "예", "네", "긴급", "급함"})
_NO = frozenset(
    {"", "0", "false", "f", "no", "n", "-", "later", "normal", "아니오", "아니요", "보통", "일반"}
)
WORDS = "yes, true, 1, urgent, 긴급, or no, false, 0, normal, 보통 and nothing"


def is_urgent(value: Any) -> bool | None:
    """What a cell says; None when it says neither.

    Args:
        value: A JSON value.
    """
    if value is None or isinstance(value, bool):
        return bool(value)
    if isinstance(value, int | float):
        return bool(value) if value in (0, 1) else None
    if not isinstance(value, str):
        return None
    word = value.strip().casefold()
    if word in _YES:
        return True
    return False if word in _NO else None
