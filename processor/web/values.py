"""Values as a page is told them: not longer than it can show."""

from typing import Any

from processor import jsontext


def value(one: Any, most: int | None) -> Any:
    """A text, a number, true, false or null; what is more is told as JSON text.

    Args:
        one: Of JSON.
        most: Characters of a text; one that is longer is told as `{"cut": its beginning, "chars":
            its length}`. None for whatever length.
    """
    text = jsontext.dumps(one) if isinstance(one, (list, dict)) else one
    if not isinstance(text, str) or most is None or len(text) <= most:
        return text
    return {"cut": f"{text[:most]}…", "chars": len(text)}


def short(one: Any, most: int) -> Any:
    """The same on one line; a text that is cut ends with `…`."""
    text = jsontext.dumps(one) if isinstance(one, (list, dict)) else one
    if not isinstance(text, str):
        return text
    line = " ".join(text[: 4 * most].split())
    return line if len(line) <= most and len(text) <= 4 * most else f"{line[:most]}…"
