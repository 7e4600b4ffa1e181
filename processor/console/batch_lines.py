"""What people see of the batch lane's steps, a line each."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from processor.console.words import counted, duration
from processor.notice import Notice

_MB = 1e6
Facts = Mapping[str, Any]


def line(notice: Notice) -> str | None:
    """The line of a step; None for what is none of the lane's, or of no interest to people."""
    words = _WORDS.get(notice.event)
    return None if words is None else words(notice.facts)


def _written(facts: Facts) -> str:
    size = f"{facts['bytes'] / _MB:,.1f} MB"
    return f"shard {facts['shard']}: {counted(facts['items'], 'request')}, {size}"


def _status(facts: Facts) -> str:
    done, total = (facts["completed"] or 0) + (facts["failed"] or 0), facts["total"]
    counts = f", {done:,} of {total:,}" if total else ""
    return f"{facts['batch']}: {facts['status']}{counts}"


def _settled(facts: Facts) -> str:
    parts = [f"{facts['answered']:,} of {facts['items']:,} answered"]
    words = {
        "missing": "missing",
        "again": "to be sent again",
        "duplicates": "told twice",
        "foreign": "of other requests",
        "unreadable": "unreadable",
    }
    parts += [f"{facts[name]:,} {told}" for name, told in words.items() if facts[name]]
    return f"shard {facts['shard']} is settled: {', '.join(parts)}"


_WORDS: Mapping[str, Callable[[Facts], str]] = MappingProxyType(
    {
        "shard_written": _written,
        "batch_created": lambda facts: f"shard {facts['shard']} is {facts['batch']}",
        "batch_found": lambda facts: (
            f"{facts['batch']} was made before: it is taken for shard {facts['shard']}"
        ),
        "batch_status": _status,
        "batch_overdue": lambda facts: (
            f"{facts['batch']} is {facts['status']} for "
            f"{duration(facts['age_s'])}: it may never end"
        ),
        "batch_deferred": lambda facts: (
            f"shard {facts['shard']} waits for room in the provider's queue: {facts['message']}"
        ),
        "fallback": lambda facts: (
            f"{counted(facts['items'], 'item')} directly: no batch took or answered them"
        ),
        "route_changed": lambda facts: (
            f"{counted(facts['items'], 'item')} by batch: {facts['reason']}"
        ),
        "batch_stuck": lambda facts: (
            f"{facts['batch']} is validating for {duration(facts['age_s'])}: it is stopped, and "
            "what it has not answered goes directly"
        ),
        "batch_closed": lambda facts: (
            f"no further batch is made for {facts['model'] or 'these rows'}: {facts['message']}; "
            "all others are settled first"
        ),
        "budget_full": lambda facts: (
            f"shard {facts['shard']} waits: the budget has room for it only "
            "when others cost less than they may"
        ),
        "call_failed": lambda facts: (
            f"shard {facts['shard']}: {facts['message']}; again in {duration(facts['wait_s'])}"
        ),
        "look_failed": lambda facts: f"the batches could not be looked at: {facts['message']}",
        "cancel_failed": lambda facts: f"{facts['batch']} could not be stopped: {facts['message']}",
        "shard_settled": _settled,
        "shard_dropped": lambda facts: (
            f"shard {facts['shard']} is given up, its "
            f"{counted(facts['items'], 'item')} will go again: {facts['message']}"
        ),
    }
)
