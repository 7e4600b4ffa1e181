"""Run folders: their names, and which one is meant."""

import glob
import hashlib
import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from processor.data.source import Source
from processor.errors import UsageError
from processor.exports import chunk_files
from processor.ledger import lock
from processor.ledger.database import LEDGER_NAME

RUNS = Path("runs")


def default_folder(task: str, source: Source) -> Path:
    """`runs/<task>-<name of the input>-<short hash of its URI>`, so that a run is found again."""
    digest = hashlib.sha256(source.uri.encode()).hexdigest()[:6]
    return RUNS / f"{_plain(task)}-{_plain(Path(source.name).name.split('.')[0])}-{digest}"


def has_any() -> bool:
    """Whether there is a run in the usual place."""
    return any(RUNS.glob(f"*/{LEDGER_NAME}"))


def all_of(place: Path = RUNS) -> list[Path]:
    """The run folders in a place, the one that was written last first."""
    ledgers = sorted(place.glob(f"*/{LEDGER_NAME}"), key=_written_at, reverse=True)
    return [ledger.parent for ledger in ledgers]


def meant(names: Sequence[Path]) -> list[Path]:
    """The run folders that names stand for: a run's own, a folder of runs, a pattern of either.

    Raises:
        UsageError: One stands for none.
    """
    found = {folder.resolve(): folder for name in names for folder in _runs_of(name)}
    return list(found.values())


def newest(place: Path = RUNS) -> Path:
    """The run folder in a place that was written last.

    Raises:
        UsageError: There is none.
    """
    found = all_of(place)
    if not found:
        raise UsageError(
            f"there is no run in {place.absolute()}",
            way_out="Name its folder, or start one: processor run --help.",
        )
    return found[0]


def chosen(folder: Path | None) -> Path:
    """The folder that was named, or the newest.

    Raises:
        UsageError: It holds no run.
    """
    if folder is None:
        return newest()
    if not _holds_run(folder):
        raise UsageError(f"{folder} holds no run", way_out="Runs are in runs/.")
    return folder


def set_aside(folder: Path) -> Path | None:
    """Rename a run's folder, so that one of its name can begin afresh; nothing is deleted.

    Raises:
        UsageError: It is no run, or a process works on it.
    """
    folder = folder.resolve()
    holds_run = _holds_run(folder)
    if not folder.exists():
        return None
    if not holds_run and not chunk_files.orphaned(folder):
        raise UsageError(f"{folder} is no run", way_out="Name a folder that --new may rename.")
    if lock.is_held(folder):
        raise UsageError(f"{folder} is in use", way_out="Wait until that run ends, or stop it.")
    return rename_aside(folder)


def rename_aside(folder: Path) -> Path:
    """Give a folder a name that ends with the time; returns it."""
    stem = f"{folder.name}.{datetime.now().astimezone():%Y%m%d-%H%M%S}"
    aside, number = folder.with_name(stem), 1
    while aside.exists():  # another was set aside in this second
        number += 1
        aside = folder.with_name(f"{stem}-{number}")
    folder.rename(aside)
    return aside


def _runs_of(name: Path) -> list[Path]:
    if _holds_run(name):
        return [name]
    matched = [Path(one) for one in sorted(glob.glob(str(name)))]  # noqa: PTH207 - absolute, too
    inside = [run for one in matched for run in ([one] if _holds_run(one) else all_of(one))]
    if not inside:
        raise UsageError(f"{name} holds no run", way_out="Runs are in runs/.")
    return inside


def _holds_run(folder: Path) -> bool:
    try:
        return (folder / LEDGER_NAME).exists()
    except OSError as error:
        raise UsageError(
            f"{folder}: {error.strerror}", way_out="Name another folder, or mend its permissions."
        ) from error


def _plain(name: str) -> str:
    return re.sub(r"[^\w-]+", "-", name).strip("-")[:40] or "input"


def _written_at(ledger: Path) -> float:
    """The write-ahead log is younger than the ledger while a run goes on."""
    wal = ledger.with_name(ledger.name + "-wal")
    times = []
    for path in (ledger, wal):
        with suppress(OSError):  # there is none, or not any more
            times.append(path.stat().st_mtime)
    return max(times, default=0.0)
