"""What stands behind the question mark of an address."""

import re

from aiohttp import web

from processor.errors import UsageError

_NUMBER = re.compile("-?[0-9]{1,17}")


def number(request: web.Request, name: str, usual: int, *, least: int, most: int) -> int:
    """A whole number.

    Raises:
        UsageError: It is none, or out of range.
    """
    text = request.query.get(name, "")
    if not text:
        return usual
    found = int(text) if _NUMBER.fullmatch(text) else least - 1
    if not least <= found <= most:
        raise UsageError(f"{name} is no whole number from {least:,} to {most:,}")
    return found


def one_of(request: web.Request, name: str, usual: str, words: tuple[str, ...]) -> str:
    """One of several words.

    Raises:
        UsageError: It is another.
    """
    found = request.query.get(name) or usual
    if found not in words:
        raise UsageError(f"{name} is none of: {', '.join(words)}")
    return found
