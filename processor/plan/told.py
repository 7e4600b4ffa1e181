"""Views and decisions as JSON values, so that a decision can be made again from what was kept."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from math import inf
from typing import Any

from processor.plan.decide import Decision, Open, View
from processor.plan.latency import Latencies, Seen


def of_view(view: View) -> dict[str, Any]:
    """A view as JSON values."""
    plain = {
        each.name: getattr(view, each.name)
        for each in fields(view)
        if each.name not in ("latencies", "open")
    }
    seen = view.latencies.seen
    return {
        **plain,
        "open": [asdict(shard) for shard in view.open],
        "seen": [[each.requests, None if each.seconds == inf else each.seconds] for each in seen],
    }


def view_of(told: Mapping[str, Any]) -> View:
    """The view that `of_view` told of."""
    seen = [
        Seen(requests, inf if seconds is None else seconds) for requests, seconds in told["seen"]
    ]
    plain = {name: value for name, value in told.items() if name not in ("open", "seen")}
    shards = tuple(Open(**shard) for shard in told["open"])
    return View(**plain, open=shards, latencies=Latencies(seen))


def of_decision(decision: Decision) -> dict[str, Any]:
    """A decision as JSON values."""
    return {**asdict(decision), "cancel": list(decision.cancel)}


def decision_of(told: Mapping[str, Any]) -> Decision:
    """The decision that `of_decision` told of."""
    return Decision(**{**told, "cancel": tuple(told["cancel"])})
