"""The latest choice of lanes, kept with what it was made from."""

from collections.abc import Mapping
from typing import Any

from processor import jsontext
from processor.ledger.ledger import Ledger

_KEY = "route"
_NOTHING: Mapping[str, Any] = {}


def kept_in(meta: Mapping[str, str]) -> Mapping[str, Any]:
    """The choice among a ledger's meta values; empty before the first.

    Returns:
        `lane`, `split`, `reason`, `asked` (the option), `items`, `background`, `through_seq` (the
        last of the first rows, which go directly; None when all do), the inputs `wishes`,
        `demand` and `bounds`, `done` (items and US dollars of starts before), `at` (seconds since
        1970), and `open`: whether the work that it was made for is not done yet.
    """
    kept: Mapping[str, Any] = jsontext.loads(meta[_KEY]) if meta.get(_KEY) else _NOTHING
    return kept


def keep(ledger: Ledger, choice: Mapping[str, Any]) -> None:
    """Keep a choice, whose work begins."""
    ledger.set_meta(**{_KEY: jsontext.dumps({**choice, "open": True})})


def close(ledger: Ledger) -> None:
    """The work is done: the next start chooses anew."""
    kept = kept_in(ledger.meta())
    if kept:
        ledger.set_meta(**{_KEY: jsontext.dumps({**kept, "open": False})})
