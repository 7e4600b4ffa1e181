"""A look at a run as JSON values, for pages and programs."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from msgspec.structs import asdict as struct_asdict, astuple

from processor.exports import stats
from processor.ledger.control import Asked
from processor.watch.faults import Fault
from processor.watch.look import Held, Look
from processor.watch.trend import Point


def as_json(look: Look) -> Mapping[str, Any]:
    """The look; times are seconds since 1970, what is not known is null.

    `stats` is as in `conversion_stats.json`. `points` are lists, whose places `point_columns`
    names: there may be 2,000 of them.
    """
    shot = look.shot
    return {
        "name": shot.folder.name,
        "folder": str(shot.folder),
        "state": str(look.state),
        "running": look.is_running,
        "stats": stats.as_json(shot),
        "speed": {"per_s": look.per_s, "eta_s": look.eta_s},
        "now": None if shot.now is None else struct_asdict(shot.now),
        "point_columns": Point.__struct_fields__,
        "points": [astuple(point) for point in look.points],
        "faults": [_fault(fault) for fault in look.faults],
        "targets": [asdict(target) for target in look.targets],
        "batches": [_batch(held) for held in look.batches],
        "open_chunks": [asdict(chunk) for chunk in look.open_chunks],
        "orders": [_order(asked) for asked in look.orders],
        "planned": asdict(look.planned),
        "command": shot.command,
        "next_steps": list(look.next_steps),
    }


def _fault(fault: Fault) -> Mapping[str, Any]:
    example = {"id": fault.example_id, "message": fault.example_message}
    return {
        "code": fault.code,
        "count": fault.count,
        "retryable": fault.retryable,
        "means": fault.means,
        "remedy": fault.remedy,
        "example": None if fault.example_id is None else example,
    }


def _batch(held: Held) -> Mapping[str, Any]:
    told = struct_asdict(held.batch)
    return {**told, "state": str(held.shard.state), "items": held.shard.items}


def _order(asked: Asked) -> Mapping[str, Any]:
    return asdict(asked)
