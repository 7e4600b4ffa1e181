"""What people ask of a run while it works: rows that its process reads every second.

Whoever asks writes a row; the run takes it, does it, and writes down what it did. Nothing else is
ever written into the ledger of a run by another process.
"""

import getpass
import os
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from processor.errors import UsageError
from processor.ledger import database, lock

_BUSY_S = 30
_UNBOUND = ("auto", "none")
_NEVER = "The run ended before it took this order."


class Verb(StrEnum):
    """What can be asked."""

    PAUSE = "pause"
    RESUME = "resume"
    DRAIN = "drain"
    CONCURRENCY = "concurrency"
    RPM = "rpm"
    TPM = "tpm"
    REQUEUE = "requeue"


_CEILINGS = (Verb.CONCURRENCY, Verb.RPM, Verb.TPM)


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


_COLUMNS = "number, at, asked_by, words, taken_at, accepted, answer"


def ask(folder: Path, order: Order) -> int:
    """Ask something of a run that works; returns the number of the order.

    Raises:
        UsageError: Nothing works on the folder.
        LedgerError: The ledger cannot be written.
    """
    path = folder / database.LEDGER_NAME
    with database.reading(path):
        pass  # it is a ledger, and of this version
    if not lock.is_held(folder):
        way_out = "processor run goes on with it, as processor status says."
        if order.verb is Verb.REQUEUE:
            way_out = "processor retry makes failed items pending again."
        raise UsageError(f"{folder}: nothing works on it", way_out=way_out)
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


def waiting(path: Path) -> list[Asked]:
    """Orders that were not taken yet, the oldest first.

    Raises:
        LedgerError: The ledger cannot be read.
    """
    with database.reading(path) as connection:
        return _read(connection, "WHERE taken_at IS NULL ORDER BY number")


def latest(connection: sqlite3.Connection, most: int) -> list[Asked]:
    """The last orders, the newest first."""
    return _read(connection, "ORDER BY number DESC LIMIT ?", (most,))


def take(connection: sqlite3.Connection, number: int, *, accepted: bool, answer: str) -> None:
    """Write down what became of an order, within the caller's transaction."""
    connection.execute(
        "UPDATE control SET taken_at = ?, accepted = ?, answer = ? WHERE number = ?",
        (time.time(), accepted, answer, number),
    )


def close(connection: sqlite3.Connection) -> None:
    """Refuse what was not taken, within the caller's transaction: who would take it is gone."""
    connection.execute(
        "UPDATE control SET taken_at = ?, accepted = 0, answer = ? WHERE taken_at IS NULL",
        (time.time(), _NEVER),
    )


def _read(
    connection: sqlite3.Connection, which: str, parameters: Sequence[int] = ()
) -> list[Asked]:
    found = connection.execute(f"SELECT {_COLUMNS} FROM control {which}", parameters)
    return [
        Asked(
            number=number,
            at=at,
            by=by,
            words=words,
            taken_at=taken_at,
            accepted=None if accepted is None else bool(accepted),
            answer=answer,
        )
        for number, at, by, words, taken_at, accepted, answer in found
    ]


def _ceiling(verb: Verb, rest: Sequence[str]) -> int | None:
    if len(rest) == 1 and rest[0] in _UNBOUND:
        return None
    if len(rest) == 1 and rest[0].isascii() and rest[0].isdigit() and int(rest[0]) > 0:
        return int(rest[0])
    raise _no_order(
        " ".join((verb, *rest)), f"{verb} takes a whole number from 1, or none for no ceiling."
    )


def _no_order(words: str, way_out: str) -> UsageError:
    return UsageError(f"{words!r} is no order", way_out=way_out)


def _who() -> str:
    """The person, as far as the machine knows."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"user {os.getuid()}"
