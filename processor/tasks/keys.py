"""The keys of a TOML table: known ones, each with a value of its type."""

import difflib
import math
from collections.abc import Mapping
from typing import Any

from processor.errors import TaskError

_TOML_TYPES: Mapping[type, str] = {
    str: "text",
    int: "a whole number",
    bool: "true or false",
    dict: "a table",
    list: "an array",
}


def expect(table: Mapping[str, Any], keys: Mapping[str, type], where: str) -> None:
    """Refuses a key that is not among `keys`, or whose value is not of its type.

    Raises:
        TaskError: One line that begins with `where` and names the key.
    """
    for key, value in table.items():
        if key not in keys:
            near = difflib.get_close_matches(key, keys, n=1)
            known = f"did you mean {near[0]}" if near else f"known are {', '.join(keys)}"
            raise TaskError(f"{where}: {key}: unknown key; {known}")
        # bool is an int to Python, not to the author of a file.
        if not isinstance(value, keys[key]) or isinstance(value, bool) != (keys[key] is bool):
            raise TaskError(f"{where}: {key}: must be {_TOML_TYPES[keys[key]]}, is {value!r}")


def expect_json(value: Any, where: str) -> None:
    """Refuses a value that no request can hold as it is: dates, infinity, beyond 64 bits.

    Raises:
        TaskError: One line that begins with `where` and names the place.
    """
    if isinstance(value, dict):
        for key, inner in value.items():
            expect_json(inner, f"{where}: {key}")
    elif isinstance(value, list):
        for number, inner in enumerate(value, start=1):
            expect_json(inner, f"{where}: number {number}")
    elif isinstance(value, int | float):
        fits = -(2**63) <= value < 2**64 if isinstance(value, int) else math.isfinite(value)
        if not fits:
            raise TaskError(f"{where}: {value!r} is no number that JSON holds")
    elif value is not None and not isinstance(value, str):
        raise TaskError(f"{where}: JSON has no {type(value).__name__}; write {str(value)!r}")
