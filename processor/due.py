"""The deadline of a run: absolute from its first start, whatever the words were."""

from dataclasses import replace
from datetime import UTC, datetime

from processor.errors import UsageError
from processor.ledger import deadline
from processor.ledger.deadline import Deadline
from processor.ledger.ledger import Ledger
from processor.plan.deadline import deadline_at


def keep(ledger: Ledger, text: str | None, now_s: float) -> float | None:
    """The moment that a deadline means, in seconds since 1970; None without one.

    The same words mean the same moment until the work is done.

    Args:
        ledger: Of the run.
        text: As somebody typed it.
        now_s: Seconds since 1970.

    Raises:
        UsageError: It means nothing, or has passed.
    """
    if text is None:
        return None
    kept = deadline.kept_in(ledger.meta())
    if kept is not None and kept.open and kept.text == text:
        if kept.at_s <= now_s:
            at = datetime.fromtimestamp(kept.at_s, UTC).astimezone()
            raise UsageError(
                f"--deadline {text} of this run was {at:%Y-%m-%d %H:%M}, which has passed",
                way_out="Give a later one, or none.",
            )
        return kept.at_s
    # Without a zone: a fixed offset would not know of a clock that is changed meanwhile.
    now = datetime.fromtimestamp(now_s)  # noqa: DTZ006 - as said above
    at_s = deadline_at(text, now).timestamp()
    deadline.keep(ledger, Deadline(text=text, at_s=at_s))
    return at_s


def close(ledger: Ledger) -> None:
    """The work is done: the same words mean another moment next time."""
    kept = deadline.kept_in(ledger.meta())
    if kept is not None:
        deadline.keep(ledger, replace(kept, open=False))
