"""How the figures of a run are shown as it works: what a display is, and the plainest."""

import time
from typing import Protocol

from processor.console import streams
from processor.console.words import at_provider, duration, money, named_counts, rate, share
from processor.watch.snapshot import Snapshot
from processor.watch.speed import Speed

_LINE_EVERY_S = 5.0
_SHOWN_ERRORS = 4


class Display(Protocol):
    """Shows figures and notices; called in any thread."""

    every_s: float

    def show(self, shot: Snapshot, now: Speed) -> None:
        """Show how the run stands."""

    def say(self, line: str) -> None:
        """Show a line that stays."""

    def end(self, shot: Snapshot | None) -> None:
        """The run is over; None when it cannot be told how it stands."""


class Plain:
    """Lines, for files, pipes and CI."""

    every_s = _LINE_EVERY_S

    def show(self, shot: Snapshot, now: Speed) -> None:
        """One line of figures."""
        self.say(f"{progress(shot)} · {figures(shot, now)}")

    def say(self, line: str) -> None:
        """The line, with the time of day."""
        streams.tell(f"{time.strftime('%H:%M:%S')} {line}")

    def end(self, shot: Snapshot | None) -> None:
        """Nothing: the summary tells."""


def part_done(shot: Snapshot) -> float:
    """Share of the items that have an outcome, 0 to 1."""
    return shot.finished / shot.total if shot.total else 0.0


def progress(shot: Snapshot) -> str:
    """`1,234/5,000 (24.7%)`."""
    return f"{shot.finished:,}/{shot.total:,} ({share(part_done(shot))})"


def figures(shot: Snapshot, now: Speed) -> str:
    """Success, speed, time left, money and errors, in one line."""
    parts = [
        f"ok {share(shot.success_rate)}",
        rate(now.per_s),
        f"left {duration(now.eta_s)}",
        _spending(shot),
    ]
    errors = list(shot.errors.items())[:_SHOWN_ERRORS]
    if errors:
        parts.append("errors " + named_counts(dict(errors)))
    if shot.overall.retries:
        parts.append(f"retries {shot.overall.retries:,}")
    if shot.jobs.at_provider:
        parts.append(at_provider(shot.jobs, time.time()))
    return " · ".join(parts)


def _spending(shot: Snapshot) -> str:
    limit_usd = shot.session.budget_usd if shot.session else None
    if limit_usd is None:
        return money(shot.overall.cost_usd)
    return f"{money(shot.spent_usd)} of {money(limit_usd)}"
