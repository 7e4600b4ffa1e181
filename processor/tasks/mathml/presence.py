"""Whether a text holds MathML at all, seen at a glance and not parsed."""

import re
from typing import Any

_NAME = r"<((?:[\w.-]+:)?math)(?![\w.:-])"
_OPENING = re.compile(_NAME, re.IGNORECASE)
# Possessive, so that one pass is enough for any text; quoted values may hold > and />.
_EMPTY = re.compile(
    _NAME + r"""(?:[^<>"'/]|/(?!>)|"[^"]*+"|'[^']*+')*+(?:/>|>\s*+</\1\s*+>)""", re.IGNORECASE
)


def problem_of(name: str, value: Any) -> str | None:
    """Why a field gives a model nothing to convert; None when it holds a `<math>` of its own.

    Text around it and several of them are allowed. A cut off text is known by its last `<math>`,
    which nothing closes.
    """
    if not isinstance(value, str):
        return f"{name} is {'missing' if value is None else 'not text'}"
    if _is_usual(value):
        return None
    filled = _EMPTY.sub(_alternative, value)
    opening = _OPENING.search(filled)
    if opening is None:
        what = "nothing but an empty <math>" if _OPENING.search(value) else "no <math>"
        return f"{name} holds {what}"
    closing = filled.rfind(f"</{opening[1]}")
    if closing < filled.rfind(f"<{opening[1]}") or ">" not in filled[closing:]:
        return f"{name} holds a <{opening[1]}> that is not closed"
    return None


def _is_usual(value: str) -> bool:
    """One `<math>` from end to end, with an element in it: a tenth of the full test's time."""
    closing = len(value) - len("</math>")
    return (
        value.startswith(("<math>", "<math "))
        and value.find("</math>") == closing
        and value.find("<", 1) < closing
    )


def _alternative(empty: re.Match[str]) -> str:
    """What takes the place of an empty element: only `alttext` says what it should hold."""
    return "<math>…</math>" if "alttext" in empty[0] else ""
