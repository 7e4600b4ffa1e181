"""What may be told of a run to somebody who does not look at it. Pure."""

from enum import StrEnum


class Occasion(StrEnum):
    """Why somebody is told."""

    DONE = "done"  # every item has an outcome, and enough succeeded
    FAILED = "failed"  # too many items failed; or the disk, the input, or the program itself
    STOPPED = "stopped"  # by the provider, the network, the budget or the deadline
    INTERRUPTED = "interrupted"
    WAITING = "waiting"  # it left, and work is at the provider
    LATE = "late"  # it goes on, and will hardly make its deadline
    BUDGET = "budget"  # it goes on, and most of its budget is used


# A job that is looked at every hour by `batch download` waits each time.
USUAL = tuple(occasion for occasion in Occasion if occasion is not Occasion.WAITING)
_ENDS = {
    0: Occasion.DONE,
    3: Occasion.STOPPED,
    4: Occasion.STOPPED,
    6: Occasion.WAITING,
    130: Occasion.INTERRUPTED,
}


def at_end(exit_code: int) -> Occasion:
    """What an exit code stands for."""
    return _ENDS.get(exit_code, Occasion.FAILED)
