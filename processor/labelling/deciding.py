"""What a submission does when its table was submitted before. Pure."""

from enum import Enum, auto


class Start(Enum):
    """How a submission begins."""

    BEGIN = auto()  # nothing is there
    AFRESH = auto()  # what is there has cost nothing, and is put aside
    GO_ON = auto()  # something is left to be sent, and is paid once
    ASK = auto()  # everything was sent: sending it again is paid again


def decide(
    *, exists: bool, same_task: bool, changed: bool, unsent: bool, told: bool, sent: bool
) -> Start:
    """How a submission begins.

    Args:
        exists: There is a run of this table.
        same_task: It asks the same.
        changed: The table is another than the one that was submitted last.
        unsent: Rows of the run are in no batch.
        told: The last submission came to its end.
        sent: Something of the run was, or may have been, sent.
    """
    if not exists:
        return Start.BEGIN
    if not sent and (changed or not same_task):
        return Start.AFRESH
    if not same_task:
        return Start.ASK
    is_over = sent and told and not unsent
    return Start.GO_ON if changed or not is_over else Start.ASK
