"""All that a report tells of a run, gathered in short reads, also while it works."""

import platform
import sqlite3
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from processor import __version__, jsontext
from processor.ledger import database
from processor.ledger.database import LEDGER_NAME
from processor.quality import run as runs
from processor.quality.run import Run
from processor.reporting import timeline
from processor.reporting.patterns import Counted, Factor
from processor.reporting.scan import Scan, is_repeated, scan
from processor.reporting.timeline import Event, Start
from processor.watch import look
from processor.watch.look import Look
from processor.watch.snapshot import Snapshot

_PARTS = 10  # of the input, to be looked at for patterns


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """By what, and when, a report is made.

    Attributes:
        at: Seconds since 1970.
        version: Of this program.
        python: Its version.
        machine: Operating system and kind of processor; no name.
    """

    at: float
    version: str
    python: str
    machine: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """A run, as a report tells of it.

    Attributes:
        content: Whether rows, answers, messages and names of files may be shown.
        run: None of a run that was killed before it began.
        settings: Of the latest start, secrets left out.
        starts: All of them, the oldest first.
        events: What happened, the oldest first.
        latencies: Bucket to calls, see `ledger.histogram`.
        scan: What the items tell; None without a run.
    """

    seen: Look
    content: bool
    run: Run | None
    settings: Mapping[str, Any]
    starts: Sequence[Start]
    events: Sequence[Event]
    latencies: Mapping[int, int]
    scan: Scan | None
    made: Made

    @property
    def shot(self) -> Snapshot:
        """The figures."""
        return self.seen.shot


def gather(folder: Path, *, content: bool = True, gold: str | None = None) -> Findings:
    """Read a run.

    Args:
        folder: The run's.
        content: Whether rows, answers, messages and names of files may be shown.
        gold: Column of the input with the right labels; None for none.

    Raises:
        LedgerError: There is no ledger, or it cannot be read.
        UsageError: There is no such column as `gold`, or the run's answers are no labels.
    """
    with database.reading(folder / LEDGER_NAME) as connection:
        connection.execute("BEGIN")  # every figure of the same moment
        seen = look.read(folder, connection)
        run = _run(folder, connection)
        starts = timeline.starts(connection)
        events = timeline.events(connection, starts, is_running=seen.is_running)
        latencies = dict(connection.execute("SELECT bucket, count FROM latencies"))
        settings = _settings(connection)
        beside = [] if run is None or is_repeated(run) else [_places(connection)]
        connection.execute("COMMIT")  # items are read a few at a time
        return Findings(
            seen=seen,
            content=content,
            run=run,
            settings=settings,
            starts=starts,
            events=events,
            latencies=latencies,
            scan=None
            if run is None
            else scan(
                connection,
                run,
                codes=list(seen.shot.errors),
                gold=gold,
                content=content,
                beside=beside,
            ),
            made=_made(),
        )


def _run(folder: Path, connection: sqlite3.Connection) -> Run | None:
    has_begun = connection.execute("SELECT 1 FROM meta WHERE key = 'task'").fetchone()
    return runs.read(folder, connection) if has_begun else None


def _settings(connection: sqlite3.Connection) -> Mapping[str, Any]:
    row = connection.execute(
        "SELECT settings FROM sessions ORDER BY number DESC LIMIT 1"
    ).fetchone()
    settings: Mapping[str, Any] = {} if row is None else jsontext.loads(row[0])
    return settings


def _places(connection: sqlite3.Connection) -> Factor:
    """Failures by where items stand in the input, of all chunks."""
    found = connection.execute(
        "SELECT (number - 1) * ? / (SELECT MAX(number) FROM chunks) AS part, "
        "SUM(succeeded + failed), SUM(failed) FROM chunks GROUP BY part ORDER BY part",
        (_PARTS,),
    ).fetchall()
    if len(found) < _PARTS:  # of fewer chunks the parts would not be alike
        return Factor("place", "place in the input", {})
    groups = {
        f"{100 * part // _PARTS}–{100 * (part + 1) // _PARTS}% of the input": Counted(items, cases)
        for part, items, cases in found
    }
    return Factor("place", "place in the input", groups)


def _made() -> Made:
    return Made(
        at=time.time(),
        version=__version__,
        python=".".join(map(str, sys.version_info[:3])),
        machine=f"{platform.system()} {platform.release().partition('-')[0]}, {platform.machine()}",
    )
