"""What happened to a run, one thing after the other: starts, ends, orders, decisions."""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Literal

from processor.ledger import control, decisions

ORDERS_MOST = 100
DECISIONS_MOST = 200

Kind = Literal["start", "end", "order", "decision"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """A time that the run was started.

    Attributes:
        seen_at: When it wrote last, in seconds since 1970.
        exit_code: None while it goes on, and for ever if it was killed.
        stop_code: The error code of what ended it early.
    """

    number: int
    started_at: float
    seen_at: float
    exit_code: int | None
    stop_code: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened.

    Attributes:
        at: Seconds since 1970.
        what: In the report's words.
        detail: In the words of who did it, or of the program.
    """

    at: float
    kind: Kind
    what: str
    detail: str = ""


_ENDS = {
    0: "every item is done",
    1: "wrong use or configuration",
    2: "done, items failed",
    3: "stopped by the provider or the network",
    4: "stopped by the budget or the deadline",
    5: "the disk or the ledger failed",
    6: "work still at the provider",
    130: "interrupted",
}


def starts(connection: sqlite3.Connection) -> list[Start]:
    """All of them, the oldest first."""
    rows = connection.execute(
        "SELECT number, started_at, seen_at, exit_code, stop_code FROM sessions ORDER BY number"
    )
    return [
        Start(number=number, started_at=began, seen_at=seen, exit_code=code, stop_code=stop)
        for number, began, seen, code, stop in rows
    ]


def events(
    connection: sqlite3.Connection, begun: Sequence[Start], *, is_running: bool
) -> list[Event]:
    """What happened, the oldest first; of very many orders and decisions the latest.

    Args:
        connection: The ledger.
        begun: All starts.
        is_running: Whether the latest start still works.
    """
    found = [*_of_starts(begun, is_running=is_running), *_of_orders(connection)]
    found += list(_of_decisions(connection))[-DECISIONS_MOST:]
    return sorted(found, key=lambda event: event.at)


def _of_starts(begun: Sequence[Start], *, is_running: bool) -> Iterator[Event]:
    for one in begun:
        again = f"start {one.number}" if len(begun) > 1 else "start"
        yield Event(at=one.started_at, kind="start", what=again)
        if one.exit_code is None and is_running and one is begun[-1]:
            continue
        if one.exit_code is None:
            yield Event(at=one.seen_at, kind="end", what="killed: seen last")
            continue
        why = _ENDS.get(one.exit_code, "ended")
        stop = f", {one.stop_code}" if one.stop_code else ""
        yield Event(at=one.seen_at, kind="end", what=f"end: {why} (exit {one.exit_code}{stop})")


def _of_orders(connection: sqlite3.Connection) -> Iterator[Event]:
    for order in control.latest(connection, ORDERS_MOST):
        answer = order.answer or ("waits" if order.taken_at is None else "")
        yield Event(
            at=order.taken_at or order.at,
            kind="order",
            what=f"asked: {order.words}",
            detail=answer,
        )


def _of_decisions(connection: sqlite3.Connection) -> Iterator[Event]:
    """Those by which anything was sent or taken back."""
    for at, _, decision in decisions.all_of(connection):
        if decision.get("direct") or decision.get("batch") or decision.get("cancel"):
            yield Event(
                at=at, kind="decision", what="decision", detail=str(decision.get("reason", ""))
            )


def clock(at: float, *, dated: bool = False) -> str:
    """A moment as people here say it: `21:04:11`, with its day `2026-11-21 21:04:11`."""
    moment = datetime.fromtimestamp(at, UTC).astimezone()
    return f"{moment:%Y-%m-%d %H:%M:%S}" if dated else f"{moment:%H:%M:%S}"


def day(at: float) -> date:
    """The day of a moment, here."""
    return datetime.fromtimestamp(at, UTC).astimezone().date()


def zone(at: float) -> str:
    """The time zone that moments are told in: `UTC+09:00`."""
    offset = datetime.fromtimestamp(at, UTC).astimezone().isoformat(timespec="seconds")[19:]
    return f"UTC{offset}"
