"""PostgreSQL: what reading a table and writing one share. Comes with the extra `postgres`."""

import re

__all__ = ["EXTRA", "is_address", "shown", "without_password"]

EXTRA = "postgres"
_SCHEMES = ("postgresql://", "postgres://")
_MEANT = re.compile(r"(?=\s*postgres(ql)?:)[^:]*", re.IGNORECASE)  # with a slash too few
# Up to the last @, as a password may hold one that should have been written %40.
_PASSWORDS = re.compile(r"(?<=://)([^:/?@]*):.*@|\b(password|sslpassword)=[^&]*", re.DOTALL)


def is_address(spec: str) -> bool:
    """Whether text is the URI of a database; the client library need not be installed for it."""
    return spec.startswith(_SCHEMES)


def without_password(text: str) -> str:
    """Text that may be shown: in place of a URI's password stands `…`."""
    return _PASSWORDS.sub(lambda found: f"{found[2]}=…" if found[2] else f"{found[1]}:…@", text)


def shown(spec: str) -> str:
    """What was typed that is no address, without what may be a password."""
    scheme, found, _ = spec.partition("://")
    if found:
        return f"{scheme}://…"
    meant = _MEANT.match(spec)
    return f"{meant[0]}:…" if meant else spec
