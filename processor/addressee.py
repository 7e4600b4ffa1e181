"""Addresses of those who are told how a run goes: secrets as a whole. Pure.

In `slack://T1/B2/token` and in `https://hooks.example.org/token` there is nothing beside the scheme
that could be shown.
"""

import re
from urllib.parse import quote, unquote

HIDDEN = "…"
NOBODY = "none"  # in place of addresses: as if there were none in a profile or the environment

_SCHEME = re.compile(r"([a-z][a-z0-9]{0,15})://", re.IGNORECASE)
_BETWEEN_PARTS = (re.compile("[/?&#]+"), re.compile("[/:@?&=+,;#]+"))
_PART_LEAST_CHARS = 4  # a shorter one is no secret, and stands in many a word


def is_addressee(text: str) -> bool:
    """Whether a text can be such an address."""
    return text.isprintable() and " " not in text and _SCHEME.match(text) is not None


def shown(address: str) -> str:
    """What may be shown: `slack://…`."""
    found = _SCHEME.match(address)
    return f"{found[1].lower()}://{HIDDEN}" if found else HIDDEN


def without(text: str, address: str) -> str:
    """A text in which nothing of an address stands but its scheme."""
    scheme, _, rest = address.partition("://")
    parts = {rest, *(part for between in _BETWEEN_PARTS for part in between.split(rest))}
    parts |= {form(part) for part in parts for form in (unquote, _quoted)}
    telling = {part for part in parts if len(part) >= _PART_LEAST_CHARS} | {rest}
    hidden = sorted(telling - {scheme, ""}, key=lambda part: (-len(part), part))
    if not hidden:
        return text
    return re.sub("|".join(map(re.escape, hidden)), HIDDEN, text, flags=re.IGNORECASE)


def _quoted(part: str) -> str:
    return quote(part, safe="")
