"""All checks, in the order in which a run would stumble."""

from collections.abc import AsyncIterator
from pathlib import Path

from processor.clock import Clock
from processor.doctor import database, host, installation, key, ledgers, network
from processor.doctor.finding import Finding, skipped
from processor.layers import Layer
from processor.settings import Settings


async def examine(
    settings: Settings,
    found: Layer,
    plan: network.Plan,
    *,
    folder: Path | None,
    place: Path,
    key_needed: bool,
    database_uri: str | None,
    clock: Clock,
) -> AsyncIterator[Finding]:
    """One finding after the other.

    Args:
        settings: What is in force.
        found: Where it was found.
        plan: What the provider is asked.
        folder: Of a run; None when there is none yet.
        place: Where that folder, or those to come, lie.
        key_needed: Whether the provider demands a key for all that is known.
        database_uri: Which is read when no input is named; None for none.
        clock: Time.
    """
    for finding in installation.examine():
        yield finding
    yield key.examine(settings, found, needed=key_needed)
    async for finding in network.examine(plan, clock):
        yield finding
    yield await database.examine(database_uri)
    for finding in host.examine(folder or place, settings.logs, settings.concurrency):
        yield finding
    if folder is None:
        yield skipped("ledger", "there is no run yet")
        return
    for finding in ledgers.examine(folder):
        yield finding
