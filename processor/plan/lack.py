"""What ended a run early that its command can give more of: money, or time."""

from typing import Protocol


class Lack(Protocol):
    """What is lacking for the items that are left; as text, one sentence for people."""

    @property
    def option(self) -> str:
        """Of the command, which gives more of it."""

    @property
    def enough(self) -> str:
        """A value of that option that lets the run end, as people type it."""
