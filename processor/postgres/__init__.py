"""PostgreSQL: what reading a table and writing one share. Comes with the extra `postgres`."""

import re

__all__ = ["EXTRA", "is_address", "without_password"]

EXTRA = "postgres"
_SCHEMES = ("postgresql://", "postgres://")
# Up to the last @, as a password may hold one that should have been written %40.
_PASSWORDS = re.compile(r"(?<=://)([^:/?@]*):.*@|\b(password|sslpassword)=[^&]*", re.DOTALL)


def is_address(spec: str) -> bool:
    """Whether text is the URI of a database; the client library need not be installed for it."""
    return spec.startswith(_SCHEMES)


def without_password(text: str) -> str:
    """Text that may be shown: in place of a URI's password stands `…`."""
    return _PASSWORDS.sub(lambda found: f"{found[2]}=…" if found[2] else f"{found[1]}:…@", text)
