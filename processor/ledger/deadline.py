"""The deadline of a run, kept from the start that was first given it."""

from collections.abc import Mapping
from dataclasses import dataclass

from processor import jsontext
from processor.ledger.ledger import Ledger

_KEY = "deadline"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """When a run is to be done.

    Attributes:
        text: As somebody typed it.
        at_s: Seconds since 1970.
        open: Whether the work that it was meant for is not done yet.
    """

    text: str
    at_s: float
    open: bool = True


def kept_in(meta: Mapping[str, str]) -> Deadline | None:
    """The latest one among a ledger's meta values; None before the first."""
    if not meta.get(_KEY):
        return None
    told = jsontext.loads(meta[_KEY])
    return Deadline(
        text=str(told["text"]), at_s=float(told["at"]), open=bool(told.get("open", True))
    )


def keep(ledger: Ledger, deadline: Deadline) -> None:
    """Keep it for the starts that are to come."""
    told = {"text": deadline.text, "at": deadline.at_s, "open": deadline.open}
    ledger.set_meta(**{_KEY: jsontext.dumps(told)})
