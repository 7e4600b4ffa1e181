"""Something that a program makes, taken in a thread that nobody has to wait for."""

import contextvars
import threading
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Generic, TypeVar

Thing = TypeVar("Thing")

_AT_ONCE = 500


class LeftError(Exception):
    """Nobody wants the rest."""


class Aside(Generic[Thing]):
    """An iterable, taken once, in a thread of its own that may be left where it is.

    A generator may wait for a network, or for ever, and no other thread can wake it. Left, it
    keeps neither its reader nor the process from ending.

    Args:
        content: What is taken, some hundreds at a time and one time ahead.
    """

    def __init__(self, content: Iterable[Thing]) -> None:
        self._content = content
        self._changed = threading.Condition()
        self._ready: list[Thing] | BaseException | None = None
        self._left = False

    def __iter__(self) -> Iterator[Thing]:
        """The things; what the iterable raises is raised here.

        Raises:
            LeftError: It was left.
        """
        context = contextvars.copy_context()
        threading.Thread(target=context.run, args=(self._take,), name="items", daemon=True).start()
        try:
            while some := self._next():
                yield from some
        except BaseException:
            self.leave()
            raise

    def leave(self) -> None:
        """Let nobody wait for it; called in any thread."""
        with self._changed:
            self._left = True
            self._changed.notify_all()

    def _next(self) -> list[Thing]:
        """What comes next; nothing at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._left or self._ready is not None)
            if self._left:
                raise LeftError
            some, self._ready = self._ready, None
            self._changed.notify_all()
        if isinstance(some, BaseException):
            raise some
        assert some is not None
        return some

    def _take(self) -> None:
        try:
            iterator = iter(self._content)
            while some := list(islice(iterator, _AT_ONCE)):
                if not self._hand(some):
                    return
            self._hand([])
        except BaseException as error:  # noqa: BLE001 - it is the reader's
            self._hand(error)

    def _hand(self, some: list[Thing] | BaseException) -> bool:
        """Whether it is still wanted."""
        with self._changed:
            self._changed.wait_for(lambda: self._left or self._ready is None)
            if not self._left:
                self._ready = some
                self._changed.notify_all()
            return not self._left
