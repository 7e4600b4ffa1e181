"""How many items came to what, counted as they are read."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from processor.ledger.results import Result
from processor.quality.figure import Figure, share


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What became of the items of a run; succeeded + failed + pending = total.

    Attributes:
        success: Share of successes among finished items.
        errors: Share of each error code among finished items, the most frequent first.
        checks: Share of each check's outcome among successes.
    """

    total: int
    succeeded: int
    failed: int
    pending: int
    success: Figure
    errors: Mapping[str, Figure]
    checks: Mapping[str, Figure]


class Tally:
    """Counts items."""

    def __init__(self) -> None:
        self._statuses = Counter[str]()
        self._codes = Counter[str]()
        self._checks = Counter[str]()

    def add(self, item: Result) -> None:
        """Count an item."""
        self._statuses[item.status] += 1
        if item.status == "failed":
            self._codes[item.code or "unknown"] += 1
        elif item.status == "success":
            self._checks[item.check or "unchecked"] += 1

    def counts(self) -> Counts:
        """What was counted so far."""
        succeeded, failed = self._statuses["success"], self._statuses["failed"]
        return Counts(
            total=self._statuses.total(),
            succeeded=succeeded,
            failed=failed,
            pending=self._statuses["pending"],
            success=share(succeeded, succeeded + failed),
            errors=shares(self._codes, succeeded + failed),
            checks=shares(self._checks, succeeded),
        )


def shares(counts: Counter[str], of: int) -> dict[str, Figure]:
    """The share of each, the most frequent first."""
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return {name: share(count, of) for name, count in ordered}
