"""The deadline of a run: absolute from its first start, whatever the words were."""

from datetime import UTC, datetime

from processor import jsontext
from processor.errors import UsageError
from processor.ledger.ledger import Ledger
from processor.plan.deadline import deadline_at

_KEY = "deadline"


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
    kept = _kept(ledger)
    if kept is not None and kept[0] == text:
        if kept[1] <= now_s:
            at = datetime.fromtimestamp(kept[1], UTC).astimezone()
            raise UsageError(
                f"--deadline {text} of this run was {at:%Y-%m-%d %H:%M}, which has passed",
                way_out="Give a later one, or none.",
            )
        return kept[1]
    at_s = deadline_at(text, datetime.fromtimestamp(now_s, UTC).astimezone()).timestamp()
    ledger.set_meta(**{_KEY: jsontext.dumps({"text": text, "at": at_s})})
    return at_s


def close(ledger: Ledger) -> None:
    """The work is done: the same words mean another moment next time."""
    if _kept(ledger) is not None:
        ledger.set_meta(**{_KEY: ""})


def _kept(ledger: Ledger) -> tuple[str, float] | None:
    text = ledger.meta().get(_KEY)
    if not text:
        return None
    told = jsontext.loads(text)
    return str(told["text"]), float(told["at"])
