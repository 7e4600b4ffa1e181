"""How a run stands, as the page is told."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from processor.exports import stats
from processor.ledger import lock
from processor.watch import snapshot

# Of a run that cannot be read.
NO_LINE: Mapping[str, Any] = MappingProxyType(
    {
        "task": None,
        "model": None,
        "state": "unreadable",
        "running": False,
        "total": None,
        "finished": None,
        "failed": None,
        "success_rate": None,
        "started_at": None,
        "problem": None,
    }
)


def take(folder: Path, after: int) -> dict[str, Any]:
    """Everything that is shown of a run, with the points behind one.

    Raises:
        LedgerError: There is no ledger, or it cannot be read.
    """
    del after
    shot, running = snapshot.take(folder), lock.is_held(folder)
    return {"stats": stats.as_json(shot), "running": running, "points": []}


def line(folder: Path) -> dict[str, Any]:
    """What a list of runs tells of one.

    Raises:
        LedgerError: There is no ledger, or it cannot be read.
    """
    shot, running = snapshot.take(folder), lock.is_held(folder)
    figures = stats.as_json(shot)
    return {
        **NO_LINE,
        **{name: figures[name] for name in NO_LINE.keys() & figures.keys()},
        "finished": shot.finished,
        "state": "running" if running else "not running",
        "running": running,
    }
