"""PostgreSQL: what reading a table and writing one share. Comes with the extra `postgres`."""

__all__ = ["EXTRA", "is_address"]

EXTRA = "postgres"
_SCHEMES = ("postgresql://", "postgres://")


def is_address(spec: str) -> bool:
    """Whether text is the URI of a database; the client library need not be installed for it."""
    return spec.startswith(_SCHEMES)
