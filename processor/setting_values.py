"""Values of settings as a person types them. Pure.

What is wrong with a secret is told without quoting it.
"""

from collections.abc import Sequence
from urllib.parse import urlsplit

from processor.addressee import HIDDEN, NOBODY, is_addressee


def price_parts(text: str) -> Sequence[str]:
    """`0.1,0.5` without, `0.1,0.01,0.5` with a price of cached input, as three.

    Raises:
        ValueError: There are more or fewer.
    """
    parts = text.split(",")
    if len(parts) not in (2, 3):
        raise ValueError("two or three numbers are needed: IN,OUT or IN,CACHED,OUT")
    return parts if len(parts) == 3 else (parts[0], *parts)


def is_proxy(address: str) -> bool:
    """Whether an address can be that of a proxy."""
    if not address.isprintable() or " " in address:
        return False
    try:
        parts = urlsplit(address)
        is_port = parts.port is None or parts.port > 0
    except ValueError:
        return False
    ends = parts.path in ("", "/") and not (parts.query or parts.fragment)
    return parts.scheme == "http" and bool(parts.hostname) and is_port and ends


def addresses(text: object) -> list[str]:
    """Those of a text in which spaces stand between them.

    Raises:
        ValueError: One of them cannot be meant.
    """
    found = text.split() if isinstance(text, str) else []
    if any(HIDDEN in address for address in found):
        raise ValueError(f"{HIDDEN} stands for what is not shown: type the whole address")
    if not found or not all(address == NOBODY or is_addressee(address) for address in found):
        raise ValueError(
            "an address such as slack://… or mailto://… is needed, env:VARIABLE, or none"
        )
    return found


def pair(text: str) -> tuple[str, str]:
    """`NAME=VALUE` as two.

    Raises:
        ValueError: There is no `=`.
    """
    name, equals, value = text.partition("=")
    if not equals:
        raise ValueError("NAME=VALUE is needed")
    return name.strip(), value.strip()
