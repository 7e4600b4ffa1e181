"""One look at a run, with all that a dashboard shows; costs the same however many items it has."""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from processor.ledger import control, database, gauges, lock, shards
from processor.ledger.commit import ChunkTotals
from processor.ledger.control import Asked
from processor.ledger.shards import Batch, Shard
from processor.watch import snapshot
from processor.watch.faults import Fault, faults
from processor.watch.snapshot import Snapshot
from processor.watch.speed import Speed, speed_of
from processor.watch.steps import UNKNOWN_COMMAND, next_steps
from processor.watch.targets import Target, targets
from processor.watch.trend import Point, points

_CHUNKS_SHOWN = 12
_ORDERS_SHOWN = 10
_BATCHES_SHOWN = 100
_DONE = (0, 2)
_OPEN_CHUNKS = """
SELECT number, items, succeeded, failed
FROM (SELECT * FROM chunks WHERE items > succeeded + failed ORDER BY number LIMIT ?)
WHERE succeeded + failed > 0 LIMIT ?
"""
_CHUNKS_SEEN = 100  # those that are begun are among the first that are open


class State(StrEnum):
    """How a run is, in words."""

    READING = "reading its rows"
    SENDING = "sending"
    PAUSED = "paused"
    DRAINING = "stopping"
    FINISHING = "writing its tables"
    DONE = "done"
    AT_PROVIDER = "not running, work is at the provider"
    STOPPED = "stopped, resumable"
    RESUMABLE = "not running, resumable"


_STATES = {
    gauges.SENDING: State.SENDING,
    gauges.PAUSED: State.PAUSED,
    gauges.DRAINING: State.DRAINING,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """What the latest choice of lanes expected of the whole run; None where nobody knows.

    Attributes:
        items: When everything is done.
        usd: With the lane that was chosen.
        direct_usd: If everything went directly.
        batch_usd: If everything went by batch.
    """

    items: int | None
    usd: float | None
    direct_usd: float | None
    batch_usd: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A batch, with the shard that it was made of."""

    batch: Batch
    shard: Shard


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A run at one moment.

    Attributes:
        shot: Its figures.
        is_running: Whether a process works on it.
        speed: Of a run that works.
        points: How it went, as far as it was asked for.
        faults: Errors by cause.
        batches: Those that are open, then the latest of the others.
        open_chunks: Chunks that were begun, the first of them.
        orders: What people asked of it, the latest first.
        targets: The users' three.
        planned: What was expected.
        next_steps: What to do now, if nothing works on it.
    """

    shot: Snapshot
    state: State
    is_running: bool
    speed: Speed
    points: Sequence[Point]
    faults: Sequence[Fault]
    batches: Sequence[Held]
    open_chunks: Sequence[ChunkTotals]
    orders: Sequence[Asked]
    targets: Sequence[Target]
    planned: Planned
    next_steps: Sequence[str]

    @property
    def per_s(self) -> float | None:
        """Finished items a second, of late."""
        return self.speed.per_s

    @property
    def eta_s(self) -> float | None:
        """When it will be done by that."""
        return self.speed.eta_s


def take(folder: Path, *, after: int = 0) -> Look:
    """Look at a run.

    Args:
        folder: Its folder.
        after: Points up to this number are known already.

    Raises:
        LedgerError: There is no ledger, or it cannot be read.
    """
    with database.reading(folder / database.LEDGER_NAME) as connection:
        connection.execute("BEGIN")  # every figure of the same moment
        return read(folder, connection, after=after)


def read(folder: Path, connection: sqlite3.Connection, *, after: int = 0) -> Look:
    """The same within a read that somebody has begun."""
    is_running = lock.is_held(folder)  # first: a run that ends meanwhile has written its end
    shot = snapshot.read(folder, connection)
    steps = () if is_running else next_steps(shot, command=shot.command or UNKNOWN_COMMAND)
    return Look(
        shot=shot,
        state=state_of(shot, is_running=is_running),
        is_running=is_running,
        speed=speed_of(shot) if is_running else Speed(per_s=None, eta_s=None),
        points=points(connection, after),
        faults=faults(connection, shot),
        batches=_batches(connection),
        open_chunks=_open_chunks(connection),
        orders=control.latest(connection, _ORDERS_SHOWN),
        targets=targets(shot),
        planned=_planned(shot),
        next_steps=tuple(steps),
    )


def state_of(shot: Snapshot, *, is_running: bool) -> State:
    """How a run is."""
    session = shot.session
    if is_running:
        if session is None or session.exit_code is not None or shot.now is None:
            return State.READING
        return State.FINISHING if not shot.pending else _STATES.get(shot.now.state, State.SENDING)
    if session is not None and session.exit_code in _DONE and not shot.pending:
        return State.DONE
    if shot.pending and shot.pending == shot.jobs.at_provider:
        return State.AT_PROVIDER
    is_stopped = session is not None and session.stop_code is not None
    return State.STOPPED if is_stopped else State.RESUMABLE


def _batches(connection: sqlite3.Connection) -> list[Held]:
    """A run may have a thousand: those that are over are of less interest."""
    of = {shard.number: shard for shard in shards.all_of(connection)}
    found = [
        Held(batch=batch, shard=of[batch.shard])
        for batch in reversed(shards.batches(connection))
        if batch.shard in of
    ]
    found.sort(key=lambda held: held.shard.state in shards.DONE)
    return found[:_BATCHES_SHOWN]


def _open_chunks(connection: sqlite3.Connection) -> list[ChunkTotals]:
    found = connection.execute(_OPEN_CHUNKS, (_CHUNKS_SEEN, _CHUNKS_SHOWN))
    return [
        ChunkTotals(number=number, items=items, succeeded=succeeded, failed=failed)
        for number, items, succeeded, failed in found
    ]


def _planned(shot: Snapshot) -> Planned:
    route = shot.route
    demand: Mapping[str, float | None] = route.get("demand") or {}
    done: Mapping[str, float | None] = route.get("done") or {}
    items, before, before_usd = route.get("items"), done.get("items"), done.get("usd")
    background, each_usd = demand.get("background"), demand.get("direct_usd")
    at_once = (items or 0) - (background or 0)

    def whole(usd: float | None) -> float | None:
        if usd is None or before_usd is None or not background or each_usd is None:
            return None
        return before_usd + usd + at_once * each_usd / background

    direct_usd, batch_usd = whole(each_usd), whole(demand.get("batch_usd"))
    by_lane = {"direct": direct_usd, "batch": batch_usd, "flex": whole(demand.get("flex_usd"))}
    return Planned(
        items=None if items is None or before is None else int(items + before),
        usd=by_lane.get(route.get("lane", "")),
        direct_usd=direct_usd,
        batch_usd=batch_usd,
    )
