"""The code fence that models put round what they were asked for."""

import re

NOTE = "code fence taken off"

_FENCE = re.compile(r"```(?:json[c5]?\s)?(?P<inside>.*?)```", re.DOTALL | re.IGNORECASE)


def without_fence(answer: str) -> tuple[str, bool]:
    """An answer without the white space and the fence round it, and whether it had one."""
    text = answer.strip()
    fenced = _FENCE.fullmatch(text)
    return (text, False) if fenced is None else (fenced["inside"].strip(), True)
