"""What a lane is sent out with, and what a run asks of whoever conducts one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from processor.clock import Clock
from processor.ledger.ledger import Ledger
from processor.observer import Observer
from processor.plan.budget import Shortfall
from processor.plan.prices import Prices
from processor.settings import Settings
from processor.stop import Stop
from processor.tasks.task import Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """What is to be sent, and who hears of it.

    Attributes:
        folder: The run's.
        most: How many items may be sent; None for all.
        delivered: Called after every commit, in the writer's thread.
        cpu_before_s: What the process had used when the run began.
    """

    folder: Path
    task: Task
    settings: Settings
    prices: Prices
    clock: Clock
    most: int | None
    observers: Sequence[Observer]
    delivered: Callable[[], None]
    cpu_before_s: float


class Sending(Protocol):
    """Conducts a lane through one start of a run."""

    @property
    def stopped(self) -> Stop | None:
        """Why the job had to stop; None when it had not."""

    async def run(self, ledger: Ledger, session: int) -> None:
        """Send until nothing is left, or until `drain` or a reason to stop.

        Raises:
            LedgerError: A disk refuses; what was answered before is recorded if it could be.
        """

    def drain(self) -> None:
        """Start nothing new; what is under way is recorded."""

    def abort(self) -> None:
        """End what is under way, too; its items stay pending."""

    def shortfall(self, ledger: Ledger) -> Shortfall | None:
        """What the budget lacks, when that ended the sending."""
