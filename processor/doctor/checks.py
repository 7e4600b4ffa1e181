"""All checks, in the order in which a run would stumble."""

from collections.abc import AsyncIterator
from pathlib import Path

from processor.clock import Clock
from processor.doctor import host, installation, key, ledgers, network
from processor.doctor.finding import Finding, skipped
from processor.layers import Layer
from processor.settings import Settings


async def examine(
    settings: Settings,
    found: Layer,
    *,
    folder: Path | None,
    place: Path,
    model: str | None,
    call: bool,
    key_needed: bool,
    clock: Clock,
) -> AsyncIterator[Finding]:
    """One finding after the other.

    Args:
        settings: What is in force.
        found: Where it was found.
        folder: Of a run; None when there is none yet.
        place: Where that folder, or those to come, lie.
        model: To look for; None for none.
        call: Whether to ask it, which costs a little.
        key_needed: Whether the provider demands a key for all that is known.
        clock: Time.
    """
    for finding in installation.examine():
        yield finding
    yield key.examine(settings, found, needed=key_needed)
    plan = network.Plan(
        access=settings.access,
        trust_env=not settings.local,
        model=model,
        call=call,
        timeout_s=settings.timeout_s,
    )
    async for finding in network.examine(plan, clock):
        yield finding
    for finding in host.examine(folder or place, settings.logs, settings.concurrency):
        yield finding
    if folder is None:
        yield skipped("ledger", "there is no run yet")
        return
    for finding in ledgers.examine(folder):
        yield finding
