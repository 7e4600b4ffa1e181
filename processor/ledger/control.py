"""What people ask of a run while it works: rows that its process reads every second.

Whoever asks writes a row; the run takes it, does it, and writes down what it did. Nothing else is
ever written into the ledger of a run by another process.
"""

import getpass
import os
import sqlite3
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any

from processor.errors import UsageError
from processor.ledger import counters, database, lock

_BUSY_S = 30
_UNBOUND = ("auto", "none")
_SHOWN = 80  # letters of what was no order
_NEVER = "The run ended before it took this order."
_IS_SENDING = (
    "SELECT gauges IS NOT NULL AND exit_code IS NULL FROM sessions ORDER BY number DESC LIMIT 1"
)


class Verb(StrEnum):
    """What can be asked."""

    PAUSE = "pause"
    RESUME = "resume"
    DRAIN = "drain"
    CONCURRENCY = "concurrency"
    RPM = "rpm"
    TPM = "tpm"
    REQUEUE = "requeue"


_CEILINGS: Mapping[Verb, int] = MappingProxyType(
    {Verb.CONCURRENCY: 10_000, Verb.RPM: 10**9, Verb.TPM: 10**12}
)
"""How high each may be: what is more is a slip of the keys."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What somebody asks of a run.

    Attributes:
        most: Of a ceiling; None for none but the provider's.
        codes: Error codes of the failed items to be sent again; none for all that asking again
            may mend.
    """

    verb: Verb
    most: int | None = None
    codes: tuple[str, ...] = ()

    @classmethod
    def parse(cls, words: Sequence[str]) -> "Order":
        """The order in words: `pause`, `concurrency 20`, `rpm none`, `requeue timeout`.

        Raises:
            UsageError: It is none.
        """
        try:
            verb, rest = Verb(words[0]), list(words[1:])
        except (IndexError, ValueError):
            known = ", ".join(Verb)
            raise _no_order(" ".join(words) or "nothing", f"One of: {known}.") from None
        if verb is Verb.REQUEUE:
            return cls(verb=verb, codes=tuple(rest))
        if verb in _CEILINGS:
            return cls(verb=verb, most=_ceiling(verb, rest))
        if rest:
            raise _no_order(" ".join(words), f"{verb} takes no more words.")
        return cls(verb=verb)

    @property
    def words(self) -> str:
        """As `parse` reads it."""
        if self.verb in _CEILINGS:
            return f"{self.verb} {'none' if self.most is None else self.most}"
        return " ".join((self.verb, *self.codes))


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """An order as the ledger keeps it.

    Attributes:
        at: When somebody asked, in seconds since 1970.
        by: Who.
        words: See `Order.parse`.
        taken_at: When the run took it; None while it has not.
        accepted: Whether it did as it was asked; None while nobody knows.
        answer: What it did, or why not.
    """

    number: int
    at: float
    by: str
    words: str
    taken_at: float | None
    accepted: bool | None
    answer: str | None


# As bytes: anybody may have written a row by hand, and no word of it may end a run.
_COLUMNS = """
number, CAST(at AS REAL), CAST(asked_by AS BLOB), CAST(words AS BLOB), CAST(taken_at AS REAL),
CAST(accepted AS INTEGER), CAST(answer AS BLOB)
"""


def ask(folder: Path, order: Order) -> int:
    """Ask something of a run that works; returns the number of the order.

    Raises:
        UsageError: Nothing works on the folder.
        LedgerError: The ledger cannot be written.
    """
    path = folder / database.LEDGER_NAME
    with database.reading(path) as connection:
        sends_no_more = _sends_no_more(connection)
    if not lock.is_held(folder):
        raise _refused(folder, "nothing works on it", order)
    if sends_no_more:
        raise _refused(folder, "everything is sent, and it is about to end", order)
    with (
        database.guard(path),
        closing(sqlite3.connect(path, isolation_level=None, timeout=_BUSY_S)) as connection,
    ):
        connection.execute("PRAGMA synchronous = FULL")
        cursor = connection.execute(
            "INSERT INTO control (at, asked_by, words) VALUES (?, ?, ?)",
            (time.time(), _who(), order.words),
        )
        assert cursor.lastrowid is not None
        return cursor.lastrowid


def answer_of(folder: Path, number: int) -> Asked | None:
    """An order with what became of it; None when there is none of that number.

    Raises:
        LedgerError: The ledger cannot be read.
    """
    with database.reading(folder / database.LEDGER_NAME) as connection:
        found = _read(connection, "WHERE number = ?", (number,))
    return found[0] if found else None


def waiting(path: Path, most: int) -> list[Asked]:
    """Orders that were not taken yet, the oldest first, so many at most.

    Raises:
        LedgerError: The ledger cannot be read.
    """
    with database.reading(path) as connection:
        return _read(connection, "WHERE taken_at IS NULL ORDER BY number LIMIT ?", (most,))


def latest(connection: sqlite3.Connection, most: int) -> list[Asked]:
    """The last orders, the newest first."""
    return _read(connection, "ORDER BY number DESC LIMIT ?", (most,))


def take(connection: sqlite3.Connection, number: int, *, accepted: bool, answer: str) -> None:
    """Write down what became of an order, within the caller's transaction."""
    connection.execute(
        "UPDATE control SET taken_at = ?, accepted = ?, answer = ? WHERE number = ?",
        (time.time(), accepted, answer, number),
    )


def last(connection: sqlite3.Connection) -> int:
    """The number of the latest order; 0 before the first."""
    (number,) = connection.execute("SELECT IFNULL(MAX(number), 0) FROM control").fetchone()
    return int(number)


def close(connection: sqlite3.Connection, *, through: int | None = None) -> None:
    """Refuse what was not taken, within the caller's transaction: who would take it is gone.

    Args:
        connection: The ledger.
        through: The number of the last order that is refused; None for all.
    """
    connection.execute(
        "UPDATE control SET taken_at = ?, accepted = 0, answer = ? "
        "WHERE taken_at IS NULL AND number <= IFNULL(?, number)",
        (time.time(), _NEVER, through),
    )


def _read(
    connection: sqlite3.Connection, which: str, parameters: Sequence[int] = ()
) -> list[Asked]:
    found = connection.execute(f"SELECT {_COLUMNS} FROM control {which}", parameters)
    return [
        Asked(
            number=number,
            at=at,
            by=_text(by),
            words=_text(words),
            taken_at=taken_at,
            accepted=None if accepted is None else bool(accepted),
            answer=None if answer is None else _text(answer),
        )
        for number, at, by, words, taken_at, accepted, answer in found
    ]


def _text(stored: Any) -> str:
    return str(stored, errors="replace")


def _sends_no_more(connection: sqlite3.Connection) -> bool:
    """Whether the latest start has sent everything, and only writes its files."""
    sent = connection.execute(_IS_SENDING).fetchone()
    if sent is None or not sent[0]:
        return False
    found = counters.read(connection)
    done = sum(
        values.get("succeeded", 0) + values.get("failed", 0)
        for lane, values in found.items()
        if lane
    )
    return bool(done >= found.get("", {}).get(counters.ITEMS, 0))


def _refused(folder: Path, why: str, order: Order) -> UsageError:
    way_out = "processor run goes on with it, as processor status says."
    if order.verb is Verb.REQUEUE:
        way_out = "processor retry makes failed items pending again when nothing works on it."
    return UsageError(f"{folder}: {why}", way_out=way_out)


def _ceiling(verb: Verb, rest: Sequence[str]) -> int | None:
    if len(rest) == 1 and rest[0] in _UNBOUND:
        return None
    most = _CEILINGS[verb]
    if len(rest) == 1 and rest[0].isascii() and rest[0].isdigit():
        digits = rest[0].lstrip("0")
        if digits and len(digits) <= len(str(most)) and int(digits) <= most:
            return int(digits)
    raise _no_order(
        " ".join((verb, *rest)),
        f"{verb} takes a whole number from 1 to {most:,}, or none for no ceiling.",
    )


def _no_order(words: str, way_out: str) -> UsageError:
    return UsageError(f"{words[:_SHOWN]!r} is no order", way_out=way_out)


def _who() -> str:
    """The person, as far as the machine knows."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"user {os.getuid()}"
