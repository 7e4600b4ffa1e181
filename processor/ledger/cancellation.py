"""Whether a person has cancelled a run's batches: then nothing is sent until they say so."""

from collections.abc import Mapping

from processor.ledger.ledger import Ledger

_KEY = "cancelled"


def note(ledger: Ledger) -> None:
    """The batches were cancelled."""
    ledger.set_meta(**{_KEY: "1"})


def is_noted(ledger: Ledger) -> bool:
    """Whether they were, and nobody has sent anything since."""
    return is_noted_in(ledger.meta())


def is_noted_in(meta: Mapping[str, str]) -> bool:
    """The same of what a ledger says that its run is."""
    return bool(meta.get(_KEY))


def lift(ledger: Ledger) -> None:
    """Items are to be sent again."""
    if is_noted(ledger):
        ledger.set_meta(**{_KEY: ""})
