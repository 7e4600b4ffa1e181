"""Results on their way to outputs that are slow, away, or not wanted any more."""

import sqlite3
import threading
from dataclasses import dataclass, field
from pathlib import Path

from processor.delivery import Deliveries
from processor.exports.output import Delivered
from processor.notice import Notice

_MOST_S = 30.0


@dataclass(slots=True)
class Shelf:
    """An output that takes one row a call, once it may."""

    rows: int
    calls: int = 0
    called: threading.Event = field(default_factory=threading.Event)
    may: threading.Event = field(default_factory=threading.Event)
    closed: threading.Event = field(default_factory=threading.Event)
    name: str = "shelf"
    live: bool = True

    def reach(self) -> None:
        """It is there."""

    def check(self, connection: sqlite3.Connection) -> None:
        """It takes everything."""

    def deliver(self, ledger: Path) -> Delivered:  # noqa: ARG002 - the protocol's
        self.called.set()
        assert self.may.wait(_MOST_S)
        if self.calls == self.rows:
            return Delivered()
        self.calls += 1
        return Delivered(inserted=1, is_all=self.calls == self.rows)

    def waiting(self, ledger: Path) -> int:  # noqa: ARG002 - the protocol's
        return self.rows - self.calls

    def close(self) -> None:
        self.closed.set()


def deliveries(shelf: Shelf, folder: Path) -> tuple[Deliveries, list[Notice]]:
    told: list[Notice] = []
    return Deliveries([shelf], folder / "ledger", patience_s=5.0, tell=told.append), told


def test_what_is_left_ends_with_the_call_that_is_going_on(tmp_path: Path) -> None:
    """Nobody waits for it, so it must not go on behind the back of who left."""
    shelf = Shelf(rows=1_000)
    ours, told = deliveries(shelf, tmp_path)
    ours.start()
    assert shelf.called.wait(_MOST_S)
    ours.leave()
    shelf.may.set()
    assert shelf.closed.wait(_MOST_S)
    assert (shelf.calls, told) == (1, [])


def test_at_the_end_all_is_delivered_call_by_call(tmp_path: Path) -> None:
    shelf = Shelf(rows=50)
    shelf.may.set()
    ours, told = deliveries(shelf, tmp_path)
    ours.start()
    (handover,) = ours.finish()
    assert (handover.delivered.inserted, handover.problem, handover.waiting) == (50, None, 0)
    assert [notice.event for notice in told] == ["delivered"]
