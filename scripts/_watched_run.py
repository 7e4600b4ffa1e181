"""A run before a sandbox, watched and not: its CPU a request, and its write-ahead log."""

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from _bench import Figure, median_of, serving, shown, write_task
from _runs import Bench, until
from _wal import Beside, beside
from _watchers import cpu_s, page, seen, stopped, terminal

__all__ = ["Turns", "figures"]

_LEAST_VALUES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Turns:
    """How long it is watched, and not.

    Attributes:
        items: Of the run; it is ended before they are done.
        before_s: How long nobody watches at first.
        pairs: Of stretches with and without watchers.
        stretch_s: How long one is.
    """

    items: int
    before_s: float
    pairs: int
    stretch_s: float


def figures(folder: Path, turns: Turns) -> Iterator[Figure]:
    """A run that is watched, beside itself while it is not."""
    with serving() as server:
        bench = Bench(folder=folder, server=server)
        write_task(folder / "task.toml")
        try:
            with beside(bench, turns.items, "watched") as it:
                it.phase("right after the import", _turned(it))
                alone_mb = it.phase("nobody", _turned(it, turns.before_s))
                ratios, most_mb = _in_turn(it, turns)
            it.print()
        finally:
            for child in bench.children:
                child.kill()
    yield Figure(
        name="CPU a request of a run, watched / not",
        value=statistics.median(ratios),
        target=1.01,
        detail=f"{median_of(ratios)}, ± {shown(100 * _doubt(ratios))} %",
    )
    yield Figure(
        name="write-ahead log, watched / before",
        value=most_mb / alone_mb,
        target=1.2,
        detail=f"{shown(most_mb, 'MB')} / {shown(alone_mb, 'MB')}",
    )


def _in_turn(it: Beside, turns: Turns) -> tuple[list[float], float]:
    """Let watchers watch and stand still in turn.

    Returns:
        CPU a request with them, each time to that before and after without; and the most of the
        write-ahead log that was in use since they came, in MB.
    """
    folder = it.bench.folder / it.out
    it.wal.most_mb()
    with terminal(folder) as screen, page(folder) as served:
        seen(screen)
        seen(served)
        alone, watched = [], []
        for _ in range(turns.pairs):
            with stopped(screen, served):
                alone.append(_cpu_us(it, turns.stretch_s))
            watched.append(_cpu_us(it, turns.stretch_s))
        with stopped(screen, served):
            alone.append(_cpu_us(it, turns.stretch_s))
        most_mb = it.wal.most_mb()
        last_mb = it.phase("a terminal, a page", _turned(it))
    around = [statistics.mean(pair) for pair in pairwise(alone)]
    ratios = [one / other for one, other in zip(watched, around, strict=True)]
    return ratios, max(most_mb, last_mb)


def _cpu_us(it: Beside, seconds: float) -> float:
    """CPU of the run's process, a request, over the next seconds."""
    stats, pid = it.bench.server.stats, it.run.pid
    requests, before_s = stats()["received"], cpu_s(pid)
    until(_gone(seconds), it.run)
    spent_s = cpu_s(pid) - before_s
    return float(spent_s / (stats()["received"] - requests) * 1e6)


def _gone(seconds: float) -> Callable[[], bool]:
    """That so much time has gone."""
    end_s = time.monotonic() + seconds
    return lambda: time.monotonic() >= end_s


def _turned(it: Beside, seconds: float = 0.0) -> Callable[[], bool]:
    """That the log has begun anew, so that its greatest size was seen, and time has gone."""
    is_gone, log_mb, is_new = _gone(seconds), it.wal.now_mb(), False

    def holds() -> bool:
        nonlocal log_mb, is_new
        before_mb, log_mb = log_mb, it.wal.now_mb()
        is_new = is_new or log_mb < before_mb
        return is_new and is_gone()

    return holds


def _doubt(values: Sequence[float]) -> float:
    """Standard error of a median, by the spread of the middle half; none of one value."""
    if len(values) < _LEAST_VALUES:
        return 0.0
    low, _, high = statistics.quantiles(values, n=4)
    return float(0.93 * (high - low) / len(values) ** 0.5)
