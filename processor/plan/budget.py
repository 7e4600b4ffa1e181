"""The money that a run may spend. Pure.

A run folder has one budget, over all its starts. What may have been spent is kept in the ledger as
one figure, the reservation: it is raised, durably, before the calls that need it are sent, and by
a block for many calls, so that no call waits for a disk. Always

    spent + estimates of the calls in flight <= reserved <= limit

unless calls cost more than their estimates. After a crash the reservation counts as spent. What
another lane claims meanwhile is taken off the limit.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, floor, log10

from processor.plan.prices import dollars

_BLOCK_CALLS = 100
_BLOCK_WINDOWS = 4
# A block takes no more than this share of what is left, so that a crash never costs all of it.
_BLOCK_SHARE = 0.25
_MARGIN = 1.05  # items differ


def _nothing() -> float:
    return 0.0


class Budget:
    """What is spent, in flight and reserved, in US dollars.

    Args:
        limit_usd: The budget.
        spent_usd: What counts as spent already; it is reserved.
        elsewhere_usd: Tells what another lane has spent or reserved of the limit by now. It may
            rise by no more than what `claimed_usd` leaves.
    """

    __slots__ = (
        "_asked_usd",
        "_calls",
        "_elsewhere_usd",
        "_in_flight_usd",
        "_limit_usd",
        "_reserved_usd",
        "spent_usd",
    )

    def __init__(
        self,
        *,
        limit_usd: float,
        spent_usd: float = 0.0,
        elsewhere_usd: Callable[[], float] = _nothing,
    ) -> None:
        self._limit_usd = limit_usd
        self._elsewhere_usd = elsewhere_usd
        self.spent_usd = spent_usd
        self._reserved_usd = spent_usd
        self._asked_usd: float | None = None
        self._in_flight_usd = 0.0
        self._calls = 0

    @property
    def limit_usd(self) -> float:
        """What may be spent here."""
        return self._limit_usd - self.elsewhere_usd

    @property
    def elsewhere_usd(self) -> float:
        """What another lane claims of it."""
        return self._elsewhere_usd()

    @property
    def claimed_usd(self) -> float:
        """What is spent, or may be before anybody is asked again."""
        return max(self._reserved_usd, self._asked_usd or 0.0)

    def fits(self, usd: float) -> bool:
        """Whether the budget has room for a call of this estimate, beside those in flight."""
        return self._needed_usd + usd <= self.limit_usd

    def admits(self, usd: float) -> bool:
        """Whether such a call may be sent now: whether its money is reserved durably."""
        return self._needed_usd + usd <= min(self._reserved_usd, self.limit_usd)

    def ask(self, usd: float, window: int) -> float | None:
        """What should be reserved in all; None when the reservation is well, or being written.

        Args:
            usd: Estimate of the next call.
            window: How many calls may be in flight.
        """
        if self._asked_usd is not None:
            return None
        needed_usd, calls = self._needed_usd, max(_BLOCK_CALLS, _BLOCK_WINDOWS * window)
        left_usd = self.limit_usd - needed_usd
        block_usd = max(usd, min(usd * calls, left_usd * _BLOCK_SHARE))
        target_usd = needed_usd + (block_usd if self.fits(usd) else 0.0)
        # Only sums are compared, as in `admits`: a difference may round to the other side, and a
        # call that fits would wait for ever.
        if needed_usd + 2 * block_usd < self._reserved_usd:
            self._reserved_usd = target_usd  # holds at once; the ledger follows
        elif min(target_usd, needed_usd + max(usd, block_usd / 2)) <= self._reserved_usd:
            return None
        self._asked_usd = target_usd
        return target_usd

    def granted(self) -> None:
        """What was asked for is durable."""
        assert self._asked_usd is not None
        self._reserved_usd, self._asked_usd = self._asked_usd, None

    def begin(self, usd: float) -> None:
        """A call of this estimate is sent."""
        self._calls += 1
        self._in_flight_usd += usd

    def settle(self, usd: float, cost_usd: float | None) -> None:
        """A call has ended.

        Args:
            usd: Its estimate.
            cost_usd: What it cost; None when nobody knows, which counts its estimate.
        """
        self._calls -= 1
        # Without a call nothing is in flight, whatever the roundings add up to.
        self._in_flight_usd = self._in_flight_usd - usd if self._calls else 0.0
        self.spent_usd += usd if cost_usd is None else cost_usd

    @property
    def _needed_usd(self) -> float:
        return self.spent_usd + self._in_flight_usd


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortfall:
    """What a run lacks that its budget stopped; implements `Lack`.

    Attributes:
        limit_usd: The budget.
        used_usd: What counts as spent.
        items: How many are left.
        rest_usd: What they will about cost.
        call_usd: What the next call may cost at most.
    """

    limit_usd: float
    used_usd: float
    items: int
    rest_usd: float
    call_usd: float

    @property
    def option(self) -> str:
        """`--budget`."""
        return "--budget"

    @property
    def enough(self) -> str:
        """The budget that `enough_usd` tells, as people type it."""
        return f"{self.enough_usd:.12g}"

    @property
    def enough_usd(self) -> float:
        """A budget that lets the run end, as round as people type it."""
        usd = self.used_usd + _MARGIN * self.rest_usd + self.call_usd
        digits = 2 if usd >= 1 else 1 - floor(log10(usd))
        return ceil(round(usd * 10.0**digits, 6)) / 10.0**digits

    def __str__(self) -> str:
        """One sentence for people."""
        left = "1 item is" if self.items == 1 else f"{self.items:,} items are"
        return (
            f"{dollars(self.used_usd)} of {dollars(self.limit_usd)} used; {left} left, "
            f"about {dollars(self.rest_usd)} more: {self.option} {self.enough} goes on."
        )
