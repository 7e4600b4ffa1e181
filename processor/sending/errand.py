"""What a lane is sent out with, and what is asked of whoever conducts one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from processor.clock import Clock
from processor.direct.gauge import Gauge, Leeway
from processor.ledger.commit import Record
from processor.ledger.ledger import Ledger
from processor.ledger.writer import Writer
from processor.notice import Notice
from processor.observer import Observer
from processor.plan.lack import Lack
from processor.plan.prices import Prices
from processor.settings import Settings
from processor.stop import Stop
from processor.tasks.task import Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """What is to be sent, and who hears of it.

    Attributes:
        folder: The run's.
        account: Short hash of provider and key.
        most: How many items may be sent; None for all.
        delivered: Called after every commit, in the writer's thread.
        cpu_before_s: What the process had used when the run began.
        tier: Service tier that direct calls ask for; None for the standard one.
    """

    folder: Path
    task: Task
    settings: Settings
    prices: Prices
    clock: Clock
    account: str
    most: int | None
    observers: Sequence[Observer]
    delivered: Callable[[], None]
    cpu_before_s: float
    tier: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """Bytes to and from the provider."""

    sent: int = 0
    received: int = 0

    def __add__(self, other: "Traffic") -> "Traffic":
        return Traffic(sent=self.sent + other.sent, received=self.received + other.received)


class LaneSending(Protocol):
    """Conducts one lane through one start of a run: `prepare`, `run`, `conclude`."""

    @property
    def lane(self) -> str:
        """Its name."""

    @property
    def stopped(self) -> Stop | None:
        """Why the job had to stop; None when it had not."""

    @property
    def traffic(self) -> Traffic:
        """Bytes so far."""

    def prepare(self, ledger: Ledger) -> None:
        """Read what the lane begins with, while the ledger is still free.

        Raises:
            ProcessorError: It cannot begin.
        """

    async def run(self, ledger: Ledger, writer: Writer, tell: Callable[[Notice], None]) -> None:
        """Send until nothing is left, or until `drain` or a reason to stop.

        Args:
            ledger: Of the run; its connection is the writer's meanwhile.
            writer: Takes what becomes of items.
            tell: Takes what happens.
        """

    def heed(self, leeway: Leeway) -> None:
        """Go on as somebody wants it; said before `run`, too."""

    def renew(self, items: int) -> None:
        """Some items that had failed are pending again: they are to be sent now, if they can."""

    def gauge(self) -> Gauge | None:
        """How calls are made; None where none are."""

    def committed(self, records: Sequence[Record]) -> None:
        """What the lane handed over is durable."""

    def conclude(self, ledger: Ledger) -> None:
        """Put down how it ended; the ledger is free again."""

    def drain(self) -> None:
        """Start nothing new; what is under way is recorded."""

    def abort(self) -> None:
        """End what is under way, too; its items stay pending."""

    def shortfall(self, ledger: Ledger) -> Lack | None:
        """What budget or deadline lack, when that ended the sending."""
