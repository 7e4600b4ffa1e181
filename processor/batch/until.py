"""How long a start stays with the batch lane."""

from enum import StrEnum


class Until(StrEnum):
    """How long the lane stays."""

    SETTLED = "settled"  # until every item is answered
    FETCHED = "fetched"  # it settles what has ended, and leaves the rest to a later start
    SUBMITTED = "submitted"  # it makes batches of all that may become one now
