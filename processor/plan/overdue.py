"""What a deadline has left undone, and what it takes to do it. Pure."""

from dataclasses import dataclass
from math import ceil

from processor.plan.prices import dollars

_MARGIN = 1.2  # a deadline is made with some time to spare, or not at all
_BEGIN_S = 120.0
_STEP_M = 5  # as people type it
_HOUR_M = 60
_MOST_M = 30 * 24 * _HOUR_M  # more is no deadline


@dataclass(frozen=True, slots=True, kw_only=True)
class Overdue:
    """What a run lacks that its deadline stopped; implements `Lack`.

    Attributes:
        typed: The deadline.
        items: How many are left.
        per_s: Items a second that the direct lane does; cautious.
        is_measured: Whether that was seen, rather than assumed.
        direct_usd: What an item costs directly; None when unknown.
        batch_usd: By batch; None where there are no batches, too.
    """

    typed: str
    items: int
    per_s: float
    is_measured: bool = True
    direct_usd: float | None = None
    batch_usd: float | None = None

    @property
    def option(self) -> str:
        """`--deadline`."""
        return "--deadline"

    @property
    def enough(self) -> str:
        """A span that lets the direct lane end, from when it is typed; other words than before.

        The same words mean the same moment, which has passed.
        """
        seconds = _BEGIN_S + _MARGIN * self.items / self.per_s
        minutes = min(_MOST_M, _STEP_M * ceil(seconds / 60 / _STEP_M))
        other = minutes + _STEP_M if minutes < _MOST_M else minutes - _STEP_M
        is_same = _span(minutes) == self.typed.replace(" ", "").lower()
        return _span(other if is_same else minutes)

    def __str__(self) -> str:
        """One sentence for people."""
        left = "1 item is" if self.items == 1 else f"{self.items:,} items are"
        minutes = ceil(self.items / self.per_s / 60)
        pace = "" if self.is_measured else " (assumed)"
        costs = f"about {_span(minutes)} directly{pace}"
        if self.direct_usd is not None:
            costs += f" for {dollars(self.items * self.direct_usd)}"
        if self.batch_usd is not None:
            costs += f", {dollars(self.items * self.batch_usd)} by batch"
        return f"{left} left, {costs}: {self.option} {self.enough} goes on."


def _span(minutes: int) -> str:
    """`45m`, `2h`, `1h05m`."""
    hours, rest = divmod(minutes, _HOUR_M)
    if not hours:
        return f"{rest}m"
    return f"{hours}h{rest:02d}m" if rest else f"{hours}h"
