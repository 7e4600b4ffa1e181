"""Text that any file can hold: without halves of characters and without control characters."""

import re

_UNWRITABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_REPLACEMENT = "\ufffd"


def plain(text: str) -> str:
    """The text with a sign in place of each character that cannot be written; lines end as here."""
    return _UNWRITABLE.sub(_REPLACEMENT, text.replace("\r\n", "\n").replace("\r", "\n"))


def cut(text: str, most: int) -> str:
    """The beginning of a text that is longer; it says so."""
    if len(text) <= most:
        return text
    return f"{text[:most]}… ({len(text) - most:,} more characters)"
