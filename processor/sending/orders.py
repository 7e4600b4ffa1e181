"""What people ask of the run while it sends: taken from the ledger every second, and done."""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from processor.codes import CAUSES
from processor.direct.gauge import Leeway
from processor.errors import LedgerError, UsageError
from processor.ledger import control
from processor.ledger.control import Asked, Order, Verb
from processor.ledger.requeue import requeue
from processor.ledger.writer import Writer
from processor.notice import Notice


class Sending(Protocol):
    """Whoever does what is asked."""

    leeway: Leeway

    @property
    def is_ending(self) -> bool:
        """Whether nothing new is sent any more."""

    def heed(self, leeway: Leeway) -> None:
        """Go on as somebody wants it."""

    def renew(self, items: int) -> bool:
        """Send items that are pending again; False when it is too late for that."""


class Orders:
    """Takes orders while lanes send.

    Args:
        path: The ledger.
        writer: Of the ledger; orders are answered in its transactions.
        sending: Does what is asked.
        drain: Ends the run as an interruption does.
        tell: Takes what was done.
    """

    def __init__(
        self,
        path: Path,
        writer: Writer,
        sending: Sending,
        *,
        drain: Callable[[], None],
        tell: Callable[[Notice], None],
    ) -> None:
        self._path = path
        self._writer = writer
        self._sending = sending
        self._drain = drain
        self._tell = tell
        self._is_blind = False

    async def look(self) -> None:
        """Do what was asked since the last look, in the order in which it was.

        Raises:
            LedgerError: The ledger cannot be written.
        """
        for asked in await self._waiting():
            accepted, answer = await self._do(asked)
            facts = {"order": asked.words, "by": asked.by, "accepted": accepted, "answer": answer}
            self._tell(Notice(event="order", serious=True, facts=facts))

    async def _waiting(self) -> Sequence[Asked]:
        """Orders; none while they cannot be read: that alone does not end what is well."""
        try:
            found = await asyncio.to_thread(control.waiting, self._path)
        except LedgerError as error:
            if not self._is_blind:
                facts = {"message": str(error)}
                self._tell(Notice(event="orders_unread", serious=True, facts=facts))
            self._is_blind = True
            return ()
        self._is_blind = False
        return found

    async def _do(self, asked: Asked) -> tuple[bool, str]:
        """Do what was asked, or refuse it; returns whether it was done, and what was said."""
        try:
            order = Order.parse(asked.words.split())
            if order.verb is Verb.REQUEUE:
                return await self._requeue(asked, order)
            accepted, answer = True, self._change(order)
        except UsageError as error:  # somebody wrote it by hand, or another version did
            accepted, answer = False, str(error)
        await self._answer(asked, accepted=accepted, answer=answer)
        return accepted, answer

    def _change(self, order: Order) -> str:
        """Let the lanes go on another way; returns what that is.

        Raises:
            UsageError: It is too late for that.
        """
        if self._sending.is_ending and order.verb is not Verb.DRAIN:
            raise UsageError("The run is about to end", way_out="The same command resumes.")
        leeway = self._sending.leeway
        match order.verb:
            case Verb.PAUSE:
                self._sending.heed(replace(leeway, paused=True))
                return "Nothing new is sent; what is in flight finishes."
            case Verb.RESUME:
                self._sending.heed(replace(leeway, paused=False))
                return "It goes on." if leeway.paused else "It was not paused."
            case Verb.DRAIN:
                self._drain()
                return "What is in flight finishes, then the run ends, resumable."
            case _:
                self._sending.heed(_bound(leeway, order.verb, order.most))
                if order.most is None:
                    return f"{order.verb} has no ceiling but the provider's."
                return f"{order.verb} is {order.most:,} at most."

    async def _requeue(self, asked: Asked, order: Order) -> tuple[bool, str]:
        """Make failed items pending again, and send them."""
        if unknown := [code for code in order.codes if code not in CAUSES]:
            answer = f"There is no error code {unknown[0]!r}."
            await self._answer(asked, accepted=False, answer=answer)
            return False, answer
        moved = await self._move(asked, order)
        if not moved:
            return True, _moved_words(0)
        if self._sending.renew(moved):
            return True, _moved_words(moved)
        return True, f"{_moved_words(moved)} The run is about to end: the next start sends them."

    async def _move(self, asked: Asked, order: Order) -> int:
        moved = 0

        def move(connection: sqlite3.Connection) -> None:
            nonlocal moved
            moved = requeue(connection, order.codes or None)
            control.take(connection, asked.number, accepted=True, answer=_moved_words(moved))

        await asyncio.wrap_future(self._writer.change(move))
        return moved

    async def _answer(self, asked: Asked, *, accepted: bool, answer: str) -> None:
        future = self._writer.change(
            lambda connection: control.take(
                connection, asked.number, accepted=accepted, answer=answer
            )
        )
        await asyncio.wrap_future(future)


def _bound(leeway: Leeway, verb: Verb, most: int | None) -> Leeway:
    match verb:
        case Verb.CONCURRENCY:
            return replace(leeway, concurrency=most)
        case Verb.RPM:
            return replace(leeway, rpm=most)
        case _:
            return replace(leeway, tpm=most)


def _moved_words(items: int) -> str:
    if not items:
        return "No failed item is one of these."
    return f"{items:,} failed {'item is' if items == 1 else 'items are'} pending again."
