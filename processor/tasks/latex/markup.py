"""MathML or HTML that leaked into a LaTeX answer."""

import re
from html.entities import html5

_TAG = re.compile(
    r"</[A-Za-z][A-Za-z0-9:]*\s*>"
    r"|<(?:math|semantics|annotation|br|span|div|sub|sup"
    r"|m(?:i|n|o|s|text|row|frac|sqrt|root|sub|sup|subsup|under|over|underover|multiscripts"
    r"|table|tr|td|style|space|padded|phantom|fenced|enclose|action|error))"
    r"(?:\s+[A-Za-z:-]+\s*=[^<>]*)?\s*/?>"
)
_ENTITY = re.compile(r"&(?:#\d+|#[xX][0-9A-Fa-f]+|([A-Za-z][A-Za-z0-9]*));")


def markup_problem(latex: str) -> str | None:
    """What is wrong when tags or entities stand in the text."""
    found = _TAG.search(latex) if "<" in latex else None
    if found is None and "&" in latex:
        found = next((m for m in _ENTITY.finditer(latex) if _is_entity(m)), None)
    if found is None:
        return None
    return f"The answer holds markup ({found[0][:40]}). Answer with LaTeX only."


def _is_entity(match: re.Match[str]) -> bool:
    return match[1] is None or f"{match[1]};" in html5
