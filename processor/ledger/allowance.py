"""How many items a start with a limit may still finish, over all the starts that it takes."""

from collections.abc import Sequence

from processor.ledger import shards
from processor.ledger.ledger import Counts, Ledger

_OPEN = "limit_open"
_GOAL = "limit_goal"


def grant(ledger: Ledger, limit: int | None) -> int | None:
    """How many items this start may finish; None for all.

    A start with a limit that ended early is finished by the same command, which does what was
    left to do, and not as much again.
    """
    if limit is None:
        return None
    meta = ledger.meta()
    if meta.get(_OPEN) == str(limit):
        return _left(ledger, int(meta[_GOAL]))
    counts = ledger.counts()
    finished = counts.total - counts.pending
    ledger.set_meta(**{_OPEN: str(limit), _GOAL: str(finished + limit)})
    return limit


def rest(ledger: Ledger, limit: int | None) -> int | None:
    """How many items a start may finish that only ends what others began; None for all."""
    if limit is None:
        return None
    meta = ledger.meta()
    return _left(ledger, int(meta[_GOAL])) if meta.get(_OPEN) == str(limit) else 0


def left(ledger: Ledger, most: int | None, begun: Counts, apart: Sequence[int] = ()) -> int | None:
    """How many more items may be sent, of `most`; None for all.

    Args:
        ledger: Of the run.
        most: How many this start may finish.
        begun: How the items stood when it began.
        apart: Items, by `seq`, that are among those `most` and are sent by somebody else.
    """
    if most is None:
        return None
    pending, held, others = shards.pending_of(ledger.path, apart)
    return max(0, most - (begun.pending - pending) - held - others)


def close(ledger: Ledger) -> None:
    """The limit was reached: the next start with one begins anew."""
    ledger.set_meta(**{_OPEN: ""})


def _left(ledger: Ledger, goal: int) -> int:
    counts = ledger.counts()
    return max(0, goal - (counts.total - counts.pending))
