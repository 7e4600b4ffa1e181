"""Word of a run that goes on: that it will be late, or has used most of its budget."""

import threading
from collections.abc import Callable, Collection
from pathlib import Path

from processor.errors import LedgerError
from processor.ledger.commit import ChunkTotals, Commit
from processor.notice import Notice
from processor.notifying.wording import BUDGET_SHARE
from processor.occasion import Occasion
from processor.plan.offer import Verdict
from processor.watch import snapshot
from processor.watch.course import timing_of
from processor.watch.snapshot import Snapshot

ON_THE_WAY = frozenset({Occasion.LATE, Occasion.BUDGET})
_REST_S = 1.0  # between two looks
_LOOKS_EVERY_S = 60.0  # forecasts change while nothing comes back, too


def holding(shot: Snapshot) -> frozenset[Occasion]:
    """What there is to tell of a run that goes on."""
    found = set[Occasion]()
    timing = timing_of(shot)
    if timing is not None and timing.verdict is Verdict.NO:
        found.add(Occasion.LATE)
    budget_usd = shot.session.budget_usd if shot.session else None
    if budget_usd is not None and shot.pending and shot.spent_usd >= BUDGET_SHARE * budget_usd:
        found.add(Occasion.BUDGET)
    return frozenset(found)


def awaited(shot: Snapshot) -> frozenset[Occasion]:
    """What may come to be told of a start that begins; a budget may be nearly used before it."""
    found = set[Occasion]()
    if shot.deadline_s is not None:
        found.add(Occasion.LATE)
    if shot.session is not None and shot.session.budget_usd is not None:
        found.add(Occasion.BUDGET)
    return frozenset(found - (holding(shot) - {Occasion.LATE}))


class Watcher:
    """An observer that tells each of these once, when it turns so.

    Args:
        folder: The run's.
        wanted: What to tell.
        tell: Called in the watcher's own thread, which may take its time.
    """

    def __init__(
        self,
        folder: Path,
        wanted: Collection[Occasion],
        tell: Callable[[Occasion, Snapshot], None],
    ) -> None:
        self._folder = folder
        self._left = set(wanted)
        self._tell = tell
        self._ended = threading.Event()
        self._stirred = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="notifying", daemon=True)

    def notice(self, notice: Notice) -> None:
        """Look when the run decides something."""
        if notice.event == "sending" and self._thread.ident is None:
            self._thread.start()
        elif notice.event == "decision":
            self._stirred.set()

    def committed(self, commit: Commit) -> None:  # noqa: ARG002 - an observer's
        """Look, soon."""
        self._stirred.set()

    def chunk_written(self, chunk: ChunkTotals) -> None:
        """The figures tell it."""

    def close(self, most_s: float) -> bool:
        """Stop watching; returns whether what was being told is, within so many seconds."""
        self._ended.set()
        self._stirred.set()
        if self._thread.is_alive():
            self._thread.join(most_s)
        return not self._thread.is_alive()

    def _watch(self) -> None:
        known = self._look()
        if known is not None:
            self._left &= awaited(known)
        while self._left and not self._ended.wait(_REST_S):
            self._stirred.wait(_LOOKS_EVERY_S)
            self._stirred.clear()
            if self._ended.is_set():
                return
            shot = self._look()
            if shot is None:
                continue
            for occasion in sorted(self._left & holding(shot)):
                self._left.discard(occasion)
                self._tell(occasion, shot)

    def _look(self) -> Snapshot | None:
        """How the run stands; None when that cannot be read at the moment."""
        try:
            return snapshot.take(self._folder)
        except LedgerError:
            return None  # the run itself tells if it is worse than busy
