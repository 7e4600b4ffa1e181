"""What a deadline has left undone, and what it takes to do it. Pure."""

from dataclasses import dataclass
from math import ceil

from processor.plan.deadline import deadline_for, span_of
from processor.plan.prices import dollars

_MORE_S = 300.0


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
        needed_s = self.items / self.per_s
        enough = deadline_for(needed_s)
        is_same = enough == self.typed.replace(" ", "").lower()
        return deadline_for(needed_s + _MORE_S) if is_same else enough

    def __str__(self) -> str:
        """One sentence for people."""
        left = "1 item is" if self.items == 1 else f"{self.items:,} items are"
        minutes = ceil(self.items / self.per_s / 60)
        pace = "" if self.is_measured else " (assumed)"
        costs = f"about {span_of(minutes)} directly{pace}"
        if self.direct_usd is not None:
            costs += f" for {dollars(self.items * self.direct_usd)}"
        if self.batch_usd is not None:
            costs += f", {dollars(self.items * self.batch_usd)} by batch"
        return f"{left} left, {costs}: {self.option} {self.enough} goes on."
