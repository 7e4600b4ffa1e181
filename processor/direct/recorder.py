"""Whom the direct lane tells what it does."""

from typing import Protocol

from processor.items import Attempt, Outcome


class Recorder(Protocol):
    """Keeps account of calls; must not block."""

    def begin(self) -> None:
        """A call is about to be sent."""

    def record(self, record: Outcome | Attempt) -> None:
        """What became of a call."""
