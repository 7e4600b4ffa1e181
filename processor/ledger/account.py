"""What a run has spent, as its ledger knows it; kept among the counters.

Figures stand beside the sum of all known prices. `reserved`: no more may have been spent
since a start with a budget began, but for what answers of batches have cost; it holds while that
start lives, and for ever if it was killed.
`aside`: what earlier starts may have spent beyond the known prices: calls that were cut off,
answers whose price nobody told. `unpriced_aside`: how many such answers `aside` pays for.
`killed`: how much of `aside` was only reserved when a start was killed. `lost`: calls of starts
with a budget whose price nobody told, but for those of killed ones. With them stands what was
learnt about the cost of calls, for the next start.
"""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass

from processor.items import Usage
from processor.ledger import counters

RESERVED = "reserved_usd"
KILLED = "killed_usd"
LOST = "lost"
_ASIDE = "aside_usd"
_UNPRICED_ASIDE = "unpriced_aside"
_PREFIX = "budget."


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A run's spending over all its starts.

    Attributes:
        priced_usd: Of all answers whose price is known.
        batch_usd: Of those among them that came by batch.
        unpriced: Answers whose price is not.
        finished: Items with an outcome.
        usage: Tokens of all answers.
        killed_usd: See above; without a reservation that a killed start has left just now.
        figures: All that was kept, by name.
    """

    priced_usd: float
    batch_usd: float
    unpriced: int
    finished: int
    usage: Usage
    reserved_usd: float
    aside_usd: float
    unpriced_aside: int
    killed_usd: float
    lost: int
    figures: Mapping[str, float]

    def spent_usd(self, answer_usd: float) -> float:
        """What counts as spent.

        Args:
            answer_usd: What an answer of unknown price is taken for.
        """
        return max(self.reserved_usd + self.batch_usd, self._known_usd(answer_usd))

    @property
    def claimed_usd(self) -> float:
        """What a start with a budget may spend before it writes again; 0 when none lives."""
        return self.reserved_usd + self.batch_usd if self.reserved_usd else 0.0

    def only_reserved_usd(self, answer_usd: float) -> float:
        """What of that a killed start had reserved, and nothing was recorded of."""
        return self.spent_usd(answer_usd) - self._known_usd(answer_usd)

    def _known_usd(self, answer_usd: float) -> float:
        unpriced_usd = max(0, self.unpriced - self.unpriced_aside) * answer_usd
        return self.priced_usd + self.aside_usd + unpriced_usd


def read(found: Mapping[str, Mapping[str, float]]) -> Account:
    """The account among counters, as `counters.read` gives them."""
    own = {
        name.removeprefix(_PREFIX): value
        for name, value in found.get("", {}).items()
        if name.startswith(_PREFIX)
    }

    def total(name: str) -> float:
        return sum(values.get(name, 0.0) for lane, values in found.items() if lane)

    return Account(
        priced_usd=total("cost_usd"),
        batch_usd=found.get("batch", {}).get("cost_usd", 0.0),
        unpriced=int(total("unpriced")),
        finished=int(total("succeeded") + total("failed")),
        usage=Usage(
            prompt_tokens=int(total("prompt_tokens")),
            completion_tokens=int(total("completion_tokens")),
            cached_tokens=int(total("cached_tokens")),
        ),
        reserved_usd=own.get(RESERVED, 0.0),
        aside_usd=own.get(_ASIDE, 0.0),
        unpriced_aside=int(own.get(_UNPRICED_ASIDE, 0)),
        killed_usd=own.get(KILLED, 0.0),
        lost=int(own.get(LOST, 0)),
        figures=own,
    )


def settle(connection: sqlite3.Connection, spent_usd: float, *, reserved: bool) -> None:
    """Keep what counts as spent by now, within the caller's transaction.

    Args:
        connection: The ledger; all answers are in it.
        spent_usd: What counts as spent.
        reserved: Whether a start with a budget begins.
    """
    account = read(counters.read(connection))
    figures = {
        RESERVED: spent_usd - account.batch_usd if reserved else 0.0,
        _ASIDE: max(0.0, spent_usd - account.priced_usd),
        _UNPRICED_ASIDE: account.unpriced,
    }
    keep(connection, figures)


def put_aside(connection: sqlite3.Connection, usd: float) -> None:
    """Count as spent what nobody can tell the cost of, within the caller's transaction."""
    counters.add(connection, [("", _PREFIX + _ASIDE, usd)])


def keep(connection: sqlite3.Connection, figures: Mapping[str, float]) -> None:
    """Keep figures by name, within the caller's transaction."""
    connection.executemany(
        "INSERT OR REPLACE INTO counters VALUES ('', ?, ?)",
        [(_PREFIX + name, value) for name, value in figures.items()],
    )
