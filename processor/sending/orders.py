"""What people ask of the run while it sends: taken from the ledger every second, and done."""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
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

_AT_ONCE = 1_000
_TOLD = 200  # letters, of what anybody may have written


class Sending(Protocol):
    """Whoever does what is asked."""

    leeway: Leeway

    @property
    def is_ending(self) -> bool:
        """Whether nothing new is sent any more."""

    def heed(self, leeway: Leeway) -> None:
        """Go on as somebody wants it."""

    def renew(self, items: int) -> None:
        """Send items that are pending again, unless nothing new is sent any more."""


@dataclass(frozen=True, slots=True)
class _Done:
    """An order, and what becomes of it.

    Attributes:
        codes: Error codes of failed items that are to be moved, none for all that asking again may
            mend; None when no item is.
    """

    asked: Asked
    accepted: bool
    answer: str
    codes: Sequence[str] | None = None


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
        found = [self._do(asked) for asked in await self._waiting()]
        if not found:
            return
        answers, moved = await self._keep(found)
        if moved:
            self._sending.renew(moved)
        for done, answer in zip(found, answers, strict=True):
            asked = done.asked
            words = {"order": asked.words[:_TOLD], "by": asked.by[:_TOLD]}
            facts = {**words, "accepted": done.accepted, "answer": answer}
            self._tell(Notice(event="order", serious=True, facts=facts))

    async def _waiting(self) -> Sequence[Asked]:
        """Orders; none while they cannot be read: that alone does not end what is well."""
        try:
            found = await asyncio.to_thread(control.waiting, self._path, _AT_ONCE)
        except LedgerError as error:
            if not self._is_blind:
                facts = {"message": str(error)}
                self._tell(Notice(event="orders_unread", serious=True, facts=facts))
            self._is_blind = True
            return ()
        self._is_blind = False
        return found

    def _do(self, asked: Asked) -> _Done:
        """Do what was asked, or refuse it; failed items are moved when that is kept."""
        try:
            order = Order.parse(asked.words.split())
            if order.verb is Verb.REQUEUE:
                return _Done(asked, accepted=True, answer="", codes=_known(order.codes))
            return _Done(asked, accepted=True, answer=self._change(order))
        except UsageError as error:  # somebody wrote it by hand, or another version did
            return _Done(asked, accepted=False, answer=str(error))

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

    async def _keep(self, found: Sequence[_Done]) -> tuple[Sequence[str], int]:
        """Move failed items, and write down the answers; returns these, and how many it were.

        In one transaction: a thousand orders wait for the disk once.
        """
        answers: list[str] = []
        moved = 0
        late = " The run is about to end: the next start sends them."
        more = late if self._sending.is_ending else ""

        def keep(connection: sqlite3.Connection) -> None:
            nonlocal moved
            for done in found:
                answer = done.answer
                if done.codes is not None:
                    items = requeue(connection, done.codes or None)
                    moved += items
                    answer = _moved_words(items, done.codes) + (more if items else "")
                control.take(connection, done.asked.number, accepted=done.accepted, answer=answer)
                answers.append(answer)

        await asyncio.wrap_future(self._writer.change(keep))
        return answers, moved


def _bound(leeway: Leeway, verb: Verb, most: int | None) -> Leeway:
    match verb:
        case Verb.CONCURRENCY:
            return replace(leeway, concurrency=most)
        case Verb.RPM:
            return replace(leeway, rpm=most)
        case _:
            return replace(leeway, tpm=most)


def _known(codes: Sequence[str]) -> Sequence[str]:
    """The codes.

    Raises:
        UsageError: One is none.
    """
    for code in codes:
        if code not in CAUSES:
            raise UsageError(
                f"There is no error code {code!r}",
                way_out="processor status tells those there are.",
            )
    return codes


def _moved_words(items: int, codes: Sequence[str]) -> str:
    if not items:
        which = "one of these" if codes else "one that asking again may mend"
        return f"No failed item is {which}."
    return f"{items:,} failed {'item is' if items == 1 else 'items are'} pending again."
