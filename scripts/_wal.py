"""How much of a run's write-ahead log is in use while others read the ledger."""

import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from _bench import Child, shown, table
from _runs import Bench, until

from processor.ledger.database import LEDGER_NAME

__all__ = ["Beside", "Wal", "beside"]

_LOOK_S = 0.05
_CHUNK_SIZE = 100  # as `processor run` makes them
_PROGRESS_S = 0.25
_GROWN = 1.5  # times a size: no chance explains that
# Of the wal-index, as SQLite's "WAL-mode File Format" has it: szPage and mxFrame.
_INDEX_HEAD = struct.Struct("=14xHI")
_FRAME_HEAD_BYTES = 24


class Wal:
    """Watches from a thread how much of a run's write-ahead log is in use.

    The file's size would not tell: what an import made it grow to stays, up to a limit.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / f"{LEDGER_NAME}-shm"
        self._most_mb = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="wal", daemon=True)
        self._thread.start()

    def now_mb(self) -> float:
        """From its beginning to the last frame that was committed."""
        try:
            with self._path.open("rb") as file:
                head = file.read(_INDEX_HEAD.size)
        except FileNotFoundError:
            return 0.0
        if len(head) < _INDEX_HEAD.size:
            return 0.0
        page_bytes, frames = _INDEX_HEAD.unpack(head)
        return float(frames * (page_bytes + _FRAME_HEAD_BYTES)) / 1e6

    def most_mb(self) -> float:
        """Its greatest size since this was asked last."""
        most, self._most_mb = self._most_mb, 0.0
        return max(most, self.now_mb())

    def close(self) -> None:
        """Stop watching."""
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(_LOOK_S):
            self._most_mb = max(self._most_mb, self.now_mb())


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """A run that goes on while others read its ledger.

    Attributes:
        phases: What was seen: who read, items a second, the log's greatest and last size.
    """

    bench: Bench
    items: int
    out: str
    run: Child
    wal: Wal
    phases: list[tuple[str, ...]] = field(default_factory=list)

    def phase(self, name: str, holds: Callable[[], bool], *readers: Child) -> float:
        """Go on until it holds; returns the most that the log held meanwhile, in MB."""
        self.wal.most_mb()
        begun_s, before = time.monotonic(), self._finished()
        until(holds, self.run, *readers, every_s=_PROGRESS_S)
        most_mb = self.wal.most_mb()
        rate = (self._finished() - before) / (time.monotonic() - begun_s)
        self.phases.append((name, f"{rate:,.0f}", shown(most_mb), shown(self.wal.now_mb())))
        return most_mb

    def done(self, share: float) -> Callable[[], bool]:
        """That a share of the items has an outcome."""
        return lambda: self._finished() >= share * self.items

    def grown(self, mb: float) -> Callable[[], bool]:
        """That the log has outgrown a size."""
        return lambda: self.wal.now_mb() >= _GROWN * mb

    def print(self) -> None:
        """What was seen."""
        print(f"\nThe write-ahead log of {self.items:,} items:\n")
        head = ("beside the run", "items/s", "most MB", "MB at the end")
        print(table(head, self.phases), flush=True)

    def _finished(self) -> int:
        """By the files, not by the ledger: nobody else may read that unless a phase says so."""
        files = (self.bench.folder / self.out).glob("conversion_results_batch_*.json")
        return sum(1 for _ in files) * _CHUNK_SIZE


@contextmanager
def beside(bench: Bench, items: int, out: str) -> Iterator[Beside]:
    """Start a run and watch its log; it is killed at the end."""
    run = bench.start(items, out)
    bench.first_request_s(run)
    wal = Wal(bench.folder / out)
    try:
        yield Beside(bench=bench, items=items, out=out, run=run, wal=wal)
    finally:
        wal.close()
        run.kill()
