"""The faults in force."""

from dataclasses import dataclass
from typing import NamedTuple

from processor.sandbox.faults.fault import Fault
from processor.sandbox.faults.kinds import check_fault, place_of, tier_of
from processor.sandbox.faults.places import CALL
from processor.sandbox.seeded import draw


class Try(NamedTuple):
    """One request, as the selectors see it.

    Attributes:
        key: The item's.
        text: The message with the question.
        number: Which try of the item this is, from 1.
        place: Where it is (`places`).
        tier: Service tier that it asks for.
    """

    key: str
    text: str
    number: int
    place: str = CALL
    tier: str = "default"


@dataclass(slots=True)
class _Entry:
    fault: Fault
    place: int
    seen: int = 0
    hits: int = 0


class FaultBook:
    """The faults in force, in the order in which they were set; the first that fits hits.

    Args:
        seed: Decides whom a share hits.
        faults: In force from the start.

    Raises:
        FaultError: A fault's kind or parameter is unknown.
    """

    def __init__(self, seed: int, faults: tuple[Fault, ...] = ()) -> None:
        self._seed = seed
        self._entries: list[_Entry] = []
        self._set = 0
        for fault in faults:
            self.set(fault)

    @property
    def faults(self) -> tuple[Fault, ...]:
        """Those in force."""
        return tuple(entry.fault for entry in self._entries)

    def set(self, fault: Fault) -> None:
        """Put one in force, behind the others.

        Raises:
            FaultError: Its kind or a parameter is unknown.
        """
        check_fault(fault)
        self._entries.append(_Entry(fault, self._set))
        self._set += 1

    def clear(self, kind: str | None = None) -> None:
        """Take out those of a kind, or all."""
        self._entries = [
            entry for entry in self._entries if kind is not None and entry.fault.kind != kind
        ]

    def choose(self, request: Try) -> Fault | None:
        """The fault that hits a request, if any; counts the hit."""
        return next(iter(self._hit(request, most=1)), None)

    def choose_all(self, request: Try) -> tuple[Fault, ...]:
        """All faults that hit a request; counts the hits."""
        return tuple(self._hit(request, most=len(self._entries)))

    def _hit(self, request: Try, most: int) -> list[Fault]:
        here = [
            entry
            for entry in self._entries
            if place_of(entry.fault) == request.place
            and tier_of(entry.fault) in (None, request.tier)
        ]
        for entry in here:
            entry.seen += 1
        chosen = [entry for entry in here if self._selects(entry, request)][:most]
        for entry in chosen:
            entry.hits += 1
        return [entry.fault for entry in chosen]

    def _selects(self, entry: _Entry, request: Try) -> bool:
        fault = entry.fault
        return (
            entry.seen > fault.after
            and (fault.until is None or entry.seen <= fault.until)
            and (fault.times is None or request.number <= fault.times)
            and (fault.count is None or entry.hits < fault.count)
            and fault.match in request.text
            and (fault.rate >= 1 or self._drawn(entry, request))
        )

    def _drawn(self, entry: _Entry, request: Try) -> bool:
        # An item that is chosen fails its first tries, all of them; without `times` every try
        # takes its own chance.
        number = request.number if entry.fault.times is None else 0
        return draw(self._seed, "fault", entry.place, request.key, number) < entry.fault.rate
