"""How the ledger of a run is, and how the run ended."""

from collections.abc import Iterator
from pathlib import Path

from processor.codes import cause_of
from processor.doctor.finding import Finding, note, ok, wrong
from processor.errors import LedgerError
from processor.ledger import database, lock
from processor.watch import snapshot
from processor.watch.snapshot import Snapshot

_EXAMINED_MOST_S = 10.0


def examine(folder: Path) -> Iterator[Finding]:
    """Damage, looked for during ten seconds at most; items; why the last start ended."""
    path = folder / database.LEDGER_NAME
    try:
        with database.reading(path) as connection:
            whole = database.examine(path, connection, _EXAMINED_MOST_S)
        shot = snapshot.take(folder)
    except LedgerError as error:
        yield wrong("ledger", error.message, error.way_out)
        return
    size_mb = path.stat().st_size / 1e6
    looked = "no damage" if whole else f"no damage found in {_EXAMINED_MOST_S:g} s"
    yield ok("ledger", f"{path}: {size_mb:.1f} MB, {looked}")
    yield _state(shot, running=lock.is_held(folder))


def _state(shot: Snapshot, *, running: bool) -> Finding:
    counts = f"{shot.succeeded} succeeded, {shot.failed} failed, {shot.pending} pending"
    items = f"{shot.total} items: {counts}"
    session = shot.session
    if running:
        return ok("run", f"{items}; it is running")
    if session is None or session.stop_code is None:
        return ok("run", items)
    cause = cause_of(session.stop_code)  # the provider's own words may quote a row
    return note("run", f"{items}; stopped ({cause.code}): {cause.means}", cause.remedy)
