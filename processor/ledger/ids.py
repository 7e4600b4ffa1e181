"""What identifies an item."""

import hashlib
from typing import Any

ROW_ID = "row"
"""In place of an id's column: rows have none, and are known by their content."""

_EXACT_FLOAT = 2**53  # beyond it, neighbouring whole numbers are the same float
_SHOWN = 80


def identify(value: Any, field: str) -> tuple[str, bool]:
    """The id of a row as text, and whether it is an integer.

    Args:
        value: What stands in the row's id field.
        field: The field's name, for the message.

    Raises:
        ValueError: It is neither text nor a whole number.
    """
    if isinstance(value, str):
        return value, False
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT_FLOAT:
        value = int(value)  # Excel and data frames know whole numbers as 1.0
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value), True
    raise ValueError(f"{field} is {shown(value)}, and an id must be text or a whole number")


def of_content(text: str) -> str:
    """The id of a row that has none: a hash of its fields, so that no other row shifts it."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def shown(value: Any) -> str:
    """A value as a message shows it."""
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
