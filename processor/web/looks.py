"""How a run stands, as the page is told."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from processor.exports import look as look_export, stats
from processor.watch import look, snapshot
from processor.web.stamps import is_held

_UNREADABLE: Mapping[str, Any] = MappingProxyType(
    {
        **dict.fromkeys(("task", "model", "total", "finished", "failed", "success_rate")),
        **dict.fromkeys(("started_at", "problem")),
        "state": "unreadable",
        "running": False,
    }
)


def take(folder: Path, after: int) -> dict[str, Any]:
    """Everything that is shown of a run, with the points behind one.

    Raises:
        LedgerError: There is no ledger, or it cannot be read.
    """
    return dict(look_export.as_json(look.take(folder, after=after)))


def line(folder: Path) -> Mapping[str, Any]:
    """What a list of runs tells of one.

    Raises:
        LedgerError: There is no ledger, or it cannot be read.
    """
    is_running = is_held(folder)  # first: a run that ends meanwhile has written its end
    shot = snapshot.take(folder)
    figures = stats.as_json(shot)
    return {
        **_UNREADABLE,
        **{name: figures[name] for name in _UNREADABLE.keys() & figures.keys()},
        "finished": shot.finished,
        "state": str(look.state_of(shot, is_running=is_running)),
        "running": is_running,
    }


def unreadable(problem: str) -> Mapping[str, Any]:
    """The same of a run that cannot be read."""
    return {**_UNREADABLE, "problem": problem}
