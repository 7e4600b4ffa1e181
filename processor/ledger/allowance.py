"""How many items a start with a limit may still finish, over all the starts that it takes."""

from processor.ledger.ledger import Ledger

_OPEN = "limit_open"
_GOAL = "limit_goal"


def grant(ledger: Ledger, limit: int | None) -> int | None:
    """How many items this start may finish; None for all.

    A start with a limit that ended early is finished by the same command, which does what was
    left to do, and not as much again.
    """
    if limit is None:
        return None
    meta, counts = ledger.meta(), ledger.counts()
    finished = counts.total - counts.pending
    if meta.get(_OPEN) == str(limit):
        return max(0, int(meta[_GOAL]) - finished)
    ledger.set_meta(**{_OPEN: str(limit), _GOAL: str(finished + limit)})
    return limit


def close(ledger: Ledger) -> None:
    """The limit was reached: the next start with one begins anew."""
    ledger.set_meta(**{_OPEN: ""})
